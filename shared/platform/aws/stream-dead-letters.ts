import {
  DynamoDBStreamsClient,
  type DynamoDBStreamsClientConfig,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { NotFound, Unavailable } from '../errors.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf } from './failures.ts';

/** Longer than any function may take. */
const invocationTimeoutMs = 120_000;
const pagesMax = 100;
const reasonLengthMax = 200;

export const streamsClient = (own: DynamoDBStreamsClientConfig = {}) =>
  new DynamoDBStreamsClient({ ...CLIENT_OPTIONS, ...own });

export const lambdaClient = (own: LambdaClientConfig = {}) =>
  new LambdaClient({
    ...CLIENT_OPTIONS,
    requestHandler: {
      ...CLIENT_OPTIONS.requestHandler,
      requestTimeout: invocationTimeoutMs,
      socketTimeout: invocationTimeoutMs,
    },
    ...own,
  });

/**
 * What Lambda sends to the on-failure destination of a stream: the position of the batch, not its content.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
const DeadLetter = z.looseObject({
  requestContext: z.looseObject({ functionArn: z.string().min(1) }),
  DDBStreamBatchInfo: z.looseObject({
    shardId: z.string(),
    startSequenceNumber: z.string().regex(/^\d+$/),
    endSequenceNumber: z.string().regex(/^\d+$/),
    streamArn: z.string(),
  }),
});
type Batch = z.infer<typeof DeadLetter>['DDBStreamBatchInfo'];

const Answer = z.looseObject({ batchItemFailures: z.array(z.unknown()).nullish() }).nullable();
const FunctionError = z.looseObject({ errorType: z.string().optional(), errorMessage: z.string().optional() });

/** Hands batches that a function failed at to it again, as long as the stream still has them. */
export class StreamDeadLetters {
  readonly #streams: DynamoDBStreamsClient;
  readonly #lambda: LambdaClient;
  readonly #kinds: readonly string[];

  /** @param kinds of items that the function follows; the stream has others as well */
  constructor(
    clients: { readonly streams: DynamoDBStreamsClient; readonly lambda: LambdaClient },
    kinds: readonly string[],
  ) {
    this.#streams = clients.streams;
    this.#lambda = clients.lambda;
    this.#kinds = kinds;
  }

  /**
   * @param body of a message that Lambda sent
   * @throws {NotFound} the stream, which keeps changes for 24 hours, does not have them any more
   * @throws {Unavailable} the function failed again
   */
  async handle(body: string): Promise<void> {
    const { requestContext, DDBStreamBatchInfo: batch } = deadLetterOf(body);
    const records = (await this.#read(batch)).filter((record) => this.#isWanted(record));
    if (records.length > 0)
      await this.#invoke(requestContext.functionArn, { Records: records.map(eventRecordOf(batch)) });
  }

  async #read({ streamArn, shardId, startSequenceNumber, endSequenceNumber }: Batch): Promise<StreamRecord[]> {
    const end = BigInt(endSequenceNumber);
    const found: StreamRecord[] = [];
    try {
      const start = new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber: startSequenceNumber,
      });
      let { ShardIterator: position } = await this.#streams.send(start);
      for (let page = 0; position !== undefined && page < pagesMax; page++) {
        const read = new GetRecordsCommand({ ShardIterator: position });
        const { Records: records = [], NextShardIterator: next } = await this.#streams.send(read);
        for (const record of records) {
          const sequence = BigInt(record.dynamodb?.SequenceNumber ?? -1);
          if (sequence <= end) found.push(record);
          if (sequence >= end) return found;
        }
        position = next;
      }
    } catch (error) {
      if (nameOf(error) === 'TrimmedDataAccessException' || nameOf(error) === 'ResourceNotFoundException') {
        throw new NotFound(trimmed, { cause: error });
      }
      throw failureOf('The stream', error);
    }
    throw new NotFound(trimmed);
  }

  /** The filter of the function's event source. */
  #isWanted({ eventName, dynamodb }: StreamRecord): boolean {
    const kind = dynamodb?.NewImage?.kind?.S;
    return eventName !== 'REMOVE' && kind !== undefined && this.#kinds.includes(kind);
  }

  async #invoke(functionArn: string, event: object): Promise<void> {
    const command = new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) });
    const { FunctionError: failure, Payload: payload } = await this.#lambda.send(command).catch((error: unknown) => {
      throw failureOf('The function', error);
    });
    const answer: unknown = JSON.parse(payload?.transformToString() || 'null');
    if (failure !== undefined) {
      const { errorType = failure, errorMessage = '' } = FunctionError.parse(answer ?? {});
      throw new Unavailable(`${errorType}: ${errorMessage}`.slice(0, reasonLengthMax));
    }
    const reported = Answer.safeParse(answer);
    if (!reported.success || (reported.data?.batchItemFailures ?? []).length > 0) {
      throw new Unavailable('The function reports that it failed again; its log says why');
    }
  }
}

const trimmed = 'The changes are no longer in the stream, which keeps them for 24 hours';

const deadLetterOf = (body: string): z.infer<typeof DeadLetter> => {
  try {
    return DeadLetter.parse(JSON.parse(body));
  } catch (error) {
    throw new NotFound('The message does not say where in the stream its changes are', { cause: error });
  }
};

/** A record as Lambda hands it to a function: like the stream's own, but for the times. */
const eventRecordOf =
  ({ streamArn }: Batch) =>
  ({ dynamodb, ...record }: StreamRecord) => ({
    ...record,
    eventSourceARN: streamArn,
    dynamodb: {
      ...dynamodb,
      ApproximateCreationDateTime: Math.floor((dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1000),
    },
  });
