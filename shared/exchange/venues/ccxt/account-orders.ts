import type { Exchange } from 'ccxt';
import type { VenueOrder } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { toOrder } from './account-mapping.ts';
import type { AccountRules } from './account-rules.ts';
import { readPages } from './pages.ts';
import { isNarrowest, readAll, wholeList } from './windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** A page of an order list that Binance tells by symbol. */
const ordersBySymbolMax = 1000;
/** How long before they ended orders may have been placed, where the venue goes by when they were placed. */
const orderLifetimeMs = 7 * dayMs;

/** Open orders, of all symbols where none is named, of one type of markets. */
export const readOpenOrders = async (
  exchange: Exchange,
  symbol: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
): Promise<VenueOrder[]> => {
  const natives = await readPages(exchange, (from) =>
    exchange.fetchOpenOrders(symbol, undefined, undefined, { ...parameters, ...from }),
  );
  return natives.map(toOrder);
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
    const page = (more: object) =>
      read.call(exchange, symbol, from, orders.pageEntries, { ...parameters, until: to, ...more });
    // Orders of one moment, as those that are placed together, can't be told apart by time.
    const entries = isNarrowest({ from, to }) ? await readPages(exchange, page) : await page({});
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
