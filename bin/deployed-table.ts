import { stackClient, tableNameIn } from '#shared/platform/aws/deployed-stack';
import { DynamoTable, dynamoClient } from '#shared/platform/aws/dynamo-table';
import { systemClock as clock, systemRandom as random, uuidV7Ids } from '#shared/platform/system';
import type { Table } from '#shared/platform/table';

/**
 * The table of a deployment, with the operator's own credentials.
 * @param stack the one that keeps what outlives a deployment
 * @param client options of the AWS clients; without them they read the environment
 * @throws {NotFound} there is no such stack
 */
export const deployedTable = async (
  stack: string,
  client: Parameters<typeof dynamoClient>[0] & Parameters<typeof stackClient>[0] = {},
): Promise<Table> => {
  const tableName = await tableNameIn(stackClient(client), stack);
  return new DynamoTable({ client: dynamoClient(client), tableName, clock, random, ids: uuidV7Ids(clock, random) });
};
