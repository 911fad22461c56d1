import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { VenueError } from '#shared/exchange/errors';
import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import { exponentialMs } from '#shared/platform/backoff';
import { boundedVenueTime, isPossible, isWithin } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, equals, type Put } from '#shared/platform/table';
import { Catalog } from './catalog.ts';
import { type StoredTicker, Tickers, tickerKey } from './tickers.ts';
import { readVenueStatus, staleAfterMs, type VenueStatus, writeVenueStatus } from './venue-status.ts';

/** How long a venue's list of markets is used before it is fetched again. */
const catalogMinutes = 60;
/** When a list that could not be refreshed is fetched again. */
const catalogRetryMinutes = 1;
/**
 * A status that only says "still fine" is written after this part of the time in which prices go stale: readers see
 * confirmations through it, so that an unchanged price costs no write of its own.
 */
const statusPartOfStaleTime = 0.5;
/** From this many failures in a row on, the venue is polled less and less often, up to {@link backOffSecondsMax}. */
const failuresBeforeBackOff = 3;
const backOffSecondsMax = 60;
const rateLimitedSeconds = 30;
/** Most observations written at once. */
const batchMax = 500;
/** A live ticker that does not change and is older than the 24 hours it describes belongs to a halted market. */
const haltedHours = 24;
/** No market is older than Bitcoin. An earlier time is in another unit, which says nothing about the market. */
const firstMarketAt = Date.UTC(2009, 0, 3);

/** Logged with its `venue` after a success, each time that the status is written; an alarm counts it. */
export const VENUE_IN_SYNC = 'The venue is in sync';

/** A time span that ends, or never began where the clock was set back to before it. */
interface Span {
  readonly from: number;
  readonly durationMs: number;
}

interface ListedSymbols {
  readonly symbols: ReadonlySet<string>;
  readonly valid: Span;
}

/** Keeps the tickers of one venue's watched symbols: polls the venue, writes what changed, records the result. */
export class MarketSync {
  readonly #platform: Platform;
  readonly #venue: Venue;
  readonly #tickers: Tickers;
  readonly #catalog: Catalog;
  /** The stored tickers as this process last saw them; it need not read what it wrote. */
  readonly #known = new Map<string, StoredTicker>();
  /** Symbols of which a ticker is stored, including those that are no longer watched. */
  #storedSymbols: Set<string> | undefined;
  #listed: ListedSymbols | undefined;
  #status: VenueStatus | undefined;
  #statusWrittenAt = Number.NEGATIVE_INFINITY;
  #backOff: Span | undefined;

  constructor(platform: Platform, venue: Venue) {
    this.#platform = platform;
    this.#venue = venue;
    this.#tickers = new Tickers(platform.table);
    this.#catalog = new Catalog(platform.table);
  }

