import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, type Key } from '#shared/platform/table';
import { epochKind, type StoredEpoch } from './items.ts';

const epochKey: Key = { pk: 'REALTIME', sk: 'EPOCH' };

/**
 * Names the numbering of messages: a number means something only together with the epoch in which it was given. A table
 * that is restored from a backup repeats numbers, so the item is deleted after a restore and a new epoch begins.
 */
export class Epoch {
  readonly #ports: Pick<Platform, 'table' | 'ids'>;
  #current: Promise<string> | undefined;

  constructor(ports: Pick<Platform, 'table' | 'ids'>) {
    this.#ports = ports;
  }

  /** The current epoch, which an instance reads once. */
  async current(): Promise<string> {
    this.#current ??= this.#read();
    try {
      return await this.#current;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  async #read(): Promise<string> {
    const { table, ids } = this.#ports;
    const stored = await table.get<StoredEpoch>(epochKey, { consistent: true });
    if (stored !== undefined) return epochKind.read(stored).epoch;
    const first: StoredEpoch = { ...epochKey, ...epochKind.stamp, epoch: ids.next() };
    try {
      await table.put(first, ABSENT);
      return first.epoch;
    } catch (error) {
      if (error instanceof ConditionFailed) return await this.#read();
      throw error;
    }
  }
}
