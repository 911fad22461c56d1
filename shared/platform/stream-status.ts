import { itemKind } from './item-kind.ts';
import type { Platform } from './ports.ts';
import type { StreamConsumer } from './queues.ts';
import { type Change, type Item, keyOf, type Table } from './table.ts';

/** Shortest interval at which a consumer reports its progress. */
export const streamStatusSeconds = 30;

interface StoredStreamStatus extends Item {
  readonly kind: 'stream-status';
  readonly consumer: string;
  /** When it finished a batch, epoch ms. */
  readonly consumedAt: number;
  /** Age of the newest change of that batch. */
  readonly lagMs: number;
}

export const streamStatusKind = itemKind<StoredStreamStatus>({ kind: 'stream-status', owner: 'installation' });

const statusKey = (consumer: StreamConsumer) => ({ pk: keyOf('SYSTEM', 'STREAM'), sk: keyOf('CONSUMER', consumer) });

/** Writes down now and then how far behind the table a stream consumer is. */
export class StreamStatus {
  readonly #ports: Pick<Platform, 'table' | 'clock'>;
  readonly #consumer: StreamConsumer;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(ports: Pick<Platform, 'table' | 'clock'>, consumer: StreamConsumer) {
    this.#ports = ports;
    this.#consumer = consumer;
  }

  async consumed(changes: readonly Change[]): Promise<void> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const newest = changes.at(-1);
    if (newest === undefined || now - this.#writtenAt < streamStatusSeconds * 1000) return;
    this.#writtenAt = now;
    const status: StoredStreamStatus = {
      ...statusKey(this.#consumer),
      kind: 'stream-status',
      consumer: this.#consumer,
      consumedAt: now,
      lagMs: Math.max(0, now - newest.at),
    };
    await table.put(status);
  }
}

export const readStreamStatus = async (
  table: Table,
  consumer: StreamConsumer,
): Promise<StoredStreamStatus | undefined> => await table.get<StoredStreamStatus>(statusKey(consumer));