  /** Polls the venue once. A failure of the venue is recorded, not thrown. */
  async run(): Promise<void> {
    const { clock, metrics, table } = this.#platform;
    const startedAt = clock.now();
    if (this.#backOff !== undefined && isCurrent(this.#backOff, startedAt)) return;
    this.#status ??= await readVenueStatus(table, this.#venue.id);
    this.#storedSymbols ??= new Set(await this.#tickers.symbols(this.#venue.id));
    try {
      const symbols = await this.#watched();
      const now = clock.now();
      const observed = (await this.#venue.tickers(symbols, this.#seen(now))).map((ticker) =>
        this.#bounded(ticker, now),
      );
      const unconfirmed = this.#unconfirmed(symbols, observed, now);
      const changes = await this.#record(observed);
      metrics.addMetric('PriceChanges', MetricUnit.Count, changes);
      await this.#succeeded(startedAt, observed.length, changes > 0, unconfirmed);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      await this.#failed(startedAt, error);
    }
    metrics.addMetric('MarketSyncDuration', MetricUnit.Milliseconds, clock.now() - startedAt);
  }

  /** The symbols to poll: configured or watched, as far as the venue lists them. */
  async #watched(): Promise<string[]> {
    const listed = await this.#markets();
    const wanted = new Set([...this.#platform.config.market.symbols, ...(await this.#catalog.watched(this.#venue.id))]);
    const symbols = [...wanted].filter((symbol) => listed.has(symbol));
    const unknown = symbols.filter((symbol) => !this.#known.has(symbol));
    for (const ticker of await this.#tickers.ofMany(this.#venue.id, unknown)) this.#known.set(ticker.symbol, ticker);
    return symbols;
  }

  /** The symbols that the venue lists: cached, else from the table, else from the venue. */
  async #markets(): Promise<ReadonlySet<string>> {
    const now = this.#platform.clock.now();
    if (this.#listed !== undefined && isCurrent(this.#listed.valid, now)) return this.#listed.symbols;
    const readAt = await this.#catalog.readAt(this.#venue.id);
    const valid = { from: readAt ?? Number.NEGATIVE_INFINITY, durationMs: catalogMinutes * 60_000 };
    if (isCurrent(valid, now)) {
      const markets = await this.#catalog.markets(this.#venue.id);
      this.#venue.useMarkets(markets);
      this.#listed = { symbols: symbolsOf(markets), valid };
    } else {
      this.#listed = await this.#refreshed(now);
    }
    return this.#listed.symbols;
  }

  /** The venue's list as it is now. While it can't be fetched the known one is used: prices don't depend on it. */
  async #refreshed(now: number): Promise<ListedSymbols> {
    try {
      const markets = await this.#venue.markets();
      if (markets.length === 0) throw new VenueError(this.#venue.id, 'unknown', 'The venue lists no markets.');
      await this.#catalog.replace(this.#venue.id, markets, now);
      return { symbols: symbolsOf(markets), valid: { from: now, durationMs: catalogMinutes * 60_000 } };
    } catch (error) {
      const known = await this.#catalog.markets(this.#venue.id);
      if (!(error instanceof VenueError) || known.length === 0) throw error;
      this.#platform.logger.warn('The list of markets could not be refreshed', {
        venue: this.#venue.id,
        detail: error.message,
      });
      this.#venue.useMarkets(known);
      return { symbols: symbolsOf(known), valid: { from: now, durationMs: catalogRetryMinutes * 60_000 } };
    }
  }

  /** Recorded prices have the times of the record, which our clock says nothing about. */
  get #isRecorded(): boolean {
    return this.#venue.source === 'recorded';
  }

  /** When the newest observation of each symbol was made, as far as it belongs to the venue's present series. */
  #seen(now: number): Map<string, number> {
    const ofSeries = [...this.#known.values()].filter(
      ({ series, timestamp }) => series === this.#venue.series && (this.#isRecorded || isPossible(timestamp, now)),
    );
    return new Map(ofSeries.map(({ symbol, timestamp }) => [symbol, timestamp]));
  }

