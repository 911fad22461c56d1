/** The signed endpoints of the Binance double, in Binance's own names, formats, weights and limits. */

import { futuresRoutes } from './binance-futures-routes.ts';
import { isContract } from './binance-futures-rules.ts';
import type { Pair } from './binance-market.ts';
import { printed } from './binance-market.ts';
import type { Answer, Exchange, SignedRoute } from './binance-routes.ts';
import { refusal } from './binance-routes.ts';
import type { AccountOrder, AccountTransfer, Numbered } from './venue-accounts.ts';
import { holdings } from './venue-accounts.ts';

const dayMs = 24 * 60 * 60 * 1000;
const transferWindowMs = 90 * dayMs;
const pageMax = 1000;
const pageDefault = 500;

const product = (a: string, b: string): string => (Number(a) * Number(b)).toFixed(8);

/** GET /api/v3/account also lists assets without a balance, unless the request omits them. */
const account: SignedRoute = ({ pairs, now }, owner, query) => {
  const held = new Map(holdings(owner, 'spot'));
  const empty = [...pairs.values()].map(({ base }) => base).filter((asset) => !held.has(asset));
  const balances = [...held].map(([asset, { free, locked }]) => ({
    asset,
    free: printed(free),
    locked: printed(locked),
  }));
  // What Simple Earn holds flexibly is shown here as a token as well.
  const tokens = holdings(owner, 'earn').flatMap(([asset, { free }]) =>
    Number(free) > 0 ? [{ asset: `LD${asset}`, free: printed(free), locked: '0.00000000' }] : [],
  );
  const nothing = query.get('omitZeroBalances') === 'true' ? [] : empty;
  return {
    weight: 20,
    body: {
      makerCommission: 10,
      takerCommission: 10,
      buyerCommission: 0,
      sellerCommission: 0,
      commissionRates: { maker: '0.00100000', taker: '0.00100000', buyer: '0.00000000', seller: '0.00000000' },
      canTrade: true,
      canWithdraw: true,
      canDeposit: true,
      brokered: false,
      requireSelfTradePrevention: false,
      preventSor: false,
      updateTime: now(),
      accountType: 'SPOT',
      balances: [
        ...balances,
        ...tokens,
        ...nothing.map((asset) => ({ asset, free: '0.00000000', locked: '0.00000000' })),
      ],
      permissions: ['SPOT'],
      uid: 354_937_868,
    },
  };
};

const funding: SignedRoute = (_exchange, owner) => ({
  weight: 1,
  body: holdings(owner, 'funding').map(([asset, { free, locked }]) => ({
    asset,
    free,
    locked: '0',
    freeze: locked,
    withdrawing: '0',
    btcValuation: '0',
  })),
});

const margin: SignedRoute = (_exchange, owner) => {
  const held = holdings(owner, 'margin');
  if (held.length === 0) return refusal(-3003, 'Margin account does not exist.');
  return {
    weight: 10,
    body: {
      created: true,
      borrowEnabled: true,
      marginLevel: '999.00000000',
      totalAssetOfBtc: '0.00000000',
      totalLiabilityOfBtc: '0.00000000',
      totalNetAssetOfBtc: '0.00000000',
      tradeEnabled: true,
      transferInEnabled: true,
      transferOutEnabled: true,
      accountType: 'MARGIN_1',
      userAssets: held.map(([asset, { free, locked, debt = '0' }]) => ({
        asset,
        borrowed: printed(debt),
        free: printed(free),
        interest: '0.00000000',
        locked: printed(locked),
        netAsset: printed(String(Number(free) + Number(locked) - Number(debt))),
      })),
    },
  };
};

const pageOf = <Row>(rows: readonly Row[], query: URLSearchParams): Answer => {
  const [current, size] = [Number(query.get('current') ?? 1), Math.min(Number(query.get('size') ?? 10), 100)];
  return { weight: 150, body: { rows: rows.slice((current - 1) * size, current * size), total: rows.length } };
};

