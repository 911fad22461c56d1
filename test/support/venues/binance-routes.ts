/** What the Binance double answers, by method and path; weights and errors as in Binance's Spot REST documentation. */
import type { Pair } from './binance-market.ts';
import { bookTicker, dayTicker, kline, priceTicker, symbolInfo } from './binance-market.ts';
import type { VenueAccount } from './venue-accounts.ts';

export interface Exchange {
  readonly pairs: ReadonlyMap<string, Pair>;
  readonly weightPerMinute: number;
  readonly idsReachBack: boolean;
  now(): number;
}

export interface Answer {
  readonly status?: number;
  readonly weight: number;
  readonly body: unknown;
}

export type Route = (exchange: Exchange, query: URLSearchParams) => Answer;
export type SignedRoute = (exchange: Exchange, account: VenueAccount, query: URLSearchParams) => Answer;

/** An error as Binance sends it. */
export const refusal = (code: number, msg: string, status = 400, weight = 1): Answer => ({
  status,
  weight,
  body: { code, msg },
});

const klinesDefault = 500;
const klinesMax = 1000;
const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** The pairs that a request names by `symbol` or `symbols`; all when it names none. */
const named = ({ pairs }: Exchange, query: URLSearchParams): Pair[] | Answer => {
  const [symbol, symbols] = [query.get('symbol'), query.get('symbols')];
  if (symbol === null && symbols === null) return [...pairs.values()];
  if (symbol !== null && symbols !== null) return refusal(-1128, 'Combination of optional parameters invalid.');
  let ids: unknown = [symbol];
  if (symbols !== null) {
    try {
      ids = JSON.parse(symbols);
    } catch {
      ids = undefined;
    }
  }
  if (!Array.isArray(ids) || ids.length === 0) {
    return refusal(
      -1100,
      'Illegal characters found in parameter \'symbols\'; legal range is \'^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$\'.',
    );
  }
  const found = ids.flatMap((id) => pairs.get(id) ?? []);
  return found.length === ids.length ? found : refusal(-1121, 'Invalid symbol.');
};

/** A route that returns a body for each named pair: one object for `symbol`, a list otherwise. */
const perPair =
  (weigh: (pairs: number | 'all' | 'one') => number, bodyOf: (pair: Pair, now: number) => unknown): Route =>
  (exchange, query) => {
    const pairs = named(exchange, query);
    if (!Array.isArray(pairs)) return pairs;
    const bodies = pairs.map((pair) => bodyOf(pair, exchange.now()));
    if (query.has('symbol')) return { weight: weigh('one'), body: bodies[0] };
    return { weight: weigh(query.has('symbols') ? pairs.length : 'all'), body: bodies };
  };

const dayWeight = (pairs: number | 'all' | 'one') =>
  pairs === 'one' ? 2 : pairs === 'all' || pairs > 100 ? 80 : pairs > 20 ? 40 : 2;

const exchangeInfo: Route = (exchange, query) => {
  const pairs = named(exchange, query);
  if (!Array.isArray(pairs)) return pairs;
  return {
    weight: 20,
    body: {
      timezone: 'UTC',
      serverTime: exchange.now(),
      rateLimits: [
        { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: exchange.weightPerMinute },
        { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
        { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: 200_000 },
        { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 61_000 },
      ],
      exchangeFilters: [],
      symbols: pairs.map(symbolInfo),
    },
  };
};

const klines: Route = ({ pairs, now }, query) => {
  for (const parameter of ['symbol', 'interval']) {
    if (!query.get(parameter)) {
      return refusal(-1102, `Mandatory parameter '${parameter}' was not sent, was empty/null, or malformed.`);
    }
  }
  const pair = pairs.get(query.get('symbol') ?? '');
  if (pair === undefined) return refusal(-1121, 'Invalid symbol.');
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(query.get('interval') ?? '') ?? [];
  const intervalMs = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (Number.isNaN(intervalMs)) return refusal(-1120, 'Invalid interval.');
  const limit = Math.min(Number(query.get('limit') ?? klinesDefault), klinesMax);
  const [start, end] = [query.get('startTime'), Math.min(Number(query.get('endTime') ?? now()), now())];
  const newest = Math.floor(end / intervalMs) * intervalMs;
  const oldest =
    start === null ? newest - (limit - 1) * intervalMs : Math.ceil(Number(start) / intervalMs) * intervalMs;
  const candles: unknown[] = [];
  for (let time = oldest; time <= newest && candles.length < limit; time += intervalMs) {
    candles.push(kline(pair, time, intervalMs, now()));
  }
  return { weight: 2, body: candles };
};

/** Further endpoints are further entries. */
export const routes: Readonly<Record<string, Route>> = {
  'GET /api/v3/ping': () => ({ weight: 1, body: {} }),
  'GET /api/v3/time': ({ now }) => ({ weight: 1, body: { serverTime: now() } }),
  'GET /api/v3/exchangeInfo': exchangeInfo,
  'GET /api/v3/ticker/24hr': perPair(dayWeight, dayTicker),
  'GET /api/v3/ticker/price': perPair((pairs) => (pairs === 'one' ? 2 : 4), priceTicker),
  'GET /api/v3/ticker/bookTicker': perPair((pairs) => (pairs === 'one' ? 2 : 4), bookTicker),
  'GET /api/v3/klines': klines,
};
