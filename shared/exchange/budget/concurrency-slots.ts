import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import { boundedTime, egress, isPast } from './stored-budget.ts';

/** Workers that a congested venue may occupy at once, of all there are, so that others remain for the other venues. */
export const slotsPerVenue = 6;
/** A slot expires after this, whatever became of its worker: longer than a sync takes. */
const slotSeconds = 75;

/** Until when each slot is taken, epoch ms, in `seat_0`, `seat_1`, …; an absent one is free. */
export interface StoredSlots extends Item {
  readonly kind: 'venue-seats';
}

const slotsKey = (venue: string): Key => ({ pk: keyOf('VENUE', venue), sk: keyOf('SEATS', egress) });
const slotPath = (slot: number): string => `seat_${slot}`;

/** A slot that a worker holds. */
export interface Slot {
  release(): Promise<void>;
}

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/** The concurrency slots of a congested venue, shared by all workers. The slot of a worker that dies expires. */
export class ConcurrencySlots {
  readonly #ports: Ports;
  readonly #venue: string;

  constructor(ports: Ports, venue: string) {
    this.#ports = ports;
    this.#venue = venue;
  }

  /** @returns undefined: all slots are taken */
  async acquire(): Promise<Slot | undefined> {
    const { table, clock, random } = this.#ports;
    const key = slotsKey(this.#venue);
    // Each conflict means that one slot fewer is free.
    for (let attempt = 0; attempt < slotsPerVenue; attempt++) {
      const stored = await table.get<StoredSlots>(key, { consistent: true });
      const now = clock.now();
      const paths = Array.from({ length: slotsPerVenue }, (_, slot) => slotPath(slot));
      const free = paths.filter((path) => boundedTime(Number(stored?.[path] ?? 0), now, slotSeconds * 1000) <= now);
      const path = free[Math.floor(random.number() * free.length)];
      if (path === undefined) return undefined;
      const until = now + slotSeconds * 1000;
      try {
        const set = { kind: 'venue-seats', [path]: until };
        await table.update(key, { set }, isPast(path, now, slotSeconds * 1000));
        return { release: () => this.#release(path, until) };
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
    return undefined;
  }

  async #release(path: string, until: number): Promise<void> {
    try {
      await this.#ports.table.update(slotsKey(this.#venue), { remove: [path] }, { path, is: '=', value: until });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}
