import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readSettings, type Settings, SettingsError } from '../settings.ts';
import { stackNames } from '../stack-names.ts';
import { CommandError, type GivenSettings } from './arguments.ts';

/** Runs the CDK's command and, unless it is to be quiet, shows what it prints; `output` is all of it. */
export type RunCdk = (
  args: readonly string[],
  options?: { readonly quiet?: boolean },
) => Promise<{ readonly exitCode: number; readonly output: string }>;

/** Where a deployment goes. */
export interface Target {
  readonly account: string;
  readonly region: string;
}

const Manifest = z.object({ artifacts: z.record(z.string(), z.looseObject({ environment: z.string().optional() })) });

/**
 * Makes the templates, with the account and region that the credentials lead to.
 * @param folder gets the templates; it can be handed to the CDK's command as its app
 * @throws {CommandError} the settings are wrong, or there are no credentials that work
 */
export const synthesize = async (
  cdk: RunCdk,
  folder: string,
  stage: Settings['stage'],
  settings: GivenSettings,
): Promise<Target> => {
  const context = Object.entries(settings).filter(([, value]) => value !== '');
  checkSettings(stage, settings);
  const args = [
    'synth',
    '--quiet',
    '--output',
    folder,
    ...[['stage', stage], ...context].flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const { exitCode, output } = await cdk(args, { quiet: true });
  if (exitCode !== 0) throw new CommandError(`The templates could not be made:\n\n${output}`);
  const { artifacts } = Manifest.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const environment = artifacts[stackNames(stage).stateless]?.environment ?? '';
  const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment) ?? [];
  if (account === undefined || region === undefined || account === 'unknown-account') {
    throw new CommandError(isExpired(output) ? expired : noCredentials);
  }
  return { account, region };
};

const checkSettings = (stage: Settings['stage'], given: GivenSettings): void => {
  try {
    readSettings((name) => (name === 'stage' ? stage : given[name]));
  } catch (error) {
    throw error instanceof SettingsError ? new CommandError(error.message) : error;
  }
};

export const needsBootstrap = (output: string): boolean => /has the environment been bootstrapped/i.test(output);

const noCredentials =
  'No AWS credentials were found. Sign in with "aws sso login" or "aws configure" and name the profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.';
const expired = 'The AWS credentials have expired. Sign in again, for example with "aws sso login".';

const isExpired = (output: string): boolean =>
  /ExpiredToken|token (included in the request )?(is|has) expired|session has expired/i.test(output);

const explanations: readonly (readonly [RegExp, string])[] = [
  [
    /AccessDenied|not authorized to perform|could not assume role/i,
    'The credentials may not do that. Sign in as somebody who may deploy, or ask an administrator of the account.',
  ],
  [
    /secret.*already exists|already exists.*secret/i,
    'Secrets of an earlier deployment were kept. Take them over with "cdk import", or delete them in Secrets Manager: new ones end every session and change every webhook signature.',
  ],
  [
    /ROLLBACK_COMPLETE|UPDATE_ROLLBACK_FAILED|ROLLBACK_FAILED/,
    'CloudFormation took the changes back. The first resource that failed, above, says why; mend that and run the command again.',
  ],
];

/** What a person can do about a run of the CDK's command that failed. */
export const explain = (output: string): string => {
  if (isExpired(output)) return expired;
  return explanations.find(([pattern]) => pattern.test(output))?.[1] ?? 'It failed; see the output above.';
};
