import { parseArgs } from 'node:util';
import { SETTING_NAMES, type SettingName, type Settings } from '../settings.ts';

/** Something that the person at the keyboard can put right; its message says how. */
export class CommandError extends Error {}

export type GivenSettings = Readonly<Partial<Record<SettingName, string>>>;

/** What deploying and destroying have in common. */
export interface Arguments {
  readonly stage: Settings['stage'];
  readonly settings: GivenSettings;
  /** Goes on without asking. */
  readonly yes: boolean;
  /** Deletes what a deployment keeps otherwise. */
  readonly withData: boolean;
  /** For the tools of AWS, such as the profile to sign in with. */
  readonly env: Readonly<Record<string, string>>;
}

const stages: readonly Settings['stage'][] = ['dev', 'prod'];

const options = {
  stage: { type: 'string' },
  context: { type: 'string', short: 'c', multiple: true },
  profile: { type: 'string' },
  region: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
  'with-data': { type: 'boolean' },
} as const;

/**
 * Reads the arguments of `npm run deploy` and, with `canDeleteData`, of `npm run destroy`.
 * @throws {CommandError} an argument is missing, unknown or wrong
 */
export const readArguments = (
  args: readonly string[],
  { canDeleteData = false }: { readonly canDeleteData?: boolean } = {},
): Arguments | 'help' => {
  const { values } = parsed(args);
  if (values.help) return 'help';
  if (values['with-data'] && !canDeleteData) throw new CommandError('There is no option --with-data here.');
  const stage = stages.find((known) => known === values.stage);
  if (stage === undefined) {
    throw new CommandError(
      values.stage === undefined
        ? `Say which stage: --stage ${stages.join(' or --stage ')}.`
        : `There is no stage "${values.stage}"; there are ${stages.join(' and ')}.`,
    );
  }
  return {
    stage,
    settings: Object.fromEntries((values.context ?? []).map(settingOf)),
    yes: values.yes ?? false,
    withData: values['with-data'] ?? false,
    env: {
      ...(values.profile === undefined ? {} : { AWS_PROFILE: values.profile }),
      ...(values.region === undefined ? {} : { AWS_REGION: values.region, AWS_DEFAULT_REGION: values.region }),
    },
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  } catch (error) {
    throw new CommandError(complaintOf(error as Error & { readonly code?: string }));
  }
};

const complaintOf = ({ code, message }: Error & { readonly code?: string }): string => {
  const [, quoted = ''] = /'(.+?)[ ']/.exec(message) ?? [];
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `There is no option ${quoted}; --help lists those there are.`;
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return `"${quoted}" is not an option; --help lists them.`;
  const [name = quoted] = /--[\w-]+/.exec(message) ?? [];
  return message.includes('does not take an argument') ? `${name} takes no value.` : `${name} needs a value.`;
};

const settingOf = (text: string): [SettingName, string] => {
  const [given = '', ...rest] = text.split('=');
  if (given === 'stage') throw new CommandError('The stage is not a setting: use --stage.');
  const name = SETTING_NAMES.find((known) => known === given);
  if (name === undefined || name === 'data') {
    const known = SETTING_NAMES.filter((each) => each !== 'stage' && each !== 'data');
    throw new CommandError(`There is no setting "${given}"; there are ${known.join(', ')}.`);
  }
  if (rest.length === 0) throw new CommandError(`-c ${name} needs a value: -c ${name}=…`);
  return [name, rest.join('=')];
};