  #bounded(ticker: Ticker, now: number): Ticker {
    const timestamp = this.#isRecorded ? ticker.timestamp : boundedVenueTime(ticker.timestamp, now);
    return timestamp === ticker.timestamp ? ticker : { ...ticker, timestamp };
  }

  /** What {@link VenueStatus.unconfirmed} is after this poll. A recording that has no new step confirms the last one. */
  #unconfirmed(polled: readonly string[], observed: readonly Ticker[], now: number): Record<string, number> {
    const confirmed = new Set(
      this.#isRecorded ? polled : observed.filter((ticker) => !this.#isHalted(ticker, now)).map(({ symbol }) => symbol),
    );
    const { lastSuccessAt, unconfirmed } = this.#status ?? {};
    const missing = [...new Set([...(this.#storedSymbols ?? []), ...this.#known.keys()])].filter(
      (symbol) => !confirmed.has(symbol),
    );
    return Object.fromEntries(missing.map((symbol) => [symbol, unconfirmed?.[symbol] ?? lastSuccessAt ?? 0]));
  }

  #isHalted(ticker: Ticker, now: number): boolean {
    const before = this.#known.get(ticker.symbol);
    const isTold = this.#venue.source === 'live' && ticker.timestamp >= firstMarketAt;
    const isOld = isTold && ticker.timestamp < now - haltedHours * 3_600_000;
    return isOld && before !== undefined && isSame(before, ticker);
  }

  /** Writes the observations that differ from what is stored, in order. @returns how many were written */
  async #record(observed: readonly Ticker[]): Promise<number> {
    const now = this.#platform.clock.now();
    const puts: (Put & { readonly put: StoredTicker })[] = [];
    for (const ticker of observed) {
      const before = this.#known.get(ticker.symbol);
      if (before?.series === this.#venue.series && !this.#isNews(before, ticker, now)) continue;
      const after = this.#stored(ticker, before);
      this.#known.set(ticker.symbol, after);
      puts.push({ put: after, if: before === undefined ? ABSENT : equals('version', before.version) });
    }
    for (let start = 0; start < puts.length; start += batchMax) {
      const batch = puts.slice(start, start + batchMax);
      try {
        const refused = await this.#platform.table.writeMany(batch);
        // Another run was first: what it stored is read again before the next observation.
        for (const index of refused) this.#forget(batch[index]);
      } catch (error) {
        for (const put of puts) this.#forget(put);
        throw error;
      }
    }
    return puts.length;
  }

  /** Whether an observation replaces the stored one of its series: it differs and is not older. Impossible times are replaced. */
  #isNews(before: StoredTicker, ticker: Ticker, now: number): boolean {
    const isTimeKnown = this.#isRecorded || isPossible(before.timestamp, now);
    if (isTimeKnown && ticker.timestamp < before.timestamp) return false;
    const isImpossible =
      !isPossible(before.observedAt, now) ||
      (!this.#isRecorded && before.timestamp > boundedVenueTime(before.timestamp, now));
    return isImpossible || !isSame(before, ticker);
  }

  #forget(put: { readonly put: StoredTicker } | undefined): void {
    if (put !== undefined) this.#known.delete(put.put.symbol);
  }

  #stored(ticker: Ticker, before: StoredTicker | undefined): StoredTicker {
    const { id: venue, source, series } = this.#venue;
    return {
      ...tickerKey(venue, ticker.symbol),
      kind: 'ticker',
      ...ticker,
      venue,
      source,
      series,
      version: (before?.version ?? 0) + 1,
      observedAt: this.#platform.clock.now(),
    };
  }

  async #succeeded(
    startedAt: number,
    items: number,
    hasChanged: boolean,
    unconfirmed: Readonly<Record<string, number>>,
  ): Promise<void> {
    const now = this.#platform.clock.now();
    const wasFailing = this.#status?.failure != null;
    if (wasFailing) this.#platform.logger.info('The venue answers again', { venue: this.#venue.id });
    this.#status = {
      ...this.#attempt(startedAt, now),
      lastSuccessAt: now,
      lastChangeAt: hasChanged ? now : (this.#status?.lastChangeAt ?? null),
      items,
      failure: null,
      detail: null,
      consecutiveFailures: 0,
      unconfirmed,
    };
    const statusMs = staleAfterMs(this.#platform.config.market.syncSeconds) * statusPartOfStaleTime;
    if (!wasFailing && isWithin(this.#statusWrittenAt, statusMs, now)) return;
    await this.#writeStatus(now);
    this.#platform.logger.info(VENUE_IN_SYNC, { venue: this.#venue.id });
  }

  async #failed(startedAt: number, error: VenueError): Promise<void> {
    const { clock, logger, random } = this.#platform;
    const now = clock.now();
    const consecutiveFailures = (this.#status?.consecutiveFailures ?? 0) + 1;
    if (this.#status?.failure !== error.failure) {
      logger.warn('The venue fails', { venue: this.#venue.id, failure: error.failure, detail: error.message });
    }
    this.#status = {
      ...this.#attempt(startedAt, now),
      lastSuccessAt: this.#status?.lastSuccessAt ?? null,
      lastChangeAt: this.#status?.lastChangeAt ?? null,
      items: this.#status?.items ?? 0,
      failure: error.failure,
      detail: error.message,
      consecutiveFailures,
      unconfirmed: this.#status?.unconfirmed ?? {},
    };
    const durationMs = backOffMs(error, consecutiveFailures) * (0.5 + random.number() / 2);
    this.#backOff = { from: now, durationMs };
    await this.#writeStatus(now);
  }

  #attempt(startedAt: number, now: number) {
    const { id: venue, source } = this.#venue;
    return { venue, source, lastAttemptAt: startedAt, durationMs: now - startedAt };
  }

  async #writeStatus(now: number): Promise<void> {
    if (this.#status === undefined) return;
    await writeVenueStatus(this.#platform.table, this.#status);
    this.#statusWrittenAt = now;
  }
}

const isCurrent = ({ from, durationMs }: Span, now: number): boolean => isWithin(from, durationMs, now);

const symbolsOf = (markets: readonly Market[]): ReadonlySet<string> => new Set(markets.map(({ symbol }) => symbol));

const backOffMs = ({ failure, retryAfterMs }: VenueError, failures: number): number => {
  // The venue's own time is respected in full: the jitter takes away at most half.
  if (retryAfterMs !== undefined) return retryAfterMs * 2;
  if (failure === 'rate-limited' || failure === 'maintenance') return rateLimitedSeconds * 1000;
  if (failures < failuresBeforeBackOff) return 0;
  return exponentialMs(failures - failuresBeforeBackOff + 1, { firstMs: 1000, longestMs: backOffSecondsMax * 1000 });
};

const observedFields = ['last', 'bid', 'ask', 'high', 'low', 'baseVolume', 'percentage'] as const;
const isSame = (stored: StoredTicker, ticker: Ticker): boolean =>
  observedFields.every((field) => stored[field] === ticker[field]);
