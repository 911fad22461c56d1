/** Binance's Spot REST API on a loopback port, as far as ccxt's `binance` uses it, with faults on demand. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Listing } from './binance-market.ts';
import { defaultListings, pairOf } from './binance-market.ts';
import type { Answer } from './binance-routes.ts';
import { refusal, routes } from './binance-routes.ts';

const minuteMs = 60_000;

export interface BinanceOptions {
  readonly listings?: readonly Listing[];
  /** Weight of requests per minute and address; more gets 429 until the minute is over. */
  readonly weightPerMinute?: number;
  /** Port to listen on; any free one when left out. */
  readonly port?: number;
}

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Epoch ms. */
  readonly at: number;
}

export interface PriceChange {
  readonly symbol: string;
  readonly price: string;
  /** Epoch ms. */
  readonly at: number;
}

/** An answer given instead of the true one. */
export interface Fault {
  readonly status: number;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many requests get it; 1 when left out. */
  readonly times?: number;
}

type Misbehaviour = (response: ServerResponse) => void;

export interface BinanceDouble {
  readonly url: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly ReceivedRequest[];
  /** Every price set so far, oldest first. */
  readonly priceChanges: readonly PriceChange[];
  setPrice(symbol: string, price: string): void;
  /** Takes a symbol off the exchange, as a delisting does. */
  delist(symbol: string): void;
  /** The next requests get this answer. Faults are used up in the order in which they were asked for. */
  fail(fault: Fault): void;
  /** The next requests get no answer at all. */
  hang(times?: number): void;
  /** The next requests get the head of an answer and the start of its body, and no more. */
  stall(times?: number): void;
  /** The next requests get broken JSON with status 200. */
  malformed(times?: number): void;
  /** The next requests get their connection cut. */
  drop(times?: number): void;
  /** While on, every request is refused as during system maintenance. */
  maintenance(on: boolean): void;
  close(): Promise<void>;
}

export const startBinance = async (options: BinanceOptions = {}): Promise<BinanceDouble> => {
  const { listings = defaultListings, weightPerMinute = 6000, port = 0 } = options;
  const pairs = new Map(listings.map(pairOf).map((pair) => [pair.id, pair]));
  const requests: ReceivedRequest[] = [];
  const priceChanges: PriceChange[] = [];
  const misbehaviours: Misbehaviour[] = [];
  let inMaintenance = false;
  let used = { minute: 0, weight: 0 };

  const exchange = { pairs, weightPerMinute, now: Date.now };
  const misbehave = (times: number, how: Misbehaviour) => {
    for (let time = 0; time < times; time++) misbehaviours.push(how);
  };
  const pairNamed = (symbol: string) => {
    const pair = pairs.get(symbol.replace('/', ''));
    if (pair === undefined) throw new Error(`${symbol} is not listed`);
    return pair;
  };

  const answerTo = (method: string, url: URL): Answer => {
    if (inMaintenance) return refusal(1, 'System is under maintenance.', 503);
    const route = routes[`${method} ${url.pathname}`];
    return route === undefined ? { status: 404, weight: 1, body: '' } : route(exchange, url.searchParams);
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const at = Date.now();
    const url = new URL(request.url ?? '/', 'http://binance');
    const method = request.method ?? 'GET';
    requests.push({ method, path: url.pathname, query: Object.fromEntries(url.searchParams), at });
    const misbehaviour = misbehaviours.shift();
    if (misbehaviour !== undefined) return misbehaviour(response);

    const answer = answerTo(method, url);
    const minute = Math.floor(at / minuteMs);
    used = { minute, weight: (used.minute === minute ? used.weight : 0) + answer.weight };
    const headers = { 'x-mbx-used-weight': String(used.weight), 'x-mbx-used-weight-1m': String(used.weight) };
    if (used.weight <= weightPerMinute) return reply(response, answer.status ?? 200, answer.body, headers);
    const banned = refusal(-1003, 'Too much request weight used; please use WebSocket Streams for live updates.', 429);
    const retryAfter = String(Math.ceil(((minute + 1) * minuteMs - at) / 1000));
    return reply(response, 429, banned.body, { ...headers, 'retry-after': retryAfter });
  };

  const server = createServer(handle);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The double has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    priceChanges,
    setPrice(symbol, price) {
      const pair = pairNamed(symbol);
      pair.last = price;
      if (Number(price) > Number(pair.high)) pair.high = price;
      if (Number(price) < Number(pair.low)) pair.low = price;
      priceChanges.push({ symbol, price, at: Date.now() });
    },
    delist: (symbol) => void pairs.delete(pairNamed(symbol).id),
    fail: ({ status, body = '', headers = {}, times = 1 }) =>
      misbehave(times, (response) => reply(response, status, body, headers)),
    hang: (times = 1) => misbehave(times, () => {}),
    stall: (times = 1) => misbehave(times, (response) => void response.writeHead(200).write('[{"symbol":')),
    malformed: (times = 1) => misbehave(times, (response) => reply(response, 200, '[{"symbol":"BTCUSDT","lastPr', {})),
    drop: (times = 1) => misbehave(times, (response) => void response.socket?.destroy()),
    maintenance: (on) => {
      inMaintenance = on;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const reply = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>>) => {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
