import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { inject } from 'vitest';
import { SecretsManagerSecrets, secretsManagerClient } from '#shared/platform/aws/secrets-manager';
import { SqsQueue, sqsClient } from '#shared/platform/aws/sqs-queue';
import { systemClock as clock, systemRandom as random } from '#shared/platform/system';
import { openDynamoTable } from './dynamo-table.ts';
import { queueContract } from './queue.contract.ts';
import { secretsContract } from './secrets.contract.ts';
import { tableContract } from './table.contract.ts';

const options = {
  endpoint: inject('awsEndpoint'),
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};

tableContract('DynamoDB', () => openDynamoTable(options.endpoint));

const newQueue = async (client: SQSClient, attributes: Record<string, string> = {}) => {
  const create = new CreateQueueCommand({ QueueName: `contract-${randomUUID()}`, Attributes: attributes });
  const { QueueUrl: url } = await client.send(create);
  if (url === undefined) throw new Error('The queue has no address');
  return { url, queue: new SqsQueue({ client, url, clock, random }) };
};

queueContract('SQS', async () => {
  const client = sqsClient(options);
  const maxReceives = 3;
  const deadLetters = await newQueue(client);
  const arn = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters.url, AttributeNames: ['QueueArn'] }),
  );
  const { url, queue } = await newQueue(client, {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn.Attributes?.QueueArn, maxReceiveCount: maxReceives }),
  });
  return {
    queue,
    deadLetters: deadLetters.queue,
    maxReceives,
    advance: (ms) => pause(ms),
    close: async () => {
      for (const QueueUrl of [url, deadLetters.url]) await client.send(new DeleteQueueCommand({ QueueUrl }));
    },
  };
});

secretsContract('Secrets Manager', async () => ({
  secrets: new SecretsManagerSecrets({
    client: secretsManagerClient(options),
    prefix: `contract-${randomUUID()}`,
    clock,
  }),
  close: async () => undefined,
}));
