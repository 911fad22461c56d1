import type { DeadLetterOrigin } from '#functions/dead-letters';
import { type Redriven, redrive } from '#shared/operations/redrive';
import { queueUrlsIn } from '#shared/platform/aws/deployed-queues';
import { stackClient } from '#shared/platform/aws/deployed-stack';
import { SqsQueue, sqsClient } from '#shared/platform/aws/sqs-queue';
import { lambdaClient, StreamDeadLetters, streamsClient } from '#shared/platform/aws/stream-dead-letters';
import { systemClock as clock, systemRandom as random } from '#shared/platform/system';

export interface RedriveOnAwsOptions {
  /** The stack that holds the queues. */
  readonly stack: string;
  /** Most dead letters to handle. */
  readonly max: number;
  /** Options of the AWS clients; without them they read the environment. */
  readonly client?: Parameters<typeof sqsClient>[0] & Parameters<typeof stackClient>[0];
}

/**
 * Sends the dead letters of a deployment back: messages to their queue, and changes, for as long as the stream has them,
 * to the function that had failed at them.
 * @throws {NotFound} there is no such stack
 */
export const redriveOnAws = async (
  origin: Exclude<DeadLetterOrigin, { type: 'schedule' }>,
  { stack, max, client = {} }: RedriveOnAwsOptions,
): Promise<Redriven> => {
  const queues = origin.type === 'queue' ? [origin.deadLetters, origin.queue] : [origin.deadLetters];
  const urls = await queueUrlsIn(stackClient(client), stack, queues);
  const sqs = sqsClient(client);
  const [deadLetters, queue] = urls.map((url) => new SqsQueue({ client: sqs, url, clock, random }));
  if (deadLetters === undefined) throw new RangeError('A redrive needs a queue');
  if (origin.type === 'queue') return redrive(deadLetters, async (body) => queue?.send([{ body }]), { max, clock });
  const changes = new StreamDeadLetters({ streams: streamsClient(client), lambda: lambdaClient(client) }, origin.kinds);
  return redrive(deadLetters, (body) => changes.handle(body), { max, clock });
};