/** What is free is held flexibly, what is locked for a term. */
const flexibleEarn: SignedRoute = (_exchange, owner, query) => {
  const rows = holdings(owner, 'earn').filter(([, { free }]) => Number(free) > 0);
  return pageOf(
    rows.map(([asset, { free }]) => ({
      asset,
      totalAmount: free,
      productId: `${asset}001`,
      canRedeem: true,
      autoSubscribe: true,
      latestAnnualPercentageRate: '0.02599895',
      yesterdayRealTimeRewards: '0',
      cumulativeTotalRewards: '0',
    })),
    query,
  );
};

const lockedEarn: SignedRoute = (_exchange, owner, query) => {
  const rows = holdings(owner, 'earn').filter(([, { locked }]) => Number(locked) > 0);
  return pageOf(
    rows.map(([asset, { locked }], index) => ({
      positionId: 123_123 + index,
      projectId: `${asset}*120`,
      asset,
      amount: locked,
      duration: '120',
      accrualDays: '2',
      status: 'HOLDING',
    })),
    query,
  );
};

const restrictions: SignedRoute = (_exchange, { key }) => ({
  weight: 1,
  body: {
    ipRestrict: key.ipRestricted,
    createTime: 1_698_645_219_000,
    enableReading: key.permissions.includes('read'),
    enableWithdrawals: key.permissions.includes('withdraw'),
    enableInternalTransfer: false,
    enableMargin: false,
    enableFutures: key.permissions.includes('futures'),
    permitsUniversalTransfer: false,
    enableVanillaOptions: false,
    enablePortfolioMarginTrading: false,
    enableFixApiTrade: false,
    enableFixReadOnly: false,
    enableSpotAndMarginTrading: key.permissions.includes('trade'),
  },
});

const pairNamed = ({ pairs }: Exchange, query: URLSearchParams): Pair | Answer => {
  const id = query.get('symbol');
  if (!id) return refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  return pairs.get(id) ?? refusal(-1121, 'Invalid symbol.');
};

const isAnswer = (value: Pair | Answer): value is Answer => 'weight' in value;

/** The rows that a list endpoint returns: from an id on, else of a time, else the newest; always oldest first. */
const listed = <Row extends { readonly number: number; readonly at: number }>(
  rows: readonly Row[],
  query: URLSearchParams,
  idParameter: string,
): Row[] | Answer => {
  const limit = Math.min(Number(query.get('limit') ?? pageDefault), pageMax);
  const [from, start, end] = [idParameter, 'startTime', 'endTime'].map((name) => query.get(name));
  if (from !== null && from !== undefined) {
    if (start !== null || end !== null) return refusal(-1128, 'Combination of optional parameters invalid.');
    return rows.filter(({ number }) => number >= Number(from)).slice(0, limit);
  }
  if (start && end && Number(end) - Number(start) > dayMs) {
    return refusal(-1127, 'More than 24 hours between startTime and endTime.');
  }
  const inTime = rows.filter(({ at }) => at >= Number(start ?? 0) && at <= Number(end ?? Number.MAX_SAFE_INTEGER));
  return start ? inTime.slice(0, limit) : inTime.slice(-limit);
};

const myTrades: SignedRoute = (exchange, owner, query) => {
  const pair = pairNamed(exchange, query);
  if (isAnswer(pair)) return pair;
  const own = owner.trades.filter(({ symbol }) => symbol === pair.symbol);
  const trades = listed(own, query, 'fromId');
  if (!Array.isArray(trades)) return trades;
  return {
    weight: query.has('orderId') ? 5 : 20,
    body: trades.map((trade) => ({
      symbol: pair.id,
      id: trade.number,
      orderId: Number(trade.orderId),
      orderListId: -1,
      price: printed(trade.price),
      qty: printed(trade.amount),
      quoteQty: product(trade.price, trade.amount),
      commission: printed(trade.fee),
      commissionAsset: trade.feeAsset,
      time: trade.at,
      isBuyer: trade.side === 'buy',
      isMaker: trade.maker,
      isBestMatch: true,
    })),
  };
};

const statusOf = ({ status, filled }: AccountOrder): string => {
  if (status === 'open') return Number(filled) > 0 ? 'PARTIALLY_FILLED' : 'NEW';
  return status === 'filled' ? 'FILLED' : 'CANCELED';
};

