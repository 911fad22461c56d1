import { parseArgs } from 'node:util';
import { type Origin, origins } from '#functions/dead-letters';
import { nearest } from './nearest.ts';
import { BadOption } from './options.ts';

export const redriveUsage = `Usage: npm run redrive -- --queue NAME [options]

Sends dead letters back: messages to their queue, changes of the table to the function that failed at them.
What succeeds leaves the dead letters, what fails again stays and is told.

  --queue NAME           ${origins.map(({ deadLetters }) => deadLetters).join(', ')}
  --data .alphapulse     folder of the store on this machine, whose server must not run
  --stage dev|prod       a deployment on AWS instead
  --max N                most dead letters to send back
  --profile NAME         the AWS profile to sign in with
  --region NAME          the AWS region
  --help                 this text
`;

const STAGES = ['dev', 'prod'] as const;
const FLAGS = ['queue', 'data', 'stage', 'max', 'profile', 'region', 'help'] as const;
type Flag = (typeof FLAGS)[number];

/** What to send back, and where. */
export interface RedriveOptions {
  readonly origin: Origin;
  /** Infinity where nothing was said. */
  readonly max: number;
  readonly place:
    | { readonly type: 'here'; readonly dataFolder: string }
    | { readonly type: 'aws'; readonly stage: (typeof STAGES)[number]; readonly env: Readonly<Record<string, string>> };
}

/**
 * Reads the redrive command and the environment.
 * @throws {BadOption}
 */
export const readRedriveOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): RedriveOptions | 'help' => {
  const flags = readFlags(args);
  if (flags.has('help')) return 'help';
  return { origin: originOf(flags.get('queue')), max: maxOf(flags.get('max')), place: placeOf(flags, environment) };
};

const originOf = (name: string | undefined): Origin => {
  const names = origins.map(({ deadLetters }) => deadLetters);
  if (name === undefined) throw new BadOption(`--queue is needed: ${names.join(', ')}.`);
  const origin = origins.find(({ deadLetters }) => deadLetters === name);
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

const placeOf = (
  flags: ReadonlyMap<Flag, string>,
  environment: Readonly<Record<string, string | undefined>>,
): RedriveOptions['place'] => {
  const given = flags.get('stage');
  if (given === undefined) {
    const awsFlag = (['profile', 'region'] as const).find((flag) => flags.has(flag));
    if (awsFlag !== undefined) throw new BadOption(`--${awsFlag} needs --stage.`);
    return { type: 'here', dataFolder: flags.get('data') ?? (environment.ALPHAPULSE_DATA || '.alphapulse') };
  }
  if (flags.has('data')) throw new BadOption('--stage is a deployment on AWS and --data a folder: give one of them.');
  const stage = STAGES.find((known) => known === given);
  if (stage === undefined) throw new BadOption(`--stage must be ${STAGES.join(' or ')}, not ${JSON.stringify(given)}.`);
  const [profile, region] = [flags.get('profile'), flags.get('region')];
  return {
    type: 'aws',
    stage,
    env: {
      ...(profile === undefined ? {} : { AWS_PROFILE: profile }),
      ...(region === undefined ? {} : { AWS_REGION: region }),
    },
  };
};

const readFlags = (args: readonly string[]): ReadonlyMap<Flag, string> => {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(FLAGS.map((flag) => [flag, { type: flag === 'help' ? 'boolean' : 'string' }] as const)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<Flag, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new BadOption(`${JSON.stringify(token.value)} belongs to no flag; see --help.`);
    }
    if (token.kind === 'option-terminator') continue;
    const flag = FLAGS.find((known) => known === token.name);
    if (flag === undefined) throw new BadOption(`There is no flag ${token.rawName}; see --help.`);
    const isMissing = !token.value || (!token.inlineValue && token.value.startsWith('--'));
    if (flag !== 'help' && isMissing) throw new BadOption(`--${flag} needs a value; see --help.`);
    flags.set(flag, token.value ?? '');
  }
  return flags;
};
