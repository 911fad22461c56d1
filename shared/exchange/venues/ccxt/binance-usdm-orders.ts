import type { Exchange } from 'ccxt';
import type { VenueList, VenueOrder } from '#shared/exchange/account-venue';
import { toOrder } from './account-mapping.ts';
import { at, listAt } from './answers.ts';
import { askUsdm, contractId, contractSymbol, isEmpty } from './binance-usdm.ts';
import { concatenated, emptyList, readRows } from './rows.ts';
import { readAll, type WindowLimits } from './windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Both ends are included, and a window must be shorter than a week. Orders placed more than 90 days ago are not listed. */
const limits: WindowLimits = { windowMs: 7 * dayMs - 1, pageEntries: 1000, reachMs: 89 * dayMs };
/** Orders are listed by when they were placed. Those that were open for longer are read once they are missing. */
const orderLifetimeMs = 6 * dayMs;

/** Open orders of all contracts, including trigger orders, which Binance lists separately. */
export const openUsdmOrders = async (exchange: Exchange): Promise<VenueList<VenueOrder>> => {
  if (isEmpty(exchange)) return emptyList;
  const found: VenueList<VenueOrder>[] = [];
  for (const path of ['openOrders', 'openAlgoOrders'] as const) {
    found.push(toUsdmOrders(exchange, 'open-orders', listAt(await askUsdm(exchange, path))));
  }
  return concatenated(found);
};

/** Orders of a contract that may have ended since then, and others. @param since @param now epoch ms */
export const endedUsdmOrders = async (
  exchange: Exchange,
  symbol: string,
  since: number,
  now: number,
): Promise<VenueList<VenueOrder>> => {
  const found: VenueList<VenueOrder>[] = [];
  for (const path of ['allOrders', 'allAlgoOrders'] as const) {
    const rows = await readAll({ from: since - orderLifetimeMs, to: now }, limits, async ({ from, to }) => {
      const window = { startTime: from, endTime: to, limit: limits.pageEntries };
      const entries = listAt(await askUsdm(exchange, path, { symbol: contractId(symbol), ...window }));
      return { entries, filled: entries.length / limits.pageEntries };
    });
    found.push(toUsdmOrders(exchange, 'closed-orders', rows));
  }
  return concatenated(found);
};

const toUsdmOrders = (
  exchange: Exchange,
  list: 'open-orders' | 'closed-orders',
  rows: readonly unknown[],
): VenueList<VenueOrder> =>
  readRows(
    list,
    rows,
    (row) => at(row, 'orderId') ?? at(row, 'algoId'),
    (row) => toUsdmOrder(exchange, row),
  );

/** What Binance calls `STOP` has a price; spot calls it otherwise. */
const types: Readonly<Record<string, string>> = { stop: 'stop_limit', stop_market: 'stop' };

/** An order or a trigger order; the latter has a number of its own, and is replaced by an order with another number. */
const toUsdmOrder = (exchange: Exchange, row: unknown): VenueOrder => {
  const [id, type] = [String(at(row, 'symbol')), String(at(row, 'type') ?? at(row, 'orderType')).toLowerCase()];
  const native = exchange.parseOrder(typeof row === 'object' && row !== null ? row : {});
  const order = toOrder({ ...native, type: types[type] ?? type });
  const isConditional = at(row, 'algoId') !== undefined;
  return {
    ...order,
    symbol: contractSymbol(id),
    orderId: isConditional ? `algo-${order.orderId}` : order.orderId,
    // The order that replaced it reports the fill.
    status: isConditional && order.status === 'filled' ? 'expired' : order.status,
  };
};
