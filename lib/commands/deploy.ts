import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Settings } from '../settings.ts';
import { stackNames } from '../stack-names.ts';
import { askForMissing, type RememberedSettings } from './answers.ts';
import { type Arguments, CommandError, type GivenSettings } from './arguments.ts';
import type { AwsAccount } from './aws-account.ts';
import { withBootstrapCode } from './bootstrap-code.ts';
import { explain, needsBootstrap, type RunCdk, synthesize, type Target } from './cdk.ts';
import { checkRegion, executionsNotice } from './preconditions.ts';
import { confirm, type Terminal } from './terminal.ts';

export const deployUsage = `npm run deploy -- --stage dev|prod [options]

Deploys AlphaPulse to your AWS account. It asks for what it does not know yet and remembers the answers.

  --stage dev|prod    which deployment; both can be in one account
  -c NAME=VALUE       a setting, such as -c venues=binance,kraken (docs/deploy.md lists them)
  --profile NAME      the AWS profile to sign in with
  --region NAME       the AWS region
  --yes               goes on without asking`;

export interface Surroundings {
  readonly terminal: Terminal;
  readonly cdk: RunCdk;
  /** The account in this region. */
  readonly account: (region: string) => AwsAccount;
  readonly remembered: RememberedSettings;
  /** A folder for templates and outputs. */
  readonly folder: string;
}

/** @throws {CommandError} it did not work, with what to do about it */
export const deploy = async (
  { stage, settings: given, yes }: Pick<Arguments, 'stage' | 'settings' | 'yes'>,
  { terminal, cdk, account, remembered, folder }: Surroundings,
): Promise<void> => {
  if (!yes && !terminal.isInteractive) {
    throw new CommandError('Nobody is here to answer questions: pass --yes, and what is needed with -c NAME=VALUE.');
  }
  const known = { ...(await remembered.of(stage)), ...given };
  const answers = yes ? known : await askForMissing(terminal, stage, known);
  const { settings, code } = withBootstrapCode(answers);
  const assembly = join(folder, 'assembly');
  terminal.say('Bundling the functions and making the templates…');
  const target = await synthesize(cdk, assembly, stage, settings);
  await remembered.remember(stage, answers);
  checkRegion(stage, target, settings);
  const notice = await executionsNotice(account(target.region), stage, settings);
  if (notice !== undefined) terminal.say(notice);
  const place = `account ${target.account} in ${target.region}`;
  if (!yes && !(await confirm(terminal, `Deploy AlphaPulse ${stage} to ${place}?`))) {
    terminal.say('Nothing was deployed.');
    return;
  }
  terminal.say(`Deploying to ${place}; the first time takes about five minutes.`);
  const outputs = join(folder, 'outputs.json');
  await run(cdk, terminal, target, [
    ...['deploy', '--all', '--app', assembly, '--require-approval', 'never', '--progress', 'events'],
    ...['--outputs-file', outputs],
  ]);
  terminal.say(nextSteps(await urlsIn(outputs, stage), settings, code));
  // Only now: a code that was not shown is replaced by the next deployment.
  await remembered.remember(stage, settings);
};

/** Deploys, after a bootstrap where the account and region never saw the CDK. */
const run = async (cdk: RunCdk, terminal: Terminal, { account, region }: Target, args: readonly string[]) => {
  const first = await cdk(args);
  if (first.exitCode === 0) return;
  if (!needsBootstrap(first.output)) throw new CommandError(explain(first.output));
  terminal.say('This account and region were never used with the CDK; bootstrapping them, once.');
  const bootstrap = await cdk(['bootstrap', `aws://${account}/${region}`]);
  if (bootstrap.exitCode !== 0) throw new CommandError(explain(bootstrap.output));
  const second = await cdk(args);
  if (second.exitCode !== 0) throw new CommandError(explain(second.output));
};

const Urls = z.object({ HttpUrl: z.string(), WebSocketUrl: z.string() });

const urlsIn = async (file: string, stage: Settings['stage']): Promise<z.infer<typeof Urls>> => {
  const outputs: unknown = JSON.parse(await readFile(file, 'utf8'));
  return z
    .record(z.string(), z.unknown())
    .transform((stacks) => Urls.parse(stacks[stackNames(stage).stateless]))
    .parse(outputs);
};

const nextSteps = (
  { HttpUrl, WebSocketUrl }: z.infer<typeof Urls>,
  { mailFrom, operatorMail, domain, hostedZoneId }: GivenSettings,
  code: string | undefined,
): string =>
  [
    '',
    `  API      ${HttpUrl}`,
    `  Sockets  ${WebSocketUrl}`,
    '',
    ...(domain && !hostedZoneId
      ? ['First enter CNAME records for both names at your DNS; the outputs above say what they point to.']
      : []),
    ...(code === undefined
      ? [
          'If nobody registered yet: the first user is the admin and needs the bootstrap code that the first deployment',
          'showed. -c bootstrapCodeHash= makes a new one.',
        ]
      : [
          'Register yourself, because the first user is the admin. The bootstrap code is not shown again:',
          '',
          `  curl -s ${HttpUrl}/api/user/register -H 'content-type: application/json' \\`,
          `    -d '{"email":"you@example.com","password":"a long one of your own","bootstrapCode":"${code}"}'`,
        ]),
    '',
    ...(mailFrom
      ? [
          `Open the mail that SES sent to ${mailFrom}: alerts are mailed once it is confirmed. A new account also has`,
          'to leave the SES sandbox (SES console, "Request production access") to mail anybody else.',
        ]
      : []),
    ...(operatorMail ? [`Open the mail that SNS sent to ${operatorMail}: alarms come once it is confirmed.`] : []),
  ].join('\n');
