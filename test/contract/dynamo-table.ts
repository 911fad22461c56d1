import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoTable, dynamoClient } from '#shared/platform/aws/dynamo-table';
import { systemClock as clock, systemRandom as random, uuidV7Ids } from '#shared/platform/system';
import type { OpenTable } from './table.contract.ts';

const keySchema = (prefix: string) => [
  { AttributeName: `${prefix}pk`, KeyType: 'HASH' as const },
  { AttributeName: `${prefix}sk`, KeyType: 'RANGE' as const },
];
const indexes = ['gsi1', 'gsi2'];

/** A new table at this endpoint, with the keys and indexes of the deployed one. */
export const openDynamoTable = async (endpoint: string): Promise<OpenTable> => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = dynamoClient({ endpoint, region: 'us-east-1', credentials });
  const TableName = `contract-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['', ...indexes]
        .flatMap(keySchema)
        .map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keySchema(''),
      GlobalSecondaryIndexes: indexes.map((IndexName) => ({
        IndexName,
        KeySchema: keySchema(IndexName),
        Projection: { ProjectionType: 'ALL' },
      })),
    }),
  );
  return {
    table: new DynamoTable({ client, tableName: TableName, clock, random, ids: uuidV7Ids(clock, random) }),
    close: async () => void (await client.send(new DeleteTableCommand({ TableName }))),
  };
};
