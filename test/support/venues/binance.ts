/** Binance's REST API of spot and USD-M futures on a loopback port, as far as ccxt's `binance` uses it, with faults on demand. */
import { signedRoutes } from './binance-account-routes.ts';
import type { Listing } from './binance-market.ts';
import { defaultListings, pairOf } from './binance-market.ts';
import type { Answer } from './binance-routes.ts';
import { refusal, routes } from './binance-routes.ts';
import { signer } from './binance-signing.ts';
import { VenueAccounts } from './venue-accounts.ts';
import type { VenueAnswer, VenueRequest, VenueServer } from './venue-server.ts';
import { startVenueServer } from './venue-server.ts';

const minuteMs = 60_000;

export interface BinanceOptions {
  readonly listings?: readonly Listing[];
  /** Weight of requests per minute and address, twice as much for each endpoint of `/sapi`; more gets 429 until the minute is over. */
  readonly weightPerMinute?: number;
  /** That of futures, which is counted apart. */
  readonly futuresWeightPerMinute?: number;
  /** Whether futures trades requested by id are listed if they are older than a week: Binance does not document it. */
  readonly idsReachBack?: boolean;
  /** Port to listen on; any free one when left out. */
  readonly port?: number;
  /** Binance's time, epoch ms; that of the machine when left out. */
  readonly now?: () => number;
}

export interface PriceChange {
  readonly symbol: string;
  readonly price: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface BinanceDouble extends VenueServer {
  /** Keys, and what they give access to. */
  readonly accounts: VenueAccounts;
  /** Every price set so far, oldest first. */
  readonly priceChanges: readonly PriceChange[];
  setPrice(symbol: string, price: string): void;
  /** Takes a symbol off the exchange, as a delisting does. */
  delist(symbol: string): void;
  /** While on, every request is refused as during system maintenance. */
  maintenance(on: boolean): void;
}

export const startBinance = async (options: BinanceOptions = {}): Promise<BinanceDouble> => {
  const {
    listings = defaultListings,
    weightPerMinute = 6000,
    futuresWeightPerMinute = 2400,
    idsReachBack = false,
  } = options;
  const { port = 0, now = Date.now } = options;
  const pairs = new Map(listings.map(pairOf).map((pair) => [pair.id, pair]));
  const accounts = new VenueAccounts();
  const priceChanges: PriceChange[] = [];
  let inMaintenance = false;
  const used = new Map<string, { readonly minute: number; readonly weight: number }>();

  const pairNamed = (symbol: string) => {
    const pair = pairs.get(symbol.replace('/', ''));
    if (pair === undefined) throw new Error(`${symbol} is not listed`);
    return pair;
  };

  const answerTo = (request: VenueRequest): Answer => {
    if (inMaintenance) return refusal(1, 'System is under maintenance.', 503);
    const exchange = { pairs, weightPerMinute, idsReachBack, now: () => request.at };
    const endpoint = `${request.method} ${request.path}`;
    const signedRoute = signedRoutes[endpoint];
    if (signedRoute !== undefined) {
      const signed = signer(accounts, request);
      return 'account' in signed ? signedRoute(exchange, signed.account, signed.query) : signed;
    }
    return routes[endpoint]?.(exchange, request.query) ?? { status: 404, weight: 1, body: '' };
  };

  /** Each endpoint of `/sapi` has a limit of its own, and so has `/fapi` as a whole. */
  const limitOn = (path: string): { counter: string; limit: number; headers: readonly string[] } => {
    const sapi = ['x-sapi-used-ip-weight-1m'];
    if (path.startsWith('/sapi/')) return { counter: path, limit: 2 * weightPerMinute, headers: sapi };
    const minute = 'x-mbx-used-weight-1m';
    if (path.startsWith('/fapi/')) return { counter: 'fapi', limit: futuresWeightPerMinute, headers: [minute] };
    return { counter: 'api', limit: weightPerMinute, headers: ['x-mbx-used-weight', minute] };
  };

  const weighed = (request: VenueRequest): VenueAnswer => {
    const answer = answerTo(request);
    const minute = Math.floor(request.at / minuteMs);
    const { counter, limit, headers: names } = limitOn(request.path);
    const before = used.get(counter);
    const weight = (before?.minute === minute ? before.weight : 0) + answer.weight;
    used.set(counter, { minute, weight });
    const headers = Object.fromEntries(names.map((name) => [name, String(weight)]));
    if (weight <= limit) return { ...answer, headers };
    const banned = refusal(-1003, 'Too much request weight used; please use WebSocket Streams for live updates.', 429);
    const retryAfter = String(Math.ceil(((minute + 1) * minuteMs - request.at) / 1000));
    return { ...banned, headers: { ...headers, 'retry-after': retryAfter } };
  };

  const setPrice = (symbol: string, price: string): void => {
    const pair = pairNamed(symbol);
    pair.last = price;
    if (Number(price) > Number(pair.high)) pair.high = price;
    if (Number(price) < Number(pair.low)) pair.low = price;
    priceChanges.push({ symbol, price, at: now() });
  };

  const malformedBody = '[{"symbol":"BTCUSDT","lastPr';
  const server = await startVenueServer({ port, now, answer: weighed, malformedBody, setPrice });
  return {
    ...server,
    accounts,
    priceChanges,
    setPrice,
    delist: (symbol) => void pairs.delete(pairNamed(symbol).id),
    maintenance: (on) => {
      inMaintenance = on;
    },
  };
};
