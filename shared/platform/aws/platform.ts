import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { createNetwork } from '../network.ts';
import type { Platform, Queue } from '../ports.ts';
import { redacted } from '../redaction.ts';
import { systemClock as clock, systemRandom as random, uuidV7Ids } from '../system.ts';
import { type Environment, RESOURCE_VARIABLES, readConfig, required } from './config.ts';

const serviceName = 'alphapulse';

/**
 * The platform of a function on Lambda. The bundler puts a constant in place of each `process.env.ALPHAPULSE_USES_…`, from
 * the function's manifest entry, so that the ports a function is not granted are neither bundled nor loaded. That works
 * as long as an import directly follows its constant, and an adapter brings its client along: a package imported by
 * itself at run time would be bundled whole.
 */
export const awsPlatform = async (environment: Environment): Promise<Platform> => {
  const config = readConfig(environment);
  const ids = uuidV7Ids(clock, random);
  const ungranted = <T extends object>(port: string): T =>
    refusing<T>(port, String(environment.AWS_LAMBDA_FUNCTION_NAME));
  const [table, queue, secrets, mailer, push] = await Promise.all([
    process.env.ALPHAPULSE_USES_TABLE === 'true'
      ? import('./dynamo-table.ts').then((adapter) => tableOf(adapter, environment, ids))
      : ungranted<Platform['table']>('table'),
    process.env.ALPHAPULSE_USES_QUEUES === 'true'
      ? import('./sqs-queue.ts').then((adapter) => queuesOf(adapter, environment))
      : () => ungranted<Queue>('queues'),
    process.env.ALPHAPULSE_USES_SECRETS === 'true'
      ? import('./secrets-manager.ts').then((adapter) => secretsOf(adapter, environment))
      : ungranted<Platform['secrets']>('secrets'),
    process.env.ALPHAPULSE_USES_MAIL === 'true'
      ? import('./ses-mailer.ts').then((adapter) => mailerOf(adapter, environment, config.mail.from))
      : ungranted<Platform['mailer']>('mail'),
    process.env.ALPHAPULSE_USES_PUSH === 'true'
      ? import('./api-gateway-push.ts').then((adapter) => pushOf(adapter, environment))
      : ungranted<Platform['push']>('push'),
  ]);
  return {
    config,
    clock,
    random,
    ids,
    logger: new Logger({ serviceName, jsonReplacerFn: redacted }),
    // Its namespace is in the environment, which has the stage.
    metrics: new Metrics({ serviceName }),
    network: createNetwork({ publicOnly: !config.notifications.privateWebhooks }),
    table,
    secrets,
    mailer,
    push,
    queue,
  };
};

const tableOf = (
  { DynamoTable, dynamoClient }: typeof import('./dynamo-table.ts'),
  environment: Environment,
  ids: Platform['ids'],
): Platform['table'] => {
  const tableName = required(environment, RESOURCE_VARIABLES.table);
  return new DynamoTable({ client: dynamoClient(), tableName, clock, random, ids });
};

const queuesOf = (
  { SqsQueue, sqsClient }: typeof import('./sqs-queue.ts'),
  environment: Environment,
): Platform['queue'] => {
  const client = sqsClient();
  return (name) =>
    new SqsQueue({ client, url: required(environment, RESOURCE_VARIABLES.queueUrl(name)), clock, random });
};

const secretsOf = (
  { SecretsManagerSecrets, secretsManagerClient }: typeof import('./secrets-manager.ts'),
  environment: Environment,
): Platform['secrets'] => {
  const prefix = required(environment, RESOURCE_VARIABLES.secretsPrefix);
  return new SecretsManagerSecrets({ client: secretsManagerClient(), prefix, clock });
};

const mailerOf = (
  { SesMailer, sesClient }: typeof import('./ses-mailer.ts'),
  environment: Environment,
  from: string,
): Platform['mailer'] => {
  const configurationSet = environment[RESOURCE_VARIABLES.mailConfigurationSet] || undefined;
  return new SesMailer({ client: sesClient(), from, configurationSet });
};

const pushOf = (
  { ApiGatewayPush, socketsClient }: typeof import('./api-gateway-push.ts'),
  environment: Environment,
): Platform['push'] => {
  const endpoint = required(environment, RESOURCE_VARIABLES.webSocketEndpoint);
  return new ApiGatewayPush(socketsClient({ endpoint }));
};

/** Replaces a port that the function may not use: every call on it throws. */
const refusing = <T extends object>(port: string, functionName: string): T =>
  new Proxy({} as T, {
    // Without a `then`: a promise that resolves to it must not take it for another promise.
    get: (_, method) => {
      if (method === 'then') return undefined;
      return () => {
        throw new Error(`functions/manifest.ts does not grant ${port} to this function (${functionName})`);
      };
    },
  });
