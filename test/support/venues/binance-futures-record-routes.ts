/** Orders, trades and income of USD-M futures of the Binance double, in Binance's own names, windows, weights and limits. */
import { contractId, contractNamed, isContract, onlyFutures } from './binance-futures-rules.ts';
import { printed } from './binance-market.ts';
import type { Answer, SignedRoute } from './binance-routes.ts';
import { refusal } from './binance-routes.ts';
import type { AccountOrder, AccountTrade, Numbered } from './venue-accounts.ts';

const dayMs = 24 * 60 * 60 * 1000;
const weekMs = 7 * dayMs;
const pageMax = 1000;
/** How long after they were placed orders are listed: those canceled without a fill, the others. */
const canceledMs = 3 * dayMs;
const orderMs = 90 * dayMs;
const tradeMs = 180 * dayMs;
const incomeMs = 90 * dayMs;

interface PageOptions {
  readonly now: number;
  /** The parameter that names an id. */
  readonly id: string;
  readonly longestMs: number;
  /** Whether records requested by id may be older than a week. */
  readonly isAnyAge?: boolean;
}

type Row = { readonly number: number; readonly at: number };

const limitOf = (query: URLSearchParams, otherwise: number): number =>
  Math.min(Number(query.get('limit') ?? otherwise), pageMax);

/** The time range of a request, by default the last week. */
const windowOf = (query: URLSearchParams, now: number): { readonly start: number; readonly end: number } => {
  const [start, end] = ['startTime', 'endTime'].map((name) => query.get(name));
  if (start) return { start: Number(start), end: Number(end ?? Number(start) + weekMs - 1) };
  const to = Number(end ?? now);
  return { start: to - weekMs + 1, end: to };
};

/** Rows of a time range, oldest first: from an id or a time on, else the newest. */
const page = <R extends Row>(
  rows: readonly R[],
  query: URLSearchParams,
  { now, id, longestMs, isAnyAge = false }: PageOptions,
): R[] | Answer => {
  const { start, end } = windowOf(query, now);
  if (end - start > longestMs) return refusal(-4165, 'Invalid time interval. Maximum time interval is 7 days');
  const from = query.get(id);
  const inRange = isAnyAge && from !== null ? rows : rows.filter(({ at }) => at >= start && at <= end);
  const sorted = inRange.toSorted((a, b) => a.number - b.number);
  const limit = limitOf(query, 500);
  if (from !== null) return sorted.filter(({ number }) => number >= Number(from)).slice(0, limit);
  return query.has('startTime') ? sorted.slice(0, limit) : sorted.slice(-limit);
};

const statusOf = ({ status, filled }: AccountOrder): string => {
  if (status === 'open') return Number(filled) > 0 ? 'PARTIALLY_FILLED' : 'NEW';
  return status === 'filled' ? 'FILLED' : 'CANCELED';
};

const orderBody = (order: Numbered<AccountOrder>) => ({
  orderId: order.number,
  symbol: contractId(order.symbol),
  status: statusOf(order),
  clientOrderId: `own-${order.number}`,
  price: order.price,
  avgPrice: Number(order.filled) > 0 ? order.price : '0.00000',
  origQty: order.amount,
  executedQty: order.filled,
  cumQuote: printed(String(Number((Number(order.price) * Number(order.filled)).toFixed(8)))),
  timeInForce: 'GTC',
  type: order.type.toUpperCase(),
  reduceOnly: false,
  closePosition: false,
  side: order.side.toUpperCase(),
  positionSide: 'BOTH',
  stopPrice: '0',
  workingType: 'CONTRACT_PRICE',
  priceProtect: false,
  origType: order.type.toUpperCase(),
  priceMatch: 'NONE',
  selfTradePreventionMode: 'NONE',
  goodTillDate: 0,
  time: order.at,
  updateTime: order.updatedAt,
});

/** An order that waits for a price. Once that was reached, another order has taken its place. */
const conditionalBody = (order: Numbered<AccountOrder>) => ({
  algoId: order.number,
  clientAlgoId: `own-${order.number}`,
  algoType: 'CONDITIONAL',
  orderType: order.type === 'limit' ? 'STOP' : 'STOP_MARKET',
  symbol: contractId(order.symbol),
  side: order.side.toUpperCase(),
  positionSide: 'BOTH',
  timeInForce: 'GTC',
  quantity: order.amount,
  algoStatus: { open: 'NEW', filled: 'FINISHED', canceled: 'CANCELED' }[order.status],
  actualOrderId: order.status === 'filled' ? String(order.number + 1) : '',
  actualPrice: '0.00000',
  triggerPrice: order.stopPrice,
  price: order.type === 'limit' ? order.price : '0.000',
  icebergQuantity: null,
  tpTriggerPrice: '0.000',
  tpPrice: '0.000',
  slTriggerPrice: '0.000',
  slPrice: '0.000',
  tpOrderType: '',
  selfTradePreventionMode: 'EXPIRE_MAKER',
  workingType: 'CONTRACT_PRICE',
  priceMatch: 'NONE',
  closePosition: false,
  priceProtect: false,
  reduceOnly: true,
  createTime: order.at,
  updateTime: order.updatedAt,
  triggerTime: order.status === 'filled' ? order.updatedAt : 0,
  goodTillDate: 0,
});

