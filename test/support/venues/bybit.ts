/** Bybit's v5 REST API of a unified account on a loopback port, as far as ccxt's `bybit` uses it, with faults on demand. */
import { createHmac } from 'node:crypto';
import { bybitPair, bybitSymbol, tickers } from './bybit-market.ts';
import type { BybitAnswer } from './bybit-routes.ts';
import { bybitRoutes, refused, success } from './bybit-routes.ts';
import type { VenueAccount } from './venue-accounts.ts';
import { VenueAccounts } from './venue-accounts.ts';
import type { VenueAnswer, VenueRequest, VenueServer } from './venue-server.ts';
import { startVenueServer } from './venue-server.ts';

/** How far ahead of Bybit's clock a timestamp may be. */
const aheadMs = 1000;

export interface BybitOptions {
  /** Bases that are traded against USDT, on the spot and as a perpetual. */
  readonly bases?: readonly string[];
  /** Requests per second, key and endpoint; more are refused until the second is over. */
  readonly requestsPerSecond?: number;
  readonly port?: number;
  /** Bybit's time, epoch ms; that of the machine when left out. */
  readonly now?: () => number;
}

export interface BybitDouble extends VenueServer {
  /** Keys, and what they give access to. The spot wallet is the unified account. */
  readonly accounts: VenueAccounts;
  /** Of a base against USDT, `BTC/USDT`: that of its perpetual as well. */
  setPrice(symbol: string, price: string): void;
  /** While on, every request is refused as during system maintenance. */
  maintenance(on: boolean): void;
}

export const startBybit = async (options: BybitOptions = {}): Promise<BybitDouble> => {
  const { bases = ['BTC', 'ETH', 'SOL'], requestsPerSecond = 50, port = 0, now = Date.now } = options;
  const pairs = new Map(bases.map(bybitPair).map((pair) => [pair.symbol, pair]));
  const accounts = new VenueAccounts();
  const used = new Map<string, { second: number; requests: number }>();
  let inMaintenance = false;

  /** How many more requests the key may make for the path in this second; below zero after too many. */
  const remaining = ({ path, at }: VenueRequest, apiKey: string): number => {
    const second = Math.floor(at / 1000);
    const counted = `${apiKey} ${path}`;
    const last = used.get(counted);
    const requests = (last?.second === second ? last.requests : 0) + 1;
    used.set(counted, { second, requests });
    return requestsPerSecond - requests;
  };

  const answerTo = (request: VenueRequest, headers: Record<string, string>): BybitAnswer | undefined => {
    const { path, query, at } = request;
    if (path === '/v5/market/time') {
      return success({ timeSecond: String(Math.floor(at / 1000)), timeNano: `${at}000000` });
    }
    if (path === '/v5/market/instruments-info') return success(instruments(bases, query));
    if (path === '/v5/market/tickers') return success(tickers(pairs.values(), query));
    const route = bybitRoutes[path];
    if (route === undefined) return undefined;
    const signed = signer(accounts, request);
    if ('retCode' in signed) return signed;
    const left = remaining(request, signed.key.apiKey);
    headers['x-bapi-limit'] = String(requestsPerSecond);
    headers['x-bapi-limit-status'] = String(Math.max(0, left));
    headers['x-bapi-limit-reset-timestamp'] = String(at);
    if (left < 0) return refused(10006, 'Too many visits. Exceeded the API Rate Limit.');
    return route(signed, query, at);
  };

  const answer = (request: VenueRequest): VenueAnswer => {
    if (inMaintenance) return { status: 503, body: '<html>Service Unavailable</html>' };
    const headers: Record<string, string> = {};
    const found = answerTo(request, headers);
    if (found === undefined) return { status: 404, body: '' };
    return { headers, body: { ...found, retExtInfo: {}, time: request.at } };
  };

  const setPrice = (symbol: string, price: string): void => {
    const pair = pairs.get(symbol);
    if (pair === undefined) throw new Error(`${symbol} is not listed`);
    pair.last = price;
    if (Number(price) > Number(pair.high)) pair.high = price;
    if (Number(price) < Number(pair.low)) pair.low = price;
  };

  const server = await startVenueServer({
    port,
    now,
    answer,
    setPrice,
    malformedBody: '{"retCode":0,"retMsg":"OK","result":{"list',
  });
  return {
    ...server,
    accounts,
    setPrice,
    maintenance: (on) => {
      inMaintenance = on;
    },
  };
};

/** @returns the account whose key signed the request; the refusal otherwise */
const signer = (accounts: VenueAccounts, { headers, rawQuery, body, at }: VenueRequest): VenueAccount | BybitAnswer => {
  const [apiKey, timestamp, recvWindow, sign] = ['api-key', 'timestamp', 'recv-window', 'sign'].map((name) =>
    String(headers[`x-bapi-${name}`] ?? ''),
  );
  if (!apiKey) return refused(10007, 'api_key not found in your request parameters');
  const sentAt = Number(timestamp);
  if (!(sentAt < at + aheadMs && at - sentAt <= Number(recvWindow || 5000))) {
    const times = `req_timestamp[${timestamp}],server_timestamp[${at}],recv_window[${recvWindow}]`;
    return refused(10002, `invalid request, please check your server timestamp or recv_window param. ${times}`);
  }
  const account = accounts.find(apiKey);
  if (account === undefined) return refused(10003, 'API key is invalid.');
  const payload = `${timestamp}${apiKey}${recvWindow}${rawQuery}${body}`;
  if (createHmac('sha256', account.key.secret).update(payload).digest('hex') !== sign) {
    return refused(10004, 'error sign! please check your signature generation algorithm.');
  }
  if (!account.key.permissions.includes('read')) {
    return refused(10005, 'Permission denied, please check your API key permissions.');
  }
  return account;
};

const instruments = (bases: readonly string[], query: URLSearchParams) => {
  const category = query.get('category');
  const listed = query.get('status') === 'PreLaunch' || category === 'option' ? [] : bases;
  const list = listed.map((base) => ({
    symbol: bybitSymbol(base, category),
    baseCoin: base,
    quoteCoin: category === 'inverse' ? 'USD' : 'USDT',
    status: 'Trading',
    marginTrading: 'both',
    lotSizeFilter: {
      basePrecision: '0.000001',
      quotePrecision: '0.0000001',
      minOrderQty: category === 'inverse' ? '1' : '0.001',
      maxOrderQty: '500',
      minOrderAmt: '5',
      maxOrderAmt: '8000000',
      qtyStep: '0.001',
    },
    priceFilter: { tickSize: '0.01', minPrice: '0.01', maxPrice: '199999.98' },
    ...(category === 'spot'
      ? {}
      : {
          contractType: category === 'inverse' ? 'InversePerpetual' : 'LinearPerpetual',
          settleCoin: category === 'inverse' ? base : 'USDT',
          launchTime: '1585526400000',
          deliveryTime: '0',
          leverageFilter: { minLeverage: '1', maxLeverage: '100.00', leverageStep: '0.01' },
        }),
  }));
  return { category, list, nextPageCursor: '' };
};
