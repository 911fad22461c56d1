import { parseArgs } from 'node:util';
import { BadOption } from './given-settings.ts';

const STAGES = ['dev', 'prod'] as const;

/** Which store a command is about: that of a folder of this machine, or of a deployment on AWS. */
export type Place =
  | { readonly type: 'here'; readonly dataFolder: string }
  | { readonly type: 'aws'; readonly stage: (typeof STAGES)[number]; readonly env: Readonly<Record<string, string>> };

/** The flags that name a place. */
export const PLACE_FLAGS = ['data', 'stage', 'profile', 'region'] as const;

/** How a command's usage explains the flags of its place. */
export const placeUsage = {
  data: '--data .alphapulse     folder of the store on this machine, whose server must not run',
  stage: '--stage dev|prod       a deployment on AWS instead',
  profile: '--profile NAME         the AWS profile to sign in with',
  region: '--region NAME          the AWS region',
} as const;

/** @throws {BadOption} */
export const placeOf = (
  flags: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): Place => {
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

/**
 * The flags of a command with their values; `help` has none.
 * @throws {BadOption} a flag is unknown or its value is missing
 */
export const readFlags = <Flag extends string>(
  args: readonly string[],
  known: readonly Flag[],
): ReadonlyMap<Flag | 'help', string> => {
  const all: readonly (Flag | 'help')[] = [...known, 'help'];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(all.map((flag) => [flag, { type: flag === 'help' ? 'boolean' : 'string' }] as const)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<Flag | 'help', string>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new BadOption(`Unexpected argument ${JSON.stringify(token.value)}; see --help.`);
    }
    if (token.kind === 'option-terminator') continue;
    const flag = all.find((name) => name === token.name);
    if (flag === undefined) throw new BadOption(`There is no flag ${token.rawName}; see --help.`);
    const isMissing = !token.value || (!token.inlineValue && token.value.startsWith('--'));
    if (flag !== 'help' && isMissing) throw new BadOption(`--${flag} needs a value; see --help.`);
    flags.set(flag, token.value ?? '');
  }
  return flags;
};
