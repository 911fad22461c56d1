import { acquireLease, Lease, releaseLease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import { clockSkewMs, egress } from './stored-budget.ts';

/** Most workers that a congested venue may occupy at once, so that others remain for the other venues. */
export const slotsPerVenue = 6;
/** A slot expires after this: longer than a sync takes. */
const slotSeconds = 75;

/** Until when each slot is taken, epoch ms, in `seat_0`, `seat_1`, …; an absent one is free. */
export interface StoredSlots extends Item {
  readonly kind: 'venue-seats';
}

const slotsKey = (venue: string): Key => ({ pk: keyOf('VENUE', venue), sk: keyOf('SEATS', egress) });
const slotLeases = Array.from(
  { length: slotsPerVenue },
  (_, slot) => new Lease({ until: `seat_${slot}` }, slotSeconds * 1000, clockSkewMs),
);

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
      const free = slotLeases.filter((lease) => lease.remainingMs(stored, now) === 0);
      const lease = free[Math.floor(random.number() * free.length)];
      if (lease === undefined) return undefined;
      const held = await acquireLease(table, key, lease, { now, set: { kind: 'venue-seats' } });
      if (held !== undefined) return { release: () => releaseLease(table, key, lease, held) };
    }
    return undefined;
  }
}
