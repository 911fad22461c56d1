import * as z from 'zod';

/** Replaces a fact that does not match its schema. */
export const REDACTED = '[redacted]';

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Facts of an entry as stored and shown: flat, so that nothing can hide in them. */
export const StoredFacts = z.record(z.string(), z.union([Scalar, z.array(z.string())]));
export type StoredFacts = z.infer<typeof StoredFacts>;

/** The schemas of an event's facts by name. */
export type FactShape = { readonly [name: string]: z.ZodType<string | number | boolean | readonly string[]> };

/** Facts as given by a caller: it may pass a whole domain object, of which only the declared facts are recorded. */
export type Facts<Shape extends FactShape> = {
  readonly [name in keyof Shape]?: z.input<Shape[name]> | null | undefined;
};

/**
 * Picks the facts that the shape declares. Each schema accepts ids, choices, numbers and the like, never free text, so
 * that a secret in the wrong place becomes {@link REDACTED}.
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
