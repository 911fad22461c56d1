import type { Logger } from '@aws-lambda-powertools/logger';
import { backoffMs } from '#shared/platform/backoff';
import type { Clock, Queue, Random, ReceivedMessage } from '#shared/platform/ports';
import { PUMP_BACKOFF } from './backoff.ts';
import { failedOf } from './batch-response.ts';
import type { Invoke } from './invoke.ts';
import { queueEvent } from './queue-event.ts';
import { Waker } from './waker.ts';

/** A queue that reports when there is something to receive. */
export interface WatchedQueue extends Queue {
  /** When the next message is or becomes visible, epoch ms. */
  nextVisibleAt(): number | undefined;
  /** Calls when messages were sent or released. @returns ends it */
  onSend(listener: () => void): () => void;
}

/** The name of the queue, and the trigger and time limit of the function that handles it. */
export interface QueueConsumer {
  readonly queue: string;
  readonly batchSize: number;
  readonly maxConcurrency: number;
  readonly timeoutSeconds: number;
}

export interface QueuePumpParts {
  readonly invoke: Invoke;
  readonly queue: WatchedQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

/** How much longer than its handler may run a message stays invisible, so that it does not come back while it is handled. */
const visibilityMarginSeconds = 5;
/** Least time between two receives from a queue that reports a visible message and then has none. */
const emptyWaitMs = 10;

/** Hands the messages of one queue to a function and removes those that it handled, as an event source mapping does. */
export class QueuePump {
  readonly #consumer: QueueConsumer;
  readonly #parts: QueuePumpParts;
  readonly #waker: Waker;
  readonly #inHand = new Set<Promise<void>>();
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(consumer: QueueConsumer, parts: QueuePumpParts) {
    this.#consumer = consumer;
    this.#parts = parts;
    this.#waker = new Waker(parts.clock);
  }

  start(): void {
    const ended = this.#parts.queue.onSend(this.#waker.wake);
    this.#running = this.#run().finally(ended);
  }

  /** Resolves when the batches in flight are handled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waker.wake();
    await this.#running;
    await Promise.all(this.#inHand);
  }

  async #run(): Promise<void> {
    const { queue, clock, random, logger } = this.#parts;
    const { batchSize, maxConcurrency, timeoutSeconds } = this.#consumer;
    for (let failures = 0; !this.#stopped; ) {
      if (this.#inHand.size >= maxConcurrency) {
        await this.#waker.wait();
        continue;
      }
      try {
        const messages = await queue.receive(batchSize, timeoutSeconds + visibilityMarginSeconds);
        if (messages.length > 0) {
          this.#take(messages);
        } else {
          const next = queue.nextVisibleAt();
          await this.#waker.wait(next === undefined ? undefined : Math.max(emptyWaitMs, next - clock.now()));
        }
        failures = 0;
      } catch (error) {
        failures++;
        logger.error('The queue can not be read', { queue: this.#consumer.queue, error: error as Error });
        await this.#waker.wait(backoffMs(failures, PUMP_BACKOFF, random));
      }
    }
  }

  #take(messages: readonly ReceivedMessage[]): void {
    const handled = this.#handle(messages).finally(() => {
      this.#inHand.delete(handled);
      this.#waker.wake();
    });
    this.#inHand.add(handled);
  }

  /** Those that fail come back when their visibility time-out ends, or when the handler released them for. */
  async #handle(messages: readonly ReceivedMessage[]): Promise<void> {
    const { invoke, queue, logger } = this.#parts;
    try {
      const answer = await invoke(queueEvent(this.#consumer.queue, messages));
      const known = messages.map(({ id }) => id);
      const failed = failedOf(answer, known);
      await Promise.all(messages.filter(({ id }) => !failed.has(id)).map(({ receipt }) => queue.remove(receipt)));
    } catch (error) {
      logger.warn('A batch of messages failed', {
        queue: this.#consumer.queue,
        messages: messages.length,
        error: error as Error,
      });
    }
  }
}
