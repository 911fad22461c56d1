import { type Item, type Key, keyOf, type Table } from '#shared/platform/table';

/** What calls are for. Prices find something left when accounts have taken all that they may. */
export type Purpose = 'prices' | 'accounts';

/**
 * What may still be asked of a venue from this installation's address: an item that all workers share. Beside the breaker
 * it holds for each pool of the venue's limits when its bucket is full again ({@link fullPath}), and who
 * waits because others use up what the venue allows ({@link heldPath}).
 */
export interface StoredBudget extends Item {
  readonly kind: 'venue-budget';
  readonly venue: string;
  /** Until when the venue is left alone, epoch ms; after that until one call got through. Absent: it can be asked. */
  readonly openUntil?: number;
  /** How many times in a row it was to be left alone. */
  readonly consecutiveTrips?: number;
  /** Until when one worker tries whether the venue can be asked again. */
  readonly probeUntil?: number;
  readonly closedAt?: number;
  /** Until when accounts need a seat to ask the venue anything (`VenueSeats`), epoch ms. */
  readonly congestedUntil?: number;
}

/** All functions of an installation count as one address: NAT or not, a venue may see them so. */
export const egress = 'DEFAULT';

export const budgetKey = (venue: string): Key => ({ pk: keyOf('VENUE', venue), sk: keyOf('BUDGET', egress) });

/** The attribute that says when a pool's bucket is full again, epoch ms. */
export const fullPath = (pool: string): string => `full_${pool}`;

export const fullAtOf = (stored: StoredBudget | undefined, pool: string): number => timeAt(stored, fullPath(pool));

/** The attribute that says until when accounts need a seat, epoch ms. */
export const congestedPath = 'congestedUntil';

/** The attribute that says until when calls of a purpose wait that count against a limit, epoch ms. */
export const heldPath = (purpose: Purpose, pool: string): string => `held_${purpose}_${pool}`;

export const heldUntil = (stored: StoredBudget | undefined, purpose: Purpose, pool: string): number =>
  timeAt(stored, heldPath(purpose, pool));

const timeAt = (stored: StoredBudget | undefined, path: string): number => {
  const time = stored?.[path];
  return typeof time === 'number' ? time : 0;
};

/** Until when a venue is left alone, epoch ms, also where that is just being tried; undefined while it can be asked. */
export const openUntilOf = async (table: Table, venue: string): Promise<number | undefined> =>
  (await table.get<StoredBudget>(budgetKey(venue)))?.openUntil;
