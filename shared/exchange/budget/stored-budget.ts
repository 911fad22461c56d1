import { anyOf, type Item, type Key, keyOf, type Table, type WriteCondition } from '#shared/platform/table';

/** What calls are for. A part of each limit is reserved for prices. */
export type Purpose = 'prices' | 'accounts';

/**
 * What is left of a venue's limits for this installation's address: an item that all workers share. Besides the breaker
 * it holds, for each pool of the venue's limits, when its bucket is full again ({@link fullPath}), and until when a purpose
 * waits because other programs use up what the venue allows ({@link heldPath}).
 *
 * All times in it are bounded: one further in the future than it can have been set for was written by a
 * wrong clock, and counts as past ({@link boundedTime}).
 */
export interface StoredBudget extends Item {
  readonly kind: 'venue-budget';
  readonly venue: string;
  /** The circuit is open until then, epoch ms, and half-open after that until a call succeeds. Absent: it is closed. */
  readonly openUntil?: number;
  /** How many times in a row the circuit was opened. */
  readonly consecutiveTrips?: number;
  /** Until when one worker probes whether the venue accepts calls again. */
  readonly probeUntil?: number;
  readonly closedAt?: number;
  /** Until when calls for accounts need a concurrency slot, epoch ms. */
  readonly congestedUntil?: number;
}

/** All functions of an installation count as one address: behind a NAT the venue sees them as one. */
export const egress = 'DEFAULT';

export const budgetKey = (venue: string): Key => ({ pk: keyOf('VENUE', venue), sk: keyOf('BUDGET', egress) });

/** How far the clocks of two workers may differ. */
export const clockSkewMs = 60_000;

/** A stored time, or 0 where it is further in the future than `mostMs` and the skew of two clocks explain. */
export const boundedTime = (time: number, now: number, mostMs: number): number =>
  time > now + mostMs + clockSkewMs ? 0 : time;

/** A stored time is past, absent, or further in the future than it can have been set for. */
export const isPast = (path: string, now: number, mostMs: number): WriteCondition =>
  anyOf({ path, is: 'absent' }, { path, is: '<=', value: now }, { path, is: '>', value: now + mostMs + clockSkewMs });

/** Longest wait that a venue can impose: Binance's longest ban. */
export const openMsMax = 3 * 24 * 60 * 60 * 1000;
/** Longest hold: until the venue's next minute begins. */
export const holdMsMax = 60_000;

/** The attribute that says when a pool's bucket is full again, epoch ms. */
export const fullPath = (pool: string): string => `full_${pool}`;

/** @param depthMs the bucket's: it is never full later than in so long */
export const fullAtOf = (stored: StoredBudget | undefined, pool: string, now: number, depthMs: number): number =>
  boundedTime(timeAt(stored, fullPath(pool)), now, depthMs);

/** The attribute that says until when calls for accounts need a concurrency slot, epoch ms. */
export const congestedPath = 'congestedUntil';

/** The attribute that says until when calls of a purpose that count against a limit have to wait, epoch ms. */
export const heldPath = (purpose: Purpose, pool: string): string => `held_${purpose}_${pool}`;

export const heldUntil = (stored: StoredBudget | undefined, purpose: Purpose, pool: string, now: number): number =>
  boundedTime(timeAt(stored, heldPath(purpose, pool)), now, holdMsMax);

const timeAt = (stored: StoredBudget | undefined, path: string): number => {
  const time = stored?.[path];
  return typeof time === 'number' ? time : 0;
};

/** Until when a venue's circuit is open, epoch ms, also while it is being probed; undefined while it is closed. */
export const openUntilOf = async (table: Table, venue: string): Promise<number | undefined> =>
  (await table.get<StoredBudget>(budgetKey(venue)))?.openUntil;
