import { dueBound, type StoredSchedule, scheduleShard, scheduleShards } from '#shared/accounts/stored';
import { isWithin } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import { type Item, keyOf, type Table } from '#shared/platform/table';

/** The dispatcher records its runs at most this often. */
export const dispatchStatusSeconds = 60;
/** Most schedules that are counted in each shard; above, the count is "or more". */
const countedPerShardMax = 100;

export interface StoredDispatchStatus extends Item {
  readonly kind: 'dispatch-status';
  /** When it finished, epoch ms. */
  readonly ranAt: number;
}

const statusKey = { pk: keyOf('SYSTEM', 'ACCOUNTS'), sk: 'DISPATCH' };

/** Records the runs of the dispatcher, but not each of them. */
export class DispatchStatus {
  readonly #ports: Pick<Platform, 'table' | 'clock'>;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(ports: Pick<Platform, 'table' | 'clock'>) {
    this.#ports = ports;
  }

  async ran(): Promise<void> {
    const { table, clock } = this.#ports;
    const ranAt = clock.now();
    if (isWithin(this.#writtenAt, dispatchStatusSeconds * 1000, ranAt)) return;
    const status: StoredDispatchStatus = { ...statusKey, kind: 'dispatch-status', ranAt };
    await table.put(status);
    this.#writtenAt = ranAt;
  }
}

/** @returns when the dispatcher last recorded a run, epoch ms */
export const readDispatchedAt = async (table: Table): Promise<number | undefined> =>
  (await table.get<StoredDispatchStatus>(statusKey))?.ranAt;

/** How many accounts have been due since before `at`, epoch ms, and were not dispatched; counted up to a bound. */
export const countOverdue = async (table: Table, at: number): Promise<{ count: number; isBound: boolean }> => {
  const pages = await Promise.all(
    Array.from({ length: scheduleShards }, (_, shard) =>
      table.query<StoredSchedule>({
        ...{ index: 'gsi1', pk: scheduleShard(shard), sk: { before: dueBound(at) }, limit: countedPerShardMax },
      }),
    ),
  );
  return {
    count: pages.reduce((sum, { items }) => sum + items.length, 0),
    isBound: pages.some(({ cursor }) => cursor !== undefined),
  };
};
