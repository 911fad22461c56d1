import * as z from 'zod';

/** Stands where a fact was not what its schema lets in. */
export const REDACTED = '[redacted]';

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Facts of an entry as they are stored and shown: flat, so that there is nothing to hide in. */
export const StoredFacts = z.record(z.string(), z.union([Scalar, z.array(z.string())]));
export type StoredFacts = z.infer<typeof StoredFacts>;

/** The schemas of an event's facts by name. */
export type FactShape = { readonly [name: string]: z.ZodType<string | number | boolean | readonly string[]> };

/** What a caller tells of the facts: a whole domain object may be given, only the named ones get in. */
export type Facts<Shape extends FactShape> = {
  readonly [name in keyof Shape]?: z.input<Shape[name]> | null | undefined;
};

/**
 * The facts that their shape names; anything else of `given` stays out. Each schema accepts ids, choices, numbers and
 * the like, never free text, so that a secret in the wrong place ends as {@link REDACTED} instead of in the log.
 */
export const factsOf = (shape: FactShape, given: Facts<FactShape> | undefined): StoredFacts | null => {
  if (given === undefined) return null;
  const facts = Object.entries(shape).flatMap(([name, schema]): [string, StoredFacts[string]][] => {
    const value = given[name];
    if (value === undefined) return [];
    if (value === null) return [[name, null]];
    const { success, data } = schema.safeParse(value);
    if (!success) return [[name, REDACTED]];
    return [[name, typeof data === 'object' ? [...data] : data]];
  });
  return Object.fromEntries(facts);
};
