import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { atMost, type Item, type Key, keyOf } from '#shared/platform/table';
import { egress } from './stored-budget.ts';

/** Workers that a crowded venue may hold up at once, of all there are: so many crowded venues leave some to the others. */
export const slotsPerVenue = 6;
/** A seat is free again after so long, whatever became of its worker: longer than a sync takes. */
const slotSeconds = 75;

/** Until when each seat is taken, epoch ms, in `seat_0`, `seat_1`, …; one that is absent is free. */
export interface StoredSlots extends Item {
  readonly kind: 'venue-seats';
}

const slotsKey = (venue: string): Key => ({ pk: keyOf('VENUE', venue), sk: keyOf('SEATS', egress) });
const slotPath = (seat: number): string => `seat_${seat}`;

/** A place that a worker has at a venue. */
export interface Slot {
  release(): Promise<void>;
}

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/** The seats of a venue that is crowded, shared by all workers. A worker that dies leaves its seat to time. */
export class ConcurrencySlots {
  readonly #ports: Ports;
  readonly #venue: string;

  constructor(ports: Ports, venue: string) {
    this.#ports = ports;
    this.#venue = venue;
  }

  /** @returns undefined: all seats are taken */
  async acquire(): Promise<Slot | undefined> {
    const { table, clock, random } = this.#ports;
    const key = slotsKey(this.#venue);
    // Each time that another worker is quicker there is a seat less.
    for (let attempt = 0; attempt < slotsPerVenue; attempt++) {
      const stored = await table.get<StoredSlots>(key, { consistent: true });
      const now = clock.now();
      const paths = Array.from({ length: slotsPerVenue }, (_, seat) => slotPath(seat));
      const free = paths.filter((path) => Number(stored?.[path] ?? 0) <= now);
      const path = free[Math.floor(random.number() * free.length)];
      if (path === undefined) return undefined;
      const until = now + slotSeconds * 1000;
      try {
        const set = { kind: 'venue-seats', [path]: until };
        await table.update(key, { set }, atMost(path, now));
        return { release: () => this.#leave(path, until) };
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
    return undefined;
  }

  async #leave(path: string, until: number): Promise<void> {
    try {
      await this.#ports.table.update(slotsKey(this.#venue), { remove: [path] }, { path, is: '=', value: until });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}
