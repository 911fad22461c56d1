import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { instrumented } from '#functions/instrumented';
import { exponentialMs } from '#shared/platform/backoff';
import type { Platform } from '#shared/platform/ports';
import type { QueueName } from '#shared/platform/queues';

const firstRetryMs = 2_000;

export interface QueueConsumer {
  readonly queue: QueueName;
  /** Longest back-off between two receives of a message. */
  readonly retrySecondsMax: number;
  /** @param receives how often the message has been received, including this time */
  readonly handle: (body: string, receives: number) => Promise<void>;
  /**
   * How long another worker still holds the lease that the error reports; undefined for any other error. The message is not
   * received again before that, so that waiting for the lease does not use up its retries.
   */
  readonly heldMs: (error: unknown) => number | undefined;
  /** Logs a failed receive. */
  readonly report: (error: unknown, receives: number) => void;
}

/** A queue consumer: messages that fail become visible again after an exponential back-off with jitter, the others are deleted. */
export const onQueue = (platform: Platform, { queue, retrySecondsMax, handle, heldMs, report }: QueueConsumer) => {
  const backoff = { firstMs: firstRetryMs, longestMs: retrySecondsMax * 1000 };

  const secondsUntilRetry = (error: unknown, receives: number): number => {
    // At least half of the exponential wait, so that no retry follows immediately.
    const waitMs = exponentialMs(receives, backoff) * (0.5 + platform.random.number() / 2);
    return Math.ceil(Math.max(waitMs, heldMs(error) ?? 0) / 1000);
  };

  const consume = async ({ body, attributes, receiptHandle }: SQSRecord): Promise<void> => {
    const receives = Number(attributes.ApproximateReceiveCount);
    try {
      await handle(body, receives);
    } catch (error) {
      await platform.queue(queue).release(receiptHandle, secondsUntilRetry(error, receives));
      report(error, receives);
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
