import type { Exchange } from 'ccxt';
import { VenueError } from '#shared/exchange/errors';
import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import type { CcxtClientOptions } from './client.ts';
import { createCcxtClient } from './client.ts';
import type { NativeTicker } from './market-mapping.ts';
import { toMarket, toTicker } from './market-mapping.ts';

/** Most symbols requested by name. For more, the whole market is requested: long URLs are refused, and on Binance it costs the same. */
const namedSymbolsMax = 100;
/** Requests at a time to a venue that gives one ticker per request. */
const singleTickersAtOnce = 4;

/**
 * A live exchange: its spot markets and their newest prices, through ccxt.
 * No request is made before the first call.
 * @throws {VenueError} `not-supported`: ccxt has no such exchange
 */
export const createCcxtVenue = async (options: CcxtClientOptions): Promise<Venue> => {
  const { id, clock, logger } = options;
  const client = await createCcxtClient(options);
  /** Markets that we know and the venue no longer has; one of them would fail a call for many. */
  const gone = new Set<string>();

  const observe = async (exchange: Exchange, symbols: readonly string[]): Promise<Map<string, NativeTicker>> => {
    // A failed load would stay in ccxt's cache unless a reload is forced.
    if (exchange.markets === undefined) await exchange.loadMarkets(true);
    const listed = symbols.filter((symbol) => exchange.markets?.[symbol]?.spot === true && !gone.has(symbol));
    if (listed.length === 0) return new Map();
    if (!exchange.has.fetchTickers) return singly(exchange, listed);
    if (listed.length > namedSymbolsMax) return only(listed, await exchange.fetchTickers());
    try {
      return only(listed, await exchange.fetchTickers(listed));
    } catch (error) {
      if (!isBadSymbol(error)) throw error;
      const found = only(listed, await exchange.fetchTickers());
      for (const symbol of listed) if (!found.has(symbol)) gone.add(symbol);
      return found;
    }
  };

  return {
    id,
    source: 'live',
    series: 'live',

    async markets(): Promise<Market[]> {
      const natives = await client.run((exchange) => exchange.loadMarkets(true));
      gone.clear();
      const markets = Object.values(natives).flatMap((native) => toMarket({ ...native }) ?? []);
      if (markets.length === 0) {
        // An empty list is an answer of another shape; taken as true, it would drop every watched symbol.
        const failure = Object.keys(natives).length === 0 ? 'retryable' : 'not-supported';
        throw new VenueError(id, failure, `${id} lists no spot markets`);
      }
      return markets;
    },

    useMarkets(markets): void {
      const natives = markets.flatMap(({ native }) => native ?? []);
      if (natives.length === 0) return;
      client.exchange.setMarkets(natives);
      gone.clear();
    },

    async tickers(symbols): Promise<Ticker[]> {
      if (symbols.length === 0) return [];
      const natives = await client.run((exchange) => observe(exchange, symbols));
      const now = clock.now();
      const tickers = [...natives].flatMap(([symbol, native]) => {
        const malformed = (field: string) =>
          logger?.warn('A venue sent a number that is none', { venue: id, symbol, field });
        return toTicker(symbol, native, now, malformed) ?? [];
      });
      return tickers.sort((a, b) => a.timestamp - b.timestamp);
    },
  };
};

/** ccxt does not map these errors of Kraken. */
const unknownPair = /EQuery:Unknown asset pair/;

const isBadSymbol = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'BadSymbol' || unknownPair.test(error.message));

const only = (symbols: readonly string[], tickers: Readonly<Record<string, NativeTicker>>): Map<string, NativeTicker> =>
  new Map(
    symbols.flatMap((symbol): [string, NativeTicker][] => {
      const ticker = tickers[symbol];
      return ticker === undefined ? [] : [[symbol, ticker]];
    }),
  );

const singly = async (exchange: Exchange, symbols: readonly string[]): Promise<Map<string, NativeTicker>> => {
  const found = new Map<string, NativeTicker>();
  const waiting = [...symbols];
  const worker = async () => {
    for (let symbol = waiting.shift(); symbol !== undefined; symbol = waiting.shift()) {
      try {
        found.set(symbol, await exchange.fetchTicker(symbol));
      } catch (error) {
        if (isBadSymbol(error)) continue;
        waiting.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: singleTickersAtOnce }, worker));
  return found;
};
