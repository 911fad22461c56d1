import type * as z from 'zod';
import { everySetting, type SomeSettings } from '#shared/platform/config/config';
import { fromText } from '#shared/platform/config/setting';

/** A mistake in a command or its environment. The message is one sentence for the person who made it. */
export class BadOption extends Error {
  override readonly name = 'BadOption';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The flag or variable that gives a value, and its text; undefined where neither is set. */
export type GivenText = readonly [source: string, text: string | undefined];

/** The text of a flag or, without the flag, of its variable; an empty variable counts as missing. */
export const givenText = (
  variable: string,
  environment: Environment,
  flag: string | undefined,
  flags: ReadonlyMap<string, string>,
): GivenText =>
  flag !== undefined && flags.has(flag)
    ? [`--${flag}`, flags.get(flag)]
    : [variable, environment[variable] || undefined];

/**
 * @param expected what the value must be, as the refusal says
 * @param showing `secret`: the refusal does not repeat the value
 * @throws {BadOption}
 */
export const readText = <T>(
  schema: z.ZodType<T>,
  [source, text]: GivenText,
  expected: string,
  showing?: 'secret',
): T | undefined => {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new BadOption(`${source} must be ${expected}${showing === undefined ? `, not ${JSON.stringify(text)}` : ''}.`);
};

/** The settings that flags and the environment give; those left out are missing. @throws {BadOption} */
export const readSettings = (environment: Environment, flags: ReadonlyMap<string, string>): SomeSettings => {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { section, name, setting } of everySetting()) {
    const { flag, expected } = setting.oneMachine ?? {};
    if (expected === undefined) continue;
    const given = givenText(setting.variable ?? '', environment, flag, flags);
    const value = readText(fromText(setting), given, expected);
    if (value !== undefined) sections[section] = { ...sections[section], [name]: value };
  }
  return sections as SomeSettings;
};
