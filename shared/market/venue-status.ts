import type { VenueFailure } from '#shared/exchange/errors';
import type { TickerSource } from '#shared/exchange/venue';
import { type Item, keyOf, type Table } from '#shared/platform/table';

/** How the market sync of a venue is doing. */
export interface VenueStatus {
  readonly venue: string;
  readonly source: TickerSource;
  /** End of the last sync that succeeded, epoch ms. */
  readonly lastSuccessAt: number | null;
  readonly lastAttemptAt: number;
  /** When a ticker changed last. */
  readonly lastChangeAt: number | null;
  /** How long the last attempt took. */
  readonly durationMs: number;
  /** Tickers read by the last success. */
  readonly items: number;
  readonly failure: VenueFailure | null;
  /** What went wrong, for people. */
  readonly detail: string | null;
  readonly consecutiveFailures: number;
}

export interface StoredStatus extends Item, VenueStatus {
  readonly kind: 'venue-status';
  readonly [attribute: string]: Item[string];
}

const statusKey = (venue: string) => ({ pk: keyOf('VENUE', venue), sk: 'STATUS' });

export const writeVenueStatus = async (table: Table, status: VenueStatus): Promise<void> => {
  const stored: StoredStatus = { ...statusKey(status.venue), kind: 'venue-status', ...status };
  await table.put(stored);
};

export const readVenueStatus = async (table: Table, venue: string): Promise<VenueStatus | undefined> =>
  await table.get<StoredStatus>(statusKey(venue));

/** A venue's prices are stale when it did not confirm them for three periods, and at least a minute. */
const stalePeriods = 3;
const staleSecondsMin = 60;

/** @param confirmedAt when the venue was last heard, epoch ms */
export const isStale = (confirmedAt: number, now: number, periodSeconds: number): boolean =>
  now - confirmedAt > Math.max(stalePeriods * periodSeconds, staleSecondsMin) * 1000;

/**
 * When a price was last confirmed: by a sync that found it unchanged, or by the one that observed it, of which the status
 * tells a little later.
 */
export const confirmedAtOf = (status: VenueStatus | undefined, observedAt: number): number =>
  Math.max(status?.lastSuccessAt ?? 0, observedAt);
