import * as z from 'zod';

/** Where the one-machine server reads a setting. */
export interface OneMachine<S extends z.ZodType> {
  /** What the value is there where nothing sets it; the schema's default without it. */
  readonly default?: z.output<S>;
  /** The flag of the start command, which wins over the variable. */
  readonly flag?: string;
  /** What the value must be, as the refusal of another one says; a setting without it can't be set there. */
  readonly expected?: string;
}

/** Where an installation sets a value, and how it is written there. */
export interface Sources<S extends z.ZodType> {
  /** The environment variable; without one, the value can't be set in a deployment. */
  readonly variable?: string;
  /** Decodes the text of a variable or flag for the schema; plain text by default. */
  readonly text?: z.ZodType<unknown, string>;
  readonly oneMachine?: OneMachine<S>;
}

/** One value of the configuration: its schema, which has the limits and the default, and where it is set. */
export interface Setting<S extends z.ZodType = z.ZodType> extends Sources<S> {
  readonly schema: S;
}

/** The settings of one capability. */
export type Section = Readonly<Record<string, Setting>>;

/** @param schema accepts undefined where the value may be left out */
export const setting = <S extends z.ZodType>(schema: S, sources: Sources<S> = {}): Setting<S> => ({
  schema,
  ...sources,
});

/** A decimal number, without exponent or sign. */
export const numberText = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'must be a number')
  .transform(Number);

/** Values separated by commas; repeated ones count once. */
export const listText = z.string().transform((text) => [...new Set(text.split(',').map((part) => part.trim()))]);

export const jsonText = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue('must be JSON');
    return z.NEVER;
  }
});

/** Reads a setting from its text. */
export const fromText = <S extends z.ZodType>({ schema, text = z.string() }: Setting<S>) =>
  text.pipe(schema as z.ZodType<z.output<S>, unknown>);

/** The value of a setting that nothing sets. @throws {z.ZodError} it must be set */
export const defaultOf = <S extends z.ZodType>({ schema }: Setting<S>): z.output<S> => schema.parse(undefined);
