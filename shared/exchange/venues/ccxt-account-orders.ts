import type { Exchange, Order } from 'ccxt';
import type { VenueOrder } from '../account-venue.ts';
import { VenueError } from '../errors.ts';
import { toOrder } from './ccxt-account-mapping.ts';
import type { AccountRules } from './ccxt-account-rules.ts';
import { readAll, wholeList } from './ccxt-windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** A page of an order list that Binance tells by symbol. */
const ordersBySymbolMax = 1000;
/** How long before they ended orders may have been placed, where the venue goes by when they were placed. */
const orderLifetimeMs = 7 * dayMs;
/** Most pages of open orders. */
const openOrderPagesMax = 40;
/** The mark that ccxt leaves in the first entry of a page, where there are more. */
const nextPage = (natives: readonly Order[]): string | undefined =>
  natives.map(({ info }) => info?.nextPageCursor).find((cursor) => typeof cursor === 'string' && cursor !== '');

/** Open orders, of all symbols where none is named, of one type of markets. */
export const readOpenOrders = async (
  exchange: Exchange,
  symbol: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
): Promise<VenueOrder[]> => {
  const found: VenueOrder[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < openOrderPagesMax; page++) {
    const from = cursor === undefined ? {} : { cursor };
    const natives = await exchange.fetchOpenOrders(symbol, undefined, undefined, { ...parameters, ...from });
    found.push(...natives.map(toOrder));
    cursor = nextPage(natives);
    if (cursor === undefined) return found;
  }
  // Some of them would look as if they had ended.
  throw new VenueError(exchange.id, 'unknown', `${exchange.id} tells of more open orders than can be read`);
};

/** Orders that may have ended since then, and others; of one type of markets. */
export const readEndedOrders = async (
  exchange: Exchange,
  { orders, endedOrders }: AccountRules,
  symbol: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
  since: number,
  now: number,
): Promise<VenueOrder[]> => {
  if (endedOrders !== undefined) {
    const natives = await endedOrders(exchange, since, now);
    return natives.map(toOrder).filter((order) => symbol === undefined || order.symbol === symbol);
  }
  if (exchange.id === 'binance') return readOrdersBySymbol(exchange, symbol, since);
  const read = [exchange.fetchCanceledAndClosedOrders, exchange.fetchClosedOrders, exchange.fetchOrders].find(
    (_, index) => exchange.has[['fetchCanceledAndClosedOrders', 'fetchClosedOrders', 'fetchOrders'][index] ?? ''],
  );
  if (read === undefined) throw new VenueError(exchange.id, 'not-supported', `${exchange.id} does not offer this`);
  const stretch = { from: Math.max(since - orderLifetimeMs, 0), to: now };
  const natives = await readAll(stretch, orders ?? wholeList, async ({ from, to }) => {
    if (orders === undefined) return { entries: await read.call(exchange, symbol, from), filled: 0 };
    const entries = await read.call(exchange, symbol, from, orders.pageEntries, { ...parameters, until: to });
    return { entries, filled: entries.length / orders.pageEntries };
  });
  return natives.map(toOrder);
};

/** The newest orders; should there be more since then, all from there on, by id. */
const readOrdersBySymbol = async (
  exchange: Exchange,
  symbol: string | undefined,
  since: number,
): Promise<VenueOrder[]> => {
  const newest = await exchange.fetchOrders(symbol, undefined, ordersBySymbolMax);
  const found = newest.map(toOrder);
  const oldest = found.reduce((least, { createdAt }) => Math.min(least, createdAt), Number.POSITIVE_INFINITY);
  if (newest.length < ordersBySymbolMax || oldest < since) return found;
  let page = (await exchange.fetchOrders(symbol, since, ordersBySymbolMax)).map(toOrder);
  found.push(...page);
  while (page.length >= ordersBySymbolMax) {
    const next = page.reduce((id, { orderId }) => (BigInt(orderId) >= id ? BigInt(orderId) + 1n : id), 0n);
    const parameters = { orderId: String(next) };
    page = (await exchange.fetchOrders(symbol, undefined, ordersBySymbolMax, parameters)).map(toOrder);
    found.push(...page);
  }
  return found;
};
