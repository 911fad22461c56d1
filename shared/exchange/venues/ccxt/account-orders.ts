import type { Exchange, Order } from 'ccxt';
import type { VenueList, VenueOrder } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { toOrder } from './account-mapping.ts';
import type { AccountRules } from './account-rules.ts';
import { readPages } from './pages.ts';
import { readRows } from './rows.ts';
import { isContract, namedMarket } from './unlisted.ts';
import { isNarrowest, readAll, wholeList } from './windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** How long before they ended orders may have been placed, where the venue filters by when they were placed. */
const orderLifetimeMs = 7 * dayMs;

/** Open orders, of all symbols where none is named, of one type of markets. */
export const readOpenOrders = async (
  exchange: Exchange,
  symbol: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
): Promise<VenueList<VenueOrder>> => {
  const natives = await readPages(exchange, (from) =>
    exchange.fetchOpenOrders(symbol, undefined, undefined, { ...parameters, ...from }),
  );
  return toOrders(exchange, 'open-orders', natives, parameters);
};

/** Orders that may have ended since then, and others; of one type of markets. */
export const readEndedOrders = async (
  exchange: Exchange,
  { orders, endedOrders, ordersById }: AccountRules,
  symbol: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
  since: number,
  now: number,
): Promise<VenueList<VenueOrder>> => {
  if (endedOrders !== undefined) {
    const natives = await endedOrders(exchange, since, now);
    const { items, rejected } = toOrders(exchange, 'closed-orders', natives, parameters);
    return { items: items.filter((order) => symbol === undefined || order.symbol === symbol), rejected };
  }
  if (ordersById !== undefined) return readOrdersById(exchange, ordersById.pageEntries, symbol, since);
  const read = [exchange.fetchCanceledAndClosedOrders, exchange.fetchClosedOrders, exchange.fetchOrders].find(
    (_, index) => exchange.has[['fetchCanceledAndClosedOrders', 'fetchClosedOrders', 'fetchOrders'][index] ?? ''],
  );
  if (read === undefined) throw new VenueError(exchange.id, 'not-supported', `${exchange.id} does not offer this`);
  const range = { from: Math.max(since - orderLifetimeMs, 0), to: now };
  const natives = await readAll(range, orders ?? wholeList, async ({ from, to }) => {
    if (orders === undefined) {
      return { entries: await read.call(exchange, symbol, from, undefined, { ...parameters }), filled: 0 };
    }
    const page = (more: object) =>
      read.call(exchange, symbol, from, orders.pageEntries, { ...parameters, until: to, ...more });
    // Orders placed at the same moment can't be separated by time.
    const entries = isNarrowest({ from, to }) ? await readPages(exchange, page) : await page({});
    return { entries, filled: entries.length / orders.pageEntries };
  });
  return toOrders(exchange, 'closed-orders', natives, parameters);
};

/** The newest orders; if there were more since then, all from there on, by id. */
const readOrdersById = async (
  exchange: Exchange,
  pageEntries: number,
  symbol: string | undefined,
  since: number,
): Promise<VenueList<VenueOrder>> => {
  const natives = [...(await exchange.fetchOrders(symbol, undefined, pageEntries))];
  const oldest = natives.reduce(
    (least, { timestamp }) => Math.min(least, timestamp ?? least),
    Number.POSITIVE_INFINITY,
  );
  if (natives.length < pageEntries || oldest < since) return toOrders(exchange, 'closed-orders', natives, {});
  let page = await exchange.fetchOrders(symbol, since, pageEntries);
  natives.push(...page);
  while (page.length >= pageEntries) {
    const parameters = { orderId: String(page.reduce((next, { id }) => idAfter(id, next), 0n)) };
    page = await exchange.fetchOrders(symbol, undefined, pageEntries, parameters);
    natives.push(...page);
  }
  return toOrders(exchange, 'closed-orders', natives, {});
};

const idAfter = (id: unknown, next: bigint): bigint =>
  typeof id === 'string' && /^\d{1,30}$/.test(id) && BigInt(id) >= next ? BigInt(id) + 1n : next;

const toOrders = (
  exchange: Exchange,
  list: 'open-orders' | 'closed-orders',
  natives: readonly Order[],
  parameters: Readonly<Record<string, unknown>>,
): VenueList<VenueOrder> =>
  readRows(
    list,
    natives,
    ({ id }) => id,
    (native) => {
      const order = toOrder(native);
      return { ...order, symbol: namedMarket(exchange, order.symbol, isContract(parameters)).symbol };
    },
  );
