/** USD-M futures of Binance: its requests and the names of its contracts. */
import type { Exchange } from 'ccxt';

/** Binance's errors where a key can't read futures, or where there is no futures account. */
const withoutFutures = /"code":\s*(?:-2015|-4109)\b/;
/** How long what was found out about an account is cached: about as long as a sync takes. */
const knownForMs = 60_000;
/** ccxt's own throttle would delay a sync by seconds; the limit shared between clients is enforced elsewhere. */
const cost = { cost: 1 };

/** Paths, with ccxt's name of their part of the API. */
const apis = {
  account: 'fapiPrivateV3',
  positionRisk: 'fapiPrivateV3',
  openOrders: 'fapiPrivate',
  openAlgoOrders: 'fapiPrivate',
  allOrders: 'fapiPrivate',
  allAlgoOrders: 'fapiPrivate',
  userTrades: 'fapiPrivate',
  income: 'fapiPrivate',
} as const;

/** Until when a client caches that its key can't read futures, and that the wallet is empty; epoch ms. */
const unseenUntil = new WeakMap<Exchange, number>();
const emptyUntil = new WeakMap<Exchange, number>();

/**
 * A request to USD-M futures. That a key can't read them is found out once, not with each request.
 * @returns undefined where the key can't read futures
 */
export const askUsdm = async (
  exchange: Exchange,
  path: keyof typeof apis,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<unknown> => {
  if (isUnseen(exchange)) return undefined;
  try {
    return await exchange.request(path, apis[path], 'GET', { ...parameters }, undefined, undefined, cost);
  } catch (error) {
    if (!(error instanceof Error) || !withoutFutures.test(error.message)) throw error;
    // Binance returns the same error for a revoked key: then this fails as well.
    await exchange.request('account/apiRestrictions', 'sapi', 'GET', {});
    unseenUntil.set(exchange, exchange.milliseconds() + knownForMs);
    return undefined;
  }
};

/** Whether the key was found unable to read futures. */
export const isUnseen = (exchange: Exchange): boolean => isNow(unseenUntil, exchange);

/** Notes that the contract wallet is empty: without margin there are no open orders to fetch. */
export const noteEmpty = (exchange: Exchange): void => {
  emptyUntil.set(exchange, exchange.milliseconds() + knownForMs);
};
export const isEmpty = (exchange: Exchange): boolean => isNow(emptyUntil, exchange);

const isNow = (until: WeakMap<Exchange, number>, exchange: Exchange): boolean =>
  (until.get(exchange) ?? 0) > exchange.milliseconds();

/** What contracts are quoted and margined in. */
const quotes = ['USDT', 'USDC', 'BUSD', 'FDUSD', 'USD1', 'BTC'];

/**
 * ccxt's name of a contract, whose quote currency is that of its margin: `BTCUSDT` is `BTC/USDT:USDT`, `BTCUSDT_261225`
 * is `BTC/USDT:USDT-261225`. So the list of all contracts need not be loaded. One that is quoted in something
 * else keeps Binance's name.
 */
export const contractSymbol = (id: string): string => {
  const [pair = '', expiry] = id.split('_');
  const quote = quotes.find((end) => pair.length > end.length && pair.endsWith(end));
  if (quote === undefined) return id;
  return `${pair.slice(0, -quote.length)}/${quote}:${quote}${expiry === undefined ? '' : `-${expiry}`}`;
};

/** Binance's name of a contract; that of {@link contractSymbol} back. */
export const contractId = (symbol: string): string => {
  const [pair = '', settlement = ''] = symbol.split(':');
  const expiry = settlement.split('-')[1];
  return pair.replace('/', '') + (expiry === undefined ? '' : `_${expiry}`);
};

/** Whether a symbol is that of a contract: spot markets are all named by two assets and nothing else. */
export const isContract = (symbol: string): boolean => symbol.includes(':') || !symbol.includes('/');
