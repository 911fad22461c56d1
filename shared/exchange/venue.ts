/** Where a price comes from: a live exchange, recorded candles, or the simulator. */
export type TickerSource = 'live' | 'recorded' | 'simulated';

/** A tradable pair or contract of a venue, in ccxt's terms. Amounts and prices are decimal strings. */
export interface Market {
  /** Unified symbol as in ccxt: `BTC/USDT`, `BTC/USDT:USDT`. */
  readonly symbol: string;
  /** The venue's own name for it. */
  readonly id: string;
  readonly base: string;
  readonly quote: string;
  /** Settlement currency of a contract. */
  readonly settle?: string;
  readonly type: 'spot' | 'swap' | 'future' | 'option' | 'margin';
  readonly active: boolean;
  /** The adapter's own record of the market, kept so that its client need not fetch it again. */
  readonly native?: { readonly [name: string]: unknown };
}

/** One observation of a market. Decimal strings; null where the venue does not say. */
export interface Ticker {
  readonly symbol: string;
  readonly last: string;
  readonly bid: string | null;
  readonly ask: string | null;
  /** Highest and lowest price, base volume and change in percent over the last 24 hours. */
  readonly high: string | null;
  readonly low: string | null;
  readonly baseVolume: string | null;
  readonly percentage: string | null;
  /** When the venue saw it, epoch ms. */
  readonly timestamp: number;
}

/** A place that has markets and prices. Every method throws the errors of `errors.ts` and ends within bounded time. */
export interface Venue {
  readonly id: string;
  readonly source: TickerSource;
  /** Names the series of its prices: from one series to another (a recording played again, another seed) there is no move. */
  readonly series: string;
  /** All active markets. */
  markets(): Promise<Market[]>;
  /** Markets known from an earlier call of {@link markets}, so that this client need not fetch them. */
  useMarkets(markets: readonly Market[]): void;
  /**
   * Observations of the symbols, oldest first, in as few calls as the venue allows. A live venue only knows the newest of
   * each symbol; a recorded one gives every step after the symbol's `seen` time, so that no move is missed.
   * A symbol that the venue does not have is left out.
   * @param seen timestamp of the newest observation known, by symbol, epoch ms
   */
  tickers(symbols: readonly string[], seen: ReadonlyMap<string, number>): Promise<Ticker[]>;
}
