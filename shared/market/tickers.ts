import type { Ticker, TickerSource } from '#shared/exchange/venue';
import { type Change, every, type Item, keyOf, type Page, type Table } from '#shared/platform/table';
import type { PriceQuote } from './price-quote.ts';

/** The newest ticker of a symbol. Its version rises by one with each observation that differs from the one before. */
export interface StoredTicker extends Item, Ticker {
  readonly [attribute: string]: Item[string];
  readonly kind: 'ticker';
  readonly version: number;
  readonly venue: string;
  readonly source: TickerSource;
  readonly series: string;
  /** When we saw it, epoch ms. */
  readonly observedAt: number;
}

const partition = (venue: string) => keyOf('PRICES', venue);
export const tickerKey = (venue: string, symbol: string) => ({ pk: partition(venue), sk: keyOf('TICKER', symbol) });

/** The newest tickers of each venue. */
export class Tickers {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async of(
    venue: string,
    symbol: string,
    options: { readonly consistent?: boolean } = {},
  ): Promise<StoredTicker | undefined> {
    return await this.#table.get<StoredTicker>(tickerKey(venue, symbol), options);
  }

  async ofMany(venue: string, symbols: readonly string[]): Promise<StoredTicker[]> {
    return await this.#table.getMany<StoredTicker>(
      symbols.map((symbol) => tickerKey(venue, symbol)),
      { consistent: true },
    );
  }

  /** The symbols of which a ticker of the venue is stored. */
  async symbols(venue: string): Promise<string[]> {
    const symbols: string[] = [];
    for await (const { symbol } of every<StoredTicker>(this.#table, { pk: partition(venue) })) symbols.push(symbol);
    return symbols;
  }

  /** All tickers of a venue by symbol, a page at a time. */
  async page(venue: string, limit: number, cursor?: string): Promise<Page<StoredTicker>> {
    return await this.#table.query<StoredTicker>({
      pk: partition(venue),
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
  }
}

/** @param confirmedAt when the venue last confirmed it, epoch ms, or null where that is not known; by default, when it was observed */
export const priceQuoteOf = (
  ticker: StoredTicker,
  stale: boolean,
  confirmedAt: number | null = ticker.observedAt,
): PriceQuote => ({
  venue: ticker.venue,
  symbol: ticker.symbol,
  last: ticker.last,
  bid: ticker.bid,
  ask: ticker.ask,
  high: ticker.high,
  low: ticker.low,
  baseVolume: ticker.baseVolume,
  percentage: ticker.percentage,
  timestamp: ticker.timestamp,
  source: ticker.source,
  confirmedAt,
  stale,
});

/** A move of a symbol's last price. */
export interface PriceMove {
  readonly venue: string;
  readonly symbol: string;
  /** The price before; undefined for the first one of its series. */
  readonly from: string | undefined;
  readonly to: string;
  /** Version of the ticker that it led to: moves of a symbol are ordered by it. */
  readonly version: number;
  /** When it was seen, epoch ms. */
  readonly at: number;
  /** The time of the price on the record, epoch ms, where it was played from a recording. */
  readonly recordedAt?: number | undefined;
}

/** The time of a ticker on the record that it was played from, epoch ms; undefined for one that was not. */
export const recordedAtOf = ({ source, timestamp }: Pick<StoredTicker, 'source' | 'timestamp'>): number | undefined =>
  source === 'recorded' ? timestamp : undefined;

/** The price move in a change of a ticker; undefined when the last price did not change. */
export const priceMoveOf = ({ before, after }: Change<StoredTicker>): PriceMove | undefined => {
  if (after === undefined) return undefined;
  const from = before?.series === after.series ? before.last : undefined;
  if (after.last === from) return undefined;
  return {
    venue: after.venue,
    symbol: after.symbol,
    from,
    to: after.last,
    version: after.version,
    at: after.observedAt,
    recordedAt: recordedAtOf(after),
  };
};
