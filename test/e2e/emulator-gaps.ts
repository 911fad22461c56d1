/** What MiniStack leaves out of a deployment, put right by the calls that CloudFormation would have made. */
import { DynamoDBClient, ListTablesCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { until } from '../support/until.ts';
import type { Deployment } from './deployment.ts';

const Functions = z.object({
  Functions: z.array(
    z.object({
      FunctionName: z.string(),
      Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
    }),
  ),
});
const Api = z.object({ corsConfiguration: z.record(z.string(), z.unknown()) });
const FunctionState = z.object({ LastUpdateStatus: z.string().optional() });

/** Calls an API of the emulator, which checks no signature and only reads the service's name in it. */
const api =
  (service: string, address: string) =>
  async (url: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const credential = `Credential=test/20260101/us-east-1/${service}/aws4_request`;
    const answer = await fetch(`${url}/${address}/${path}`, {
      method,
      headers: { ...headers, authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answered = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${answered}`);
    return answered === '' ? undefined : JSON.parse(answered);
  };
const lambda = api('lambda', '2015-03-31/functions');
const gateway = api('apigateway', 'v2/apis');

/**
 * The functions know the socket gateway by a name below amazonaws.com, where the emulator is not, so that they are told
 * its address. The HTTP API's CORS configuration is stored under CloudFormation's names, which the emulator does not read
 * itself. The table's time to live is left out.
 */
export const closeGaps = async (url: string, { httpApiId, socketApiId, socketStage }: Deployment): Promise<void> => {
  const functions = Functions.parse(await lambda(url, 'GET', '')).Functions;
  for (const { FunctionName: name, Environment: environment } of functions) {
    const variables = environment?.Variables ?? {};
    if (variables.WEBSOCKET_ENDPOINT === undefined) continue;
    const endpoint = `${url}/_aws/execute-api/${socketApiId}/${socketStage}`;
    await lambda(url, 'PUT', `${name}/configuration`, {
      Environment: { Variables: { ...variables, WEBSOCKET_ENDPOINT: endpoint } },
    });
    await until(`the new settings of ${name}`, async () => {
      const { LastUpdateStatus: status } = FunctionState.parse(await lambda(url, 'GET', `${name}/configuration`));
      return status === undefined || status === 'Successful';
    });
  }
  const { corsConfiguration } = Api.parse(await gateway(url, 'GET', httpApiId));
  const spelled = Object.entries(corsConfiguration).map(([name, value]) => [name.replace(/^[A-Z]/, lowerCase), value]);
  await gateway(url, 'PATCH', httpApiId, { corsConfiguration: Object.fromEntries(spelled) });

  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const dynamo = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
  const { TableNames: tables = [] } = await dynamo.send(new ListTablesCommand({}));
  for (const TableName of tables) {
    const TimeToLiveSpecification = { AttributeName: 'expiresAt', Enabled: true };
    await dynamo.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  }
  dynamo.destroy();
};

const lowerCase = (letter: string): string => letter.toLowerCase();

/** Begins the first sync now instead of at the schedule's first minute. */
export const syncNow = async (url: string, venue: string): Promise<void> => {
  const { Functions: functions } = Functions.parse(await lambda(url, 'GET', ''));
  const sync = functions.find(({ Environment }) => Environment?.Variables.ALPHAPULSE_MARKET_SYNC_SECONDS !== undefined);
  if (sync === undefined) throw new Error('No function has the settings of the market sync');
  await lambda(url, 'POST', `${sync.FunctionName}/invocations`, { venue }, { 'x-amz-invocation-type': 'Event' });
};

/** Forgets everything that the emulator holds. */
export const reset = async (url: string): Promise<void> => {
  const { ok, status } = await fetch(`${url}/_ministack/reset`, { method: 'POST' });
  if (!ok) throw new Error(`The emulator at ${url} can't be emptied: ${status}`);
};