interface Kind {
  readonly id: string;
  of(order: AccountOrder): boolean;
  body(order: Numbered<AccountOrder>): unknown;
}

/** Trigger orders have a list of their own. */
const kinds: Readonly<Record<'plain' | 'conditional', Kind>> = {
  plain: { of: ({ stopPrice }: AccountOrder) => stopPrice === undefined, body: orderBody, id: 'orderId' },
  conditional: { of: ({ stopPrice }: AccountOrder) => stopPrice !== undefined, body: conditionalBody, id: 'algoId' },
};

const openOrders =
  ({ of, body }: Kind): SignedRoute =>
  (exchange, owner, query) => {
    const open = owner.orders.filter((order) => isContract(order) && order.status === 'open' && of(order));
    if (!query.has('symbol')) return { weight: 40, body: open.map(body) };
    const id = contractNamed(exchange, owner, query);
    if (typeof id !== 'string') return id;
    return { weight: 1, body: open.filter(({ symbol }) => contractId(symbol) === id).map(body) };
  };

const allOrders =
  ({ of, body, id: idParameter }: Kind): SignedRoute =>
  (exchange, owner, query) => {
    const id = contractNamed(exchange, owner, query);
    if (typeof id !== 'string') return id;
    const now = exchange.now();
    const inRange = owner.orders.filter((order) => {
      const isNothing = order.status === 'canceled' && Number(order.filled) === 0;
      const keptMs = isNothing ? canceledMs : orderMs;
      return isContract(order) && contractId(order.symbol) === id && of(order) && order.at + keptMs >= now;
    });
    const orders = page(inRange, query, { now, id: idParameter, longestMs: weekMs - 1 });
    return Array.isArray(orders) ? { weight: 5, body: orders.map(body) } : orders;
  };

const tradeBody = (trade: Numbered<AccountTrade>) => ({
  symbol: contractId(trade.symbol),
  id: trade.number,
  orderId: Number(trade.orderId),
  side: trade.side.toUpperCase(),
  price: trade.price,
  qty: trade.amount,
  realizedPnl: '0',
  quoteQty: printed(String(Number((Number(trade.price) * Number(trade.amount)).toFixed(8)))),
  commission: trade.fee,
  commissionAsset: trade.feeAsset,
  time: trade.at,
  positionSide: 'BOTH',
  buyer: trade.side === 'buy',
  maker: trade.maker,
});

const userTrades: SignedRoute = (exchange, owner, query) => {
  const id = contractNamed(exchange, owner, query);
  if (typeof id !== 'string') return id;
  if (query.has('fromId') && (query.has('startTime') || query.has('endTime'))) {
    return refusal(-1128, 'Combination of optional parameters invalid.');
  }
  const now = exchange.now();
  const inRange = owner.trades.filter(
    (trade) => isContract(trade) && contractId(trade.symbol) === id && trade.at >= now - tradeMs,
  );
  const trades = page(inRange, query, { now, id: 'fromId', longestMs: weekMs, isAnyAge: exchange.idsReachBack });
  return Array.isArray(trades) ? { weight: 5, body: trades.map(tradeBody) } : trades;
};

/** What a trade costs, and what moved between wallets. */
const income: SignedRoute = ({ now }, owner, query) => {
  const { start, end } = windowOf(query, now());
  const fees = owner.trades.filter(isContract).map((trade) => ({
    symbol: contractId(trade.symbol),
    incomeType: 'COMMISSION',
    income: `-${trade.fee}`,
    asset: trade.feeAsset,
    info: 'COMMISSION',
    time: trade.at,
    tranId: trade.number,
    tradeId: String(trade.number),
  }));
  const moved = owner.transfers.map(({ amount, asset, at, number }) => ({
    ...{ symbol: '', incomeType: 'TRANSFER', income: amount, asset, info: 'TRANSFER', time: at },
    ...{ tranId: number, tradeId: '' },
  }));
  const limit = limitOf(query, 100);
  const skipped = (Number(query.get('page') ?? 1) - 1) * limit;
  const rows = [...fees, ...moved]
    .filter(({ time }) => time >= Math.max(start, now() - incomeMs) && time <= end)
    .sort((a, b) => a.time - b.time)
    .slice(skipped, skipped + limit);
  return { weight: 30, body: rows };
};

export const futuresRecordRoutes: Readonly<Record<string, SignedRoute>> = {
  'GET /fapi/v1/openOrders': onlyFutures(openOrders(kinds.plain)),
  'GET /fapi/v1/openAlgoOrders': onlyFutures(openOrders(kinds.conditional)),
  'GET /fapi/v1/allOrders': onlyFutures(allOrders(kinds.plain)),
  'GET /fapi/v1/allAlgoOrders': onlyFutures(allOrders(kinds.conditional)),
  'GET /fapi/v1/userTrades': onlyFutures(userTrades),
  'GET /fapi/v1/income': onlyFutures(income),
};
