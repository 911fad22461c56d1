import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteSecretCommand, paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_OPTIONS } from '#shared/platform/aws/client-options';

/** What the commands ask of the account itself, apart from the CDK's command. */
export interface AwsAccount {
  /** How many functions the account may run at once in this region. */
  concurrentExecutions(): Promise<number>;
  /**
   * Deletes every secret whose name begins so, for good; those that await their deletion as well.
   * @returns how many there were
   */
  deleteSecrets(prefix: string): Promise<number>;
}

interface Clients {
  readonly lambda: LambdaClient;
  readonly secrets: SecretsManagerClient;
}

/** The account that the credentials lead to, in one region. */
export class SignedInAccount implements AwsAccount {
  readonly #clients: Clients;

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  async concurrentExecutions(): Promise<number> {
    const { AccountLimit } = await this.#clients.lambda.send(new GetAccountSettingsCommand({}));
    if (AccountLimit?.ConcurrentExecutions === undefined)
      throw new Error('Lambda did not say how many may run at once');
    return AccountLimit.ConcurrentExecutions;
  }

  async deleteSecrets(prefix: string): Promise<number> {
    const { secrets: client } = this.#clients;
    const names: string[] = [];
    const listing = { Filters: [{ Key: 'name' as const, Values: [prefix] }], IncludePlannedDeletion: true };
    for await (const { SecretList = [] } of paginateListSecrets({ client }, listing)) {
      names.push(...SecretList.flatMap(({ Name = '' }) => (Name.startsWith(prefix) ? [Name] : [])));
    }
    for (const SecretId of names) {
      await client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    }
    return names.length;
  }
}

/** @param profile of the AWS configuration; the default credentials without it */
export const signedInAccount = (region: string, profile?: string): AwsAccount => {
  const options = { ...CLIENT_OPTIONS, region, ...(profile === undefined ? {} : { profile }) };
  return new SignedInAccount({ lambda: new LambdaClient(options), secrets: new SecretsManagerClient(options) });
};
