import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import type { Platform, QueueName } from '#shared/platform/ports';

/** The first retry comes after this time, each further one after twice the time of the one before. */
const retrySeconds = 2;

export interface QueueConsumer {
  readonly queue: QueueName;
  readonly retrySecondsMax: number;
  /** @param receives how often the message was received, this time included */
  readonly handle: (body: string, receives: number) => Promise<void>;
  /** How long another worker holds what the message names, so that waiting for it can't use up the retries. */
  readonly heldMs: (error: unknown) => number | undefined;
  readonly tell: (error: unknown, receives: number) => void;
}

/** A queue consumer: messages that fail come back ever later, the others are done. */
export const onQueue = (platform: Platform, { queue, retrySecondsMax, handle, heldMs, tell }: QueueConsumer) => {
  const secondsUntilRetry = (error: unknown, receives: number): number => {
    const backOff = Math.min(retrySeconds * 2 ** (receives - 1), retrySecondsMax);
    const jittered = Math.ceil(backOff * (0.5 + platform.random.number() / 2));
    return Math.max(jittered, Math.ceil((heldMs(error) ?? 0) / 1000));
  };

  const consume = async ({ body, attributes, receiptHandle }: SQSRecord): Promise<void> => {
    const receives = Number(attributes.ApproximateReceiveCount);
    try {
      await handle(body, receives);
    } catch (error) {
      await platform.queue(queue).release(receiptHandle, secondsUntilRetry(error, receives));
      tell(error, receives);
      throw error;
    }
  };

  return instrumented(platform, (event: SQSEvent, context: Context) =>
    processPartialResponse(event, consume, new BatchProcessor(EventType.SQS), {
      context,
      throwOnFullBatchFailure: false,
    }),
  );
};
