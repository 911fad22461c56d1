import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { VenueError } from '#shared/exchange/errors';
import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, equals, type Put } from '#shared/platform/table';
import { Catalog } from './catalog.ts';
import { type StoredTicker, Tickers, tickerKey } from './tickers.ts';
import { readVenueStatus, type VenueStatus, writeVenueStatus } from './venue-status.ts';

/** How long a venue's list of markets stands. */
const catalogMinutes = 60;
/** When a list that could not be refreshed is asked for again. */
const catalogRetryMinutes = 1;
/** A status that only says "still fine" is written no more often than this. */
const statusSeconds = 15;
/** From this many failures in a row on, the venue is asked ever more seldom, up to {@link backOffSecondsMax}. */
const failuresBeforeBackOff = 3;
const backOffSecondsMax = 60;
const rateLimitedSeconds = 30;
/** Most observations written at once. */
const batchMax = 500;

/** Logged with its `venue` after a success, each time that the status is written; an alarm counts it. */
export const VENUE_IN_SYNC = 'The venue is in sync';

/** Keeps the tickers of one venue's watched symbols: asks the venue, writes what changed, tells how it went. */
export class MarketSync {
  readonly #platform: Platform;
  readonly #venue: Venue;
  readonly #tickers: Tickers;
  readonly #catalog: Catalog;
  /** The stored tickers as this process last saw them; it need not read what it wrote. */
  readonly #known = new Map<string, StoredTicker>();
  #listed: { readonly symbols: ReadonlySet<string>; readonly until: number } | undefined;
  #status: VenueStatus | undefined;
  #statusWrittenAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(platform: Platform, venue: Venue) {
    this.#platform = platform;
    this.#venue = venue;
    this.#tickers = new Tickers(platform.table);
    this.#catalog = new Catalog(platform.table);
  }

  /** One look at the venue. A failure of the venue is recorded, not thrown. */
  async run(): Promise<void> {
    const { clock, metrics, table } = this.#platform;
    const startedAt = clock.now();
    if (startedAt < this.#notBefore) return;
    this.#status ??= await readVenueStatus(table, this.#venue.id);
    try {
      const symbols = await this.#watched();
      const observed = await this.#venue.tickers(symbols, this.#seen());
      const changes = await this.#record(observed);
      metrics.addMetric('PriceChanges', MetricUnit.Count, changes);
      await this.#succeeded(startedAt, observed.length, changes > 0);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      await this.#failed(startedAt, error);
    }
    metrics.addMetric('MarketSyncDuration', MetricUnit.Milliseconds, clock.now() - startedAt);
  }

  /** The symbols to ask for: configured or watched, as far as the venue lists them. */
  async #watched(): Promise<string[]> {
    const listed = await this.#markets();
    const asked = new Set([...this.#platform.config.market.symbols, ...(await this.#catalog.watched(this.#venue.id))]);
    const symbols = [...asked].filter((symbol) => listed.has(symbol));
    const unknown = symbols.filter((symbol) => !this.#known.has(symbol));
    for (const ticker of await this.#tickers.ofMany(this.#venue.id, unknown)) this.#known.set(ticker.symbol, ticker);
    return symbols;
  }

  /** The symbols that the venue lists: remembered, else from the table, else from the venue. */
  async #markets(): Promise<ReadonlySet<string>> {
    const now = this.#platform.clock.now();
    if (this.#listed !== undefined && now < this.#listed.until) return this.#listed.symbols;
    const readAt = await this.#catalog.readAt(this.#venue.id);
    const until = (readAt ?? Number.NEGATIVE_INFINITY) + catalogMinutes * 60_000;
    if (now < until) {
      const markets = await this.#catalog.markets(this.#venue.id);
      this.#venue.useMarkets(markets);
      this.#listed = { symbols: symbolsOf(markets), until };
    } else {
      this.#listed = await this.#refreshed(now);
    }
    return this.#listed.symbols;
  }

  /** The venue's list as it is now; while it can't be had the known one goes on, because prices don't depend on it. */
  async #refreshed(now: number): Promise<{ readonly symbols: ReadonlySet<string>; readonly until: number }> {
    try {
      const markets = await this.#venue.markets();
      if (markets.length === 0) throw new VenueError(this.#venue.id, 'unknown', 'The venue lists no markets.');
      await this.#catalog.replace(this.#venue.id, markets, now);
      return { symbols: symbolsOf(markets), until: now + catalogMinutes * 60_000 };
    } catch (error) {
      const known = await this.#catalog.markets(this.#venue.id);
      if (!(error instanceof VenueError) || known.length === 0) throw error;
      this.#platform.logger.warn('The list of markets could not be refreshed', {
        venue: this.#venue.id,
        detail: error.message,
      });
      this.#venue.useMarkets(known);
      return { symbols: symbolsOf(known), until: now + catalogRetryMinutes * 60_000 };
    }
  }

  /** When the newest observation of each symbol was made, as far as it belongs to the venue's present series. */
  #seen(): Map<string, number> {
    const ofSeries = [...this.#known].filter(([, { series }]) => series === this.#venue.series);
    return new Map(ofSeries.map(([symbol, { timestamp }]) => [symbol, timestamp]));
  }

  /** Writes the observations that differ from what is stored, in order. @returns how many were written */
  async #record(observed: readonly Ticker[]): Promise<number> {
    const puts: (Put & { readonly put: StoredTicker })[] = [];
    for (const ticker of observed) {
      const before = this.#known.get(ticker.symbol);
      if (before?.series === this.#venue.series && (ticker.timestamp < before.timestamp || isSame(before, ticker)))
        continue;
      const after = this.#stored(ticker, before);
      this.#known.set(ticker.symbol, after);
      puts.push({ put: after, if: before === undefined ? ABSENT : equals('version', before.version) });
    }
    for (let start = 0; start < puts.length; start += batchMax) {
      const batch = puts.slice(start, start + batchMax);
      try {
        const refused = await this.#platform.table.writeMany(batch);
        // Another run was first: what it stored is read again before the next observation.
        for (const position of refused) this.#forget(batch[position]);
      } catch (error) {
        for (const put of puts) this.#forget(put);
        throw error;
      }
    }
    return puts.length;
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

  async #succeeded(startedAt: number, items: number, hasChanged: boolean): Promise<void> {
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
    };
    if (!wasFailing && now - this.#statusWrittenAt < statusSeconds * 1000) return;
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
    };
    this.#notBefore = now + backOffMs(error, consecutiveFailures) * (0.5 + random.number() / 2);
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

const symbolsOf = (markets: readonly Market[]): ReadonlySet<string> => new Set(markets.map(({ symbol }) => symbol));

const backOffMs = ({ failure, retryAfterMs }: VenueError, failures: number): number => {
  // The venue's own word is kept in full: the jitter takes away at most half.
  if (retryAfterMs !== undefined) return retryAfterMs * 2;
  if (failure === 'rate-limited' || failure === 'maintenance') return rateLimitedSeconds * 1000;
  if (failures < failuresBeforeBackOff) return 0;
  return Math.min(2 ** (failures - failuresBeforeBackOff), backOffSecondsMax) * 1000;
};

const observedFields = ['last', 'bid', 'ask', 'high', 'low', 'baseVolume', 'percentage'] as const;
const isSame = (stored: StoredTicker, ticker: Ticker): boolean =>
  observedFields.every((field) => stored[field] === ticker[field]);
