import { type DeadLetterOrigin, deadLetterOrigins } from '#functions/dead-letters';
import { PLACE_FLAGS, type Place, placeOf, placeUsage, readFlags } from './command-options.ts';
import { BadOption } from './given-settings.ts';
import { nearest } from './nearest.ts';

export const redriveUsage = `Usage: npm run redrive -- --queue NAME [options]

Sends dead letters back: messages to their queue, changes of the table to the function that failed at them.
What succeeds leaves the dead letters; what fails again stays and is reported.

  --queue NAME           ${deadLetterOrigins.map(({ deadLetters }) => deadLetters).join(', ')}
  ${placeUsage.data}
  ${placeUsage.stage}
  --max N                most dead letters to send back
  ${placeUsage.profile}
  ${placeUsage.region}
  --help                 this text
`;

const FLAGS = ['queue', ...PLACE_FLAGS, 'max'] as const;

/** What to send back, and where. */
export interface RedriveOptions {
  readonly origin: DeadLetterOrigin;
  /** Infinity by default. */
  readonly max: number;
  readonly place: Place;
}

/**
 * Reads the redrive command and the environment.
 * @throws {BadOption}
 */
export const readRedriveOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): RedriveOptions | 'help' => {
  const flags = readFlags(args, FLAGS);
  if (flags.has('help')) return 'help';
  return { origin: originOf(flags.get('queue')), max: maxOf(flags.get('max')), place: placeOf(flags, environment) };
};

const originOf = (name: string | undefined): DeadLetterOrigin => {
  const names = deadLetterOrigins.map(({ deadLetters }) => deadLetters);
  if (name === undefined) throw new BadOption(`--queue is needed: ${names.join(', ')}.`);
  const origin = deadLetterOrigins.find(({ deadLetters }) => deadLetters === name);
  if (origin !== undefined) return origin;
  const near = nearest(name, names);
  const hint = near === undefined ? `; there are ${names.join(', ')}` : `, perhaps ${near}`;
  throw new BadOption(`There are no dead letters ${JSON.stringify(name)}${hint}.`);
};

const maxOf = (text: string | undefined): number => {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new BadOption(`--max must be a whole number from 1, not ${JSON.stringify(text)}.`);
};
