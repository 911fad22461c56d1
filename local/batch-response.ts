import * as z from 'zod';

const BatchResponse = z.looseObject({
  batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string() })).nullish(),
});

/**
 * Which records of a batch failed, by the answer of a handler that reports them. As with Lambda's event source mappings
 * an empty answer is success, and one that can't be understood means that all of them failed.
 * @param known the identifiers of the batch
 */
export const failedOf = (answer: unknown, known: readonly string[]): ReadonlySet<string> => {
  if (answer === undefined || answer === null) return new Set();
  const parsed = BatchResponse.safeParse(answer);
  if (!parsed.success) return new Set(known);
  const failed = new Set(parsed.data.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  const understood = [...failed].every((identifier) => known.includes(identifier));
  return understood ? failed : new Set(known);
};
