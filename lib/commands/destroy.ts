import { join } from 'node:path';
import { functions } from '../../functions/manifest.ts';
import { stackNames } from '../stack-names.ts';
import { type Arguments, CommandError, type GivenSettings } from './arguments.ts';
import type { AwsAccount } from './aws-account.ts';
import { explain, type RunCdk, synthesize } from './cdk.ts';
import type { Surroundings } from './deploy.ts';
import { confirm } from './terminal.ts';

export const destroyUsage = `npm run destroy -- --stage dev|prod [options]

Removes AlphaPulse from your AWS account. The table and the secrets stay, so that a later deployment goes on with them.

  --stage dev|prod    which deployment
  --with-data         deletes the table and the secrets too; asks for the stage's name
  --profile NAME      the AWS profile to sign in with
  --region NAME       the AWS region
  --yes               goes on without asking, unless data is to be deleted`;

/** Settings that production requires, unused when it is removed. */
const placeholders: GivenSettings = { mailFrom: 'nobody@example.com', allowedOrigins: 'https://example.com' };

/** @throws {CommandError} it did not work, with what to do about it */
export const destroy = async (
  { stage, settings, yes, withData }: Pick<Arguments, 'stage' | 'settings' | 'yes' | 'withData'>,
  { terminal, cdk, account: accountIn, remembered, folder }: Surroundings,
): Promise<void> => {
  if (!terminal.isInteractive && (withData || !yes)) {
    throw new CommandError(
      withData
        ? 'Data is deleted only by somebody who types the name of the stage.'
        : 'Nobody is here to agree: pass --yes.',
    );
  }
  const assembly = join(folder, 'assembly');
  const { state, stateless } = stackNames(stage);
  const { account, region } = await synthesize(cdk, assembly, stage, {
    ...placeholders,
    ...(await remembered.of(stage)),
    ...settings,
    ...(withData ? { data: 'delete' } : {}),
  });
  const what = `AlphaPulse ${stage} from account ${account} in ${region}`;
  if (withData) {
    terminal.say(`This removes ${what}, with every user, alert and secret. They can not be brought back.`);
    if ((await terminal.ask(`Type ${stage} to go on: `)).trim() !== stage) return terminal.say('Nothing was removed.');
  } else if (!yes && !(await confirm(terminal, `Remove ${what}? Its table and secrets stay.`))) {
    return terminal.say('Nothing was removed.');
  }

  await run(cdk, ['destroy', stateless, '--app', assembly, '--force']);
  if (!withData) return terminal.say('Removed. The table and the secrets are kept; deploy again to go on with them.');
  // A stack lets go of its data only after a deployment that says so.
  await run(cdk, ['deploy', state, '--app', assembly, '--exclusively', '--require-approval', 'never']);
  await run(cdk, ['destroy', state, '--app', assembly, '--force']);
  await deleteFamilies(accountIn(region), state);
  terminal.say('Removed, with the data.');
};

/** Functions made these secrets, so no stack knows of them: the keys of users' exchange accounts are in them. */
const deleteFamilies = async (account: AwsAccount, prefix: string): Promise<void> => {
  const families = new Set(functions.flatMap(({ grants }) => Object.keys(grants.secretFamilies ?? {})));
  for (const family of families) {
    const secrets = `${prefix}/${family}/`;
    try {
      await account.deleteSecrets(secrets);
    } catch (error) {
      throw new CommandError(
        `The stacks are removed, but secrets that begin with ${secrets} may be left (${nameOf(error)}); they hold users' exchange keys. Delete them in Secrets Manager.`,
      );
    }
  }
};

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

const run = async (cdk: RunCdk, args: readonly string[]): Promise<void> => {
  const { exitCode, output } = await cdk(args);
  if (exitCode !== 0) throw new CommandError(explain(output));
};
