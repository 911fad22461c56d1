import type { VenueFailure } from '#shared/exchange/errors';
import type { TickerSource } from '#shared/exchange/venue';
import { isPossible } from '#shared/platform/plausible-time';
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
  /**
   * The symbols that the last successful sync did not confirm, each with the time at which it was confirmed before, epoch ms.
   * All others were confirmed at `lastSuccessAt`. Absent: none.
   */
  readonly unconfirmed?: Readonly<Record<string, number>>;
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

const stalePeriods = 3;
/** A venue that was silent for less than this is not called down. */
const silenceSecondsMin = 60;
/** A price is not stale before this, however short the period. */
const staleSecondsMin = 15;

/** How old the confirmation of a price may be, ms. @param periodSeconds of the market sync */
export const staleAfterMs = (periodSeconds: number): number =>
  Math.max(stalePeriods * periodSeconds, staleSecondsMin) * 1000;

/**
 * Whether a venue has not answered for three periods, and at least a minute. A time in the future counts as never.
 * @param answeredAt epoch ms
 */
export const isStale = (answeredAt: number, now: number, periodSeconds: number): boolean =>
  !isPossible(answeredAt, now) || now - answeredAt > Math.max(stalePeriods * periodSeconds, silenceSecondsMin) * 1000;

/** How fresh a price is. */
export interface Freshness {
  /** When the venue last confirmed the price, epoch ms; null where that is not known. */
  readonly confirmedAt: number | null;
  /** It was not confirmed for max(3 sync periods, 15 s). */
  readonly stale: boolean;
}

/**
 * How fresh a stored ticker is: it was confirmed by the sync that observed it, or by a later one that found it unchanged,
 * which the venue's status records. Times later than now were stored before the clock was set back and confirm nothing.
 * @param now epoch ms @param periodSeconds of the market sync
 */
export const freshnessOf = (
  status: VenueStatus | undefined,
  { symbol, observedAt }: { readonly symbol: string; readonly observedAt: number },
  now: number,
  periodSeconds: number,
): Freshness => {
  const unchangedAt = status?.unconfirmed?.[symbol] ?? status?.lastSuccessAt ?? 0;
  const confirmedAt = Math.max(0, ...[unchangedAt, observedAt].filter((at) => isPossible(at, now)));
  return {
    confirmedAt: confirmedAt === 0 ? null : confirmedAt,
    stale: now - confirmedAt > staleAfterMs(periodSeconds),
  };
};