const orderBody = (order: Numbered<AccountOrder>) => ({
  symbol: order.symbol.replace('/', ''),
  orderId: order.number,
  orderListId: -1,
  clientOrderId: `own-${order.number}`,
  price: printed(order.price),
  origQty: printed(order.amount),
  executedQty: printed(order.filled),
  cummulativeQuoteQty: product(order.price, order.filled),
  status: statusOf(order),
  timeInForce: 'GTC',
  type: order.type.toUpperCase(),
  side: order.side.toUpperCase(),
  stopPrice: '0.00000000',
  icebergQty: '0.00000000',
  time: order.at,
  updateTime: order.updatedAt,
  isWorking: true,
  workingTime: order.at,
  origQuoteOrderQty: '0.00000000',
  selfTradePreventionMode: 'EXPIRE_MAKER',
});

const openOrders: SignedRoute = (exchange, owner, query) => {
  const open = owner.orders.filter((order) => order.status === 'open' && !isContract(order));
  if (!query.has('symbol')) return { weight: 80, body: open.map(orderBody) };
  const pair = pairNamed(exchange, query);
  if (isAnswer(pair)) return pair;
  return { weight: 6, body: open.filter(({ symbol }) => symbol === pair.symbol).map(orderBody) };
};

const allOrders: SignedRoute = (exchange, owner, query) => {
  const pair = pairNamed(exchange, query);
  if (isAnswer(pair)) return pair;
  const own = owner.orders.filter(({ symbol }) => symbol === pair.symbol);
  const orders = listed(own, query, 'orderId');
  return Array.isArray(orders) ? { weight: 20, body: orders.map(orderBody) } : orders;
};

/** Deposits and withdrawals: newest first, of the last 90 days unless a time is named, which is no longer than that. */
const transfers =
  (kind: AccountTransfer['kind'], bodyOf: (transfer: Numbered<AccountTransfer>) => unknown): SignedRoute =>
  ({ now }, owner, query) => {
    const end = Number(query.get('endTime') ?? now());
    const start = Number(query.get('startTime') ?? end - transferWindowMs);
    if (end - start > transferWindowMs) return refusal(-1128, 'The time range must be within 0-90 days.');
    const [offset, limit] = [
      Number(query.get('offset') ?? 0),
      Math.min(Number(query.get('limit') ?? pageMax), pageMax),
    ];
    const found = owner.transfers
      .filter(({ kind: own, at }) => own === kind && at >= start && at <= end)
      .toSorted((a, b) => b.at - a.at)
      .slice(offset, offset + limit);
    return { weight: 1, body: found.map(bodyOf) };
  };

const depositStatus = { pending: 0, done: 1, failed: 2 };
const withdrawalStatus = { pending: 4, done: 6, failed: 5 };

const common = ({ amount, asset, network, address, txId }: AccountTransfer) => ({
  amount,
  coin: asset,
  network,
  address,
  addressTag: '',
  txId,
  transferType: 0,
});

export const signedRoutes: Readonly<Record<string, SignedRoute>> = {
  ...futuresRoutes,
  'GET /api/v3/account': account,
  'GET /api/v3/openOrders': openOrders,
  'GET /api/v3/allOrders': allOrders,
  'GET /api/v3/myTrades': myTrades,
  'GET /sapi/v1/account/apiRestrictions': restrictions,
  'GET /sapi/v1/margin/account': margin,
  'POST /sapi/v1/asset/get-funding-asset': funding,
  'GET /sapi/v1/simple-earn/flexible/position': flexibleEarn,
  'GET /sapi/v1/simple-earn/locked/position': lockedEarn,
  'GET /sapi/v1/capital/deposit/hisrec': transfers('deposit', (deposit) => ({
    ...common(deposit),
    id: String(deposit.number),
    status: depositStatus[deposit.status],
    insertTime: deposit.at,
    completeTime: deposit.at,
    confirmTimes: '1/1',
    unlockConfirm: 1,
    walletType: 0,
  })),
  'GET /sapi/v1/capital/withdraw/history': transfers('withdrawal', (withdrawal) => ({
    ...common(withdrawal),
    id: `w${withdrawal.number}`,
    transactionFee: withdrawal.fee,
    status: withdrawalStatus[withdrawal.status],
    applyTime: new Date(withdrawal.at).toISOString().slice(0, 19).replace('T', ' '),
    walletType: 0,
    confirmNo: 3,
  })),
};
