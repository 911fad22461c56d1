/** The public endpoints of the Kraken double, by path, as in Kraken's documentation of its market data. */
import type { KrakenPair } from './kraken-market.ts';
import { assetId, assetInfo, assetPair, krakenCandles, krakenTicker } from './kraken-market.ts';

/** Errors come with status 200, and without a result. */
export type KrakenAnswer = { readonly error: readonly string[]; readonly result?: unknown };

export const success = (result: unknown): KrakenAnswer => ({ error: [], result });
export const refused = (error: string): KrakenAnswer => ({ error: [error] });

export interface KrakenExchange {
  readonly pairs: ReadonlyMap<string, KrakenPair>;
  /** Kraken's time, epoch ms. */
  readonly now: number;
}

type PublicRoute = (exchange: KrakenExchange, query: URLSearchParams) => KrakenAnswer;

/** Pairs by any of their names; all where none is named. */
const named = ({ pairs }: KrakenExchange, query: URLSearchParams): KrakenPair[] | undefined => {
  const names = query.get('pair');
  if (names === null) return [...pairs.values()];
  const found = names.split(',').flatMap((name) => {
    const pair = pairs.get(name) ?? [...pairs.values()].find(({ altname }) => altname === name);
    return pair ?? [];
  });
  return found.length === names.split(',').length ? found : undefined;
};

const perPair =
  (resultOf: (pair: KrakenPair) => unknown): PublicRoute =>
  (exchange, query) => {
    const pairs = named(exchange, query);
    if (pairs === undefined) return refused('EQuery:Unknown asset pair');
    return success(Object.fromEntries(pairs.map((pair) => [pair.id, resultOf(pair)])));
  };

const assets: PublicRoute = ({ pairs }) => {
  const held = new Set([...pairs.values()].flatMap(({ base, quote }) => [base, quote]));
  return success(Object.fromEntries([...held].map((asset) => [assetId(asset), assetInfo(asset)])));
};

const candles: PublicRoute = (exchange, query) => {
  const [pair] = named(exchange, query) ?? [];
  if (pair === undefined || !query.has('pair')) return refused('EQuery:Unknown asset pair');
  const interval = Number(query.get('interval') ?? 1);
  if (![1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600].includes(interval)) return refused('EGeneral:Invalid arguments');
  const answer = krakenCandles(pair, interval, Number(query.get('since') ?? 0), exchange.now);
  return success({ [pair.id]: answer.candles, last: answer.last });
};

export const publicRoutes: Readonly<Record<string, PublicRoute>> = {
  '/0/public/Time': ({ now }) =>
    success({ unixtime: Math.floor(now / 1000), rfc1123: new Date(now).toUTCString().replace('GMT', '+0000') }),
  '/0/public/SystemStatus': ({ now }) =>
    success({ status: 'online', timestamp: `${new Date(now).toISOString().slice(0, 19)}Z` }),
  '/0/public/Assets': assets,
  '/0/public/AssetPairs': perPair(assetPair),
  '/0/public/Ticker': perPair(krakenTicker),
  '/0/public/OHLC': candles,
};
