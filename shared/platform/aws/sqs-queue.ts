import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { InvalidInput, Unavailable } from '../errors.ts';
import {
  type Clock,
  MESSAGE_BYTES_MAX,
  type Message,
  type Queue,
  type QueueDepth,
  type Random,
  type ReceivedMessage,
} from '../ports.ts';
import { drained } from './backoff.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf } from './failures.ts';

const batchMessagesMax = 10;

type Entry = SendMessageBatchRequestEntry & { readonly Id: string; readonly MessageBody: string };

export const sqsClient = (own: SQSClientConfig = {}) => new SQSClient({ ...CLIENT_OPTIONS, ...own });

/** A queue on SQS. */
export class SqsQueue implements Queue {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: {
    readonly client: SQSClient;
    readonly url: string;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#client = options.client;
    this.#url = options.url;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  async send(messages: readonly Message[]): Promise<void> {
    for (const batch of batchesOf(messages)) {
      const sent = await drained(this.#clock, this.#random, batch, (entries) => this.#send(entries));
      if (!sent) throw new Unavailable('The queue does not take messages');
    }
  }

  async receive(max: number, visibilitySeconds: number): Promise<ReceivedMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: max,
      VisibilityTimeout: visibilitySeconds,
      WaitTimeSeconds: 0,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    });
    const { Messages: messages = [] } = await this.#client.send(command).catch(refuse);
    return messages.map(
      ({ MessageId: id = '', Body: body = '', ReceiptHandle: receipt = '', Attributes: attributes }) => ({
        id,
        body,
        receipt,
        receiveCount: Number(attributes?.ApproximateReceiveCount),
        sentAt: Number(attributes?.SentTimestamp),
      }),
    );
  }

  async remove(receipt: string): Promise<void> {
    const command = new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle: receipt });
    await this.#client.send(command).catch(unlessReceiptEnded);
  }

  async release(receipt: string, seconds: number): Promise<void> {
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: this.#url,
      ReceiptHandle: receipt,
      VisibilityTimeout: seconds,
    });
    await this.#client.send(command).catch(unlessReceiptEnded);
  }

  async depth(): Promise<QueueDepth> {
    const command = new GetQueueAttributesCommand({
      QueueUrl: this.#url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    });
    const { Attributes: numbers = {} } = await this.#client.send(command).catch(refuse);
    return {
      waiting: Number(numbers.ApproximateNumberOfMessages ?? 0),
      delayed: Number(numbers.ApproximateNumberOfMessagesDelayed ?? 0),
      inFlight: Number(numbers.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  }

  /** @returns the entries that SQS could not take at the moment */
  async #send(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const command = new SendMessageBatchCommand({ QueueUrl: this.#url, Entries: [...entries] });
    const { Failed: failed = [] } = await this.#client.send(command).catch(refuse);
    const ours = failed.find(({ SenderFault: senderFault }) => senderFault);
    if (ours !== undefined) throw new InvalidInput('body', `The queue refuses the message (${ours.Code})`);
    const left = new Set(failed.map(({ Id: id }) => id));
    return entries.filter(({ Id: id }) => left.has(id));
  }
}

/** Messages as SQS takes them: at most ten at once, and together no larger than one may be. */
const batchesOf = (messages: readonly Message[]): Entry[][] => {
  const batches: Entry[][] = [];
  let batch: Entry[] = [];
  let batchBytes = 0;
  for (const [position, { body, delaySeconds }] of messages.entries()) {
    const bytes = Buffer.byteLength(body);
    if (bytes > MESSAGE_BYTES_MAX) throw new InvalidInput('body', 'The message is too large');
    if (batch.length === 0 || batch.length === batchMessagesMax || batchBytes + bytes > MESSAGE_BYTES_MAX) {
      batch = [];
      batchBytes = 0;
      batches.push(batch);
    }
    batch.push({
      Id: String(position),
      MessageBody: body,
      ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
    });
    batchBytes += bytes;
  }
  return batches;
};

const refuse = (error: unknown): never => {
  throw failureOf('The queue', error);
};

/** A receipt is invalid once its message was removed or received again: then there is nothing to do. */
const unlessReceiptEnded = (error: unknown): void => {
  const name = nameOf(error);
  if (name === 'ReceiptHandleIsInvalid' || name === 'MessageNotInflight') return;
  // SQS reports an expired receipt by its message alone.
  if (name.startsWith('InvalidParameterValue') && error instanceof Error && /receipt\s?handle/i.test(error.message))
    return;
  refuse(error);
};
