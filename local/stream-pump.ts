import type { Logger } from '@aws-lambda-powertools/logger';
import type { ItemKind } from '#shared/personal-data/item-kinds';
import { backoffMs } from '#shared/platform/backoff';
import type { Clock, Queue, Random } from '#shared/platform/ports';
import type { Change } from '#shared/platform/table';
import { PUMP_BACKOFF } from './backoff.ts';
import { failedOf } from './batch-response.ts';
import type { Invoke } from './invoke.ts';
import { streamEvent } from './stream-event.ts';
import { Waker } from './waker.ts';

/** Where changes come from: each consumer has a position of its own. */
export interface ChangeSource {
  /** Up to `max` changes after the consumer's position, oldest first. */
  read(consumer: string, max: number): Promise<Change[]>;
  /** Moves the consumer's position to just after this change. */
  advance(consumer: string, sequence: string): Promise<void>;
  /** Calls whenever changes were made. @returns ends it */
  onChange(listener: () => void): () => void;
}

/** The consumer's name and the stream trigger of its manifest entry. */
export interface StreamConsumer {
  readonly name: string;
  readonly kinds: readonly ItemKind[];
  readonly batchSize: number;
  readonly maxAttempts: number;
}

export interface StreamPumpParts {
  readonly invoke: Invoke;
  readonly changes: ChangeSource;
  readonly deadLetters: Queue;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

/**
 * Hands the changes of the table to one consumer, in order and at least once, as an event source mapping does: a batch
 * is retried from its first failed record, one that failed as a whole is halved, and what failed too often goes to the
 * dead letters. The position moves only past what was handled.
 */
export class StreamPump {
  readonly #consumer: StreamConsumer;
  readonly #parts: StreamPumpParts;
  readonly #waker: Waker;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(consumer: StreamConsumer, parts: StreamPumpParts) {
    this.#consumer = consumer;
    this.#parts = parts;
    this.#waker = new Waker(parts.clock);
  }

  start(): void {
    const ended = this.#parts.changes.onChange(this.#waker.wake);
    this.#running = this.#run().finally(ended);
  }

  /** Resolves when the current call has ended; what it did not finish is handled after the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#waker.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { changes, logger } = this.#parts;
    const { name, kinds, batchSize } = this.#consumer;
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      try {
        const batch = await changes.read(name, batchSize);
        const last = batch.at(-1);
        if (last === undefined) {
          await this.#waker.wait();
          continue;
        }
        const wanted = batch.filter(({ after }) => after !== undefined && kinds.some((kind) => kind === after.kind));
        if (await this.#deliver(wanted)) await changes.advance(name, last.sequence);
        failures = 0;
      } catch (error) {
        failures++;
        logger.error('The stream consumer can not go on and tries again', { consumer: name, error: error as Error });
        await this.#backOff(failures);
      }
    }
  }

  /** @returns whether every record was handled, by the handler or by the dead letters, before the pump was stopped */
  async #deliver(records: readonly Change[]): Promise<boolean> {
    let rest = records;
    let size = rest.length;
    let attempts = 0;
    for (let head = rest[0]; head !== undefined && !this.#stopped.signal.aborted; head = rest[0]) {
      const batch = rest.slice(0, size);
      const succeeded = await this.#call(batch);
      if (succeeded === batch.length) {
        rest = rest.slice(succeeded);
        size *= 2;
        attempts = 0;
        // The last part's position is that of the whole batch, which also passes the changes that were left out.
        if (rest.length > 0) await this.#advancePast(batch.at(-1));
      } else if (succeeded === 'none' && batch.length > 1) {
        size = Math.ceil(batch.length / 2);
      } else {
        const handled = succeeded === 'none' ? 0 : succeeded;
        if (handled > 0) {
          await this.#advancePast(batch[handled - 1]);
          rest = rest.slice(handled);
          attempts = 0;
        }
        attempts++;
        if (attempts < this.#consumer.maxAttempts) {
          await this.#backOff(attempts);
        } else {
          await this.#giveUp(rest[0] ?? head);
          rest = rest.slice(1);
          attempts = 0;
        }
      }
    }
    return rest.length === 0;
  }

  /** @returns how many records succeeded before the first failed one, or that the batch failed as a whole */
  async #call(batch: readonly Change[]): Promise<number | 'none'> {
    try {
      const answer = await this.#parts.invoke(streamEvent(batch));
      const sequences = batch.map(({ sequence }) => sequence);
      const failed = failedOf(answer, sequences);
      const first = sequences.findIndex((sequence) => failed.has(sequence));
      return first === -1 ? batch.length : first;
    } catch (error) {
      this.#parts.logger.warn('A stream consumer failed a batch', {
        consumer: this.#consumer.name,
        records: batch.length,
        error: error as Error,
      });
      return 'none';
    }
  }

  async #advancePast(change: Change | undefined): Promise<void> {
    if (change !== undefined) await this.#parts.changes.advance(this.#consumer.name, change.sequence);
  }

  async #giveUp(change: Change): Promise<void> {
    const { deadLetters, logger } = this.#parts;
    const consumer = this.#consumer.name;
    await deadLetters.send([{ body: JSON.stringify({ consumer, change }) }]);
    logger.error('A change failed too often and went to the dead letters', { consumer, sequence: change.sequence });
    await this.#advancePast(change);
  }

  #backOff(failures: number): Promise<void> {
    const { clock, random } = this.#parts;
    return clock.sleep(backoffMs(failures, PUMP_BACKOFF, random), this.#stopped.signal);
  }
}
