/** What the Bybit double answers: the v5 API of a unified account, in Bybit's own names, formats and limits. */
import type { AccountOrder, AccountTransfer, Holding, Numbered, VenueAccount } from './venue-accounts.ts';

/** A refusal has a `retCode` other than 0; Bybit sends it with status 200. */
export interface BybitAnswer {
  readonly retCode: number;
  readonly retMsg: string;
  readonly result: unknown;
}

export type BybitRoute = (account: VenueAccount, query: URLSearchParams, now: number) => BybitAnswer;

const dayMs = 24 * 60 * 60 * 1000;

export const success = (result: unknown): BybitAnswer => ({ retCode: 0, retMsg: 'OK', result });
export const refused = (retCode: number, retMsg: string): BybitAnswer => ({ retCode, retMsg, result: {} });

const product = (a: string, b: string): string => String(Number((Number(a) * Number(b)).toFixed(10)));
const sum = (a: string, b: string): string => String(Number((Number(a) + Number(b)).toFixed(10)));

type Category = 'spot' | 'linear' | 'inverse';

const categoryOf = (symbol: string): Category => {
  const settle = symbol.split(':')[1];
  if (settle === undefined) return 'spot';
  return settle === 'USDT' || settle === 'USDC' ? 'linear' : 'inverse';
};
const settleOf = (symbol: string): string | undefined => symbol.split(':')[1];
/** `BTC/USDT:USDT` is `BTCUSDT` there, as `BTC/USDT` is. */
const idOf = (symbol: string): string => (symbol.split(':')[0] ?? '').replace('/', '');
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export const bybitId = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** One page, newest first, of what happened within the time that is named, and where the next one begins. */
const page = <Row extends { readonly at: number }>(
  rows: readonly Row[],
  query: URLSearchParams,
  limits: { readonly now: number; readonly windowMs: number; readonly pageDefault: number; readonly pageMax: number },
): { readonly rows: Row[]; readonly nextPageCursor: string } | BybitAnswer => {
  const { now, windowMs, pageDefault, pageMax } = limits;
  const [start, end] = [query.get('startTime'), query.get('endTime')];
  const from = start === null ? Number(end ?? now) - windowMs : Number(start);
  const to = end === null ? from + windowMs : Number(end);
  if (to - from > windowMs) {
    return refused(10001, `The time range between startTime and endTime cannot exceed ${windowMs / dayMs} days`);
  }
  const limit = Math.min(Number(query.get('limit') ?? pageDefault), pageMax);
  const offset = Number(query.get('cursor')?.replace('page_', '') ?? 0);
  const found = rows
    .filter(({ at }) => at >= from && at <= to)
    .toReversed()
    .toSorted((a, b) => b.at - a.at)
    .slice(offset, offset + limit);
  return { rows: found, nextPageCursor: found.length === 0 ? '' : `page_${offset + found.length}` };
};

/** What belongs to the category, and to the symbol or the settlement currency, that a request names. */
const ofCategory = <Row extends { readonly symbol: string }>(
  rows: readonly Row[],
  query: URLSearchParams,
): Row[] | BybitAnswer => {
  const category = query.get('category');
  if (category === null) return refused(10001, 'params error: Category is required');
  const [symbol, settle] = [query.get('symbol'), query.get('settleCoin')];
  return rows.filter(
    (row) =>
      categoryOf(row.symbol) === category &&
      (symbol === null || idOf(row.symbol) === symbol) &&
      (settle === null || settleOf(row.symbol) === settle),
  );
};

const queryApi: BybitRoute = ({ key }) => {
  const trading = key.permissions.includes('trade');
  return success({
    id: '13770661',
    note: 'portfolio',
    apiKey: key.apiKey,
    readOnly: trading || key.permissions.includes('withdraw') ? 0 : 1,
    secret: '',
    permissions: {
      ContractTrade: trading ? ['Order', 'Position'] : [],
      Spot: trading ? ['SpotTrade'] : [],
      Wallet: key.permissions.includes('withdraw') ? ['AccountTransfer', 'Withdraw'] : ['AccountTransfer'],
      Options: [],
      Derivatives: [],
      Exchange: [],
      Earn: [],
    },
    ips: key.ipRestricted ? ['203.0.113.9'] : ['*'],
    type: 1,
    deadlineDay: 83,
    expiredAt: '2027-05-15T03:21:05Z',
    createdAt: '2022-10-16T02:24:40Z',
    unified: 0,
    uta: 1,
    userID: 24_617_703,
    isMaster: true,
    parentUid: '0',
  });
};

const held = (account: VenueAccount, wallet: 'spot' | 'funding'): [asset: string, holding: Holding][] => [
  ...(account.wallets.get(wallet) ?? []),
];

const walletBalance: BybitRoute = (account, query) => {
  if (query.get('accountType') !== 'UNIFIED') return refused(10001, 'accountType only support UNIFIED.');
  // What is borrowed and spent is a balance below zero.
  const coin = held(account, 'spot').map(([asset, { free, locked, debt = '0' }]) => ({
    coin: asset,
    equity: sum(sum(free, locked), `-${debt}`),
    walletBalance: Number(free) === 0 && Number(locked) === 0 ? sum('0', `-${debt}`) : sum(free, locked),
    locked,
    usdValue: '0',
    borrowAmount: Number(debt).toFixed(18),
    accruedInterest: '0',
    totalOrderIM: '0',
    totalPositionIM: '0',
    totalPositionMM: '0',
    unrealisedPnl: '0',
    cumRealisedPnl: '0',
    bonus: '0',
    availableToWithdraw: '',
    availableToBorrow: '',
    collateralSwitch: true,
    marginCollateral: true,
    spotHedgingQty: '0',
  }));
  return success({ list: [{ accountType: 'UNIFIED', totalEquity: '0', totalWalletBalance: '0', coin }] });
};

const fundBalance: BybitRoute = (account, query) =>
  success({
    memberId: '24617703',
    accountType: query.get('accountType'),
    balance: held(account, 'funding').map(([coin, { free, locked }]) => ({
      coin,
      transferBalance: free,
      walletBalance: sum(free, locked),
      bonus: '',
    })),
  });

const statusOf = ({ status, filled }: AccountOrder): string => {
  if (status === 'open') return Number(filled) > 0 ? 'PartiallyFilled' : 'New';
  return status === 'filled' ? 'Filled' : 'Cancelled';
};

const orderRow = (order: Numbered<AccountOrder>) => ({
  orderId: bybitId(order.number),
  orderLinkId: `own-${order.number}`,
  symbol: idOf(order.symbol),
  price: order.price,
  qty: order.amount,
  side: capital(order.side),
  orderStatus: statusOf(order),
  orderType: capital(order.type),
  timeInForce: 'GTC',
  avgPrice: Number(order.filled) > 0 ? order.price : '',
  leavesQty: order.status === 'open' ? String(Number(order.amount) - Number(order.filled)) : '0',
  cumExecQty: order.filled,
  cumExecValue: product(order.price, order.filled),
  cumExecFee: '0',
  triggerPrice: '0',
  reduceOnly: false,
  marketUnit: '',
  ...(categoryOf(order.symbol) === 'spot' ? {} : { tpslMode: 'Full' }),
  createdTime: String(order.at),
  updatedTime: String(order.updatedAt),
});

const orders =
  (open: boolean): BybitRoute =>
  (account, query, now) => {
    const own = ofCategory(account.orders, query);
    if (!Array.isArray(own)) return own;
    const wanted = own.filter(({ status }) => (status === 'open') === open);
    const windowMs = open ? now : 7 * dayMs;
    const found = page(wanted, query, { now, windowMs, pageDefault: 20, pageMax: 50 });
    if ('retCode' in found) return found;
    const { rows, nextPageCursor } = found;
    return success({ list: rows.map(orderRow), nextPageCursor, category: query.get('category') });
  };

/** https://bybit-exchange.github.io/docs/v5/enum#exectype */
const execTypes = {
  order: 'Trade',
  liquidation: 'BustTrade',
  deleveraging: 'AdlTrade',
  settlement: 'Settle',
  funding: 'Funding',
} as const;

const executions: BybitRoute = (account, query, now) => {
  const all = ofCategory(account.trades, query);
  if (!Array.isArray(all)) return all;
  const wanted = query.get('execType');
  const own = all.filter(({ kind }) => wanted === null || execTypes[kind ?? 'order'] === wanted);
  const found = page(own, query, { now, windowMs: 7 * dayMs, pageDefault: 50, pageMax: 100 });
  if ('retCode' in found) return found;
  const list = found.rows.map((trade) => ({
    symbol: idOf(trade.symbol),
    orderId: bybitId(Number(trade.orderId)),
    orderLinkId: '',
    side: capital(trade.side),
    orderPrice: trade.price,
    orderQty: trade.amount,
    orderType: 'Limit',
    execId: bybitId(trade.number),
    execType: execTypes[trade.kind ?? 'order'],
    execPrice: trade.price,
    execQty: trade.amount,
    execValue: product(trade.price, trade.amount),
    execFee: trade.fee,
    feeRate: '0.001',
    feeCurrency: trade.feeAsset,
    feeCoin: trade.feeAsset,
    isMaker: trade.maker,
    execTime: String(trade.at),
    seq: trade.number,
    ...(categoryOf(trade.symbol) === 'spot' ? {} : { createType: 'CreateByUser' }),
  }));
  return success({ list, nextPageCursor: found.nextPageCursor, category: query.get('category') });
};

const positions: BybitRoute = (account, query) => {
  const own = ofCategory(account.positions, query);
  if (!Array.isArray(own)) return own;
  const list = own.map((position) => ({
    positionIdx: 0,
    symbol: idOf(position.symbol),
    side: position.side === 'long' ? 'Buy' : 'Sell',
    size: position.size,
    avgPrice: position.entryPrice,
    positionValue: product(position.size, position.markPrice),
    leverage: position.leverage,
    markPrice: position.markPrice,
    liqPrice: position.liquidationPrice,
    bustPrice: position.liquidationPrice,
    positionIM: position.margin,
    positionMM: '0',
    positionBalance: position.margin,
    unrealisedPnl: position.unrealizedPnl,
    curRealisedPnl: '0',
    positionStatus: 'Normal',
    createdTime: '1676538056258',
    updatedTime: '1697673600012',
  }));
  return success({ list, nextPageCursor: '', category: query.get('category') });
};

const depositStatus = { pending: 1, done: 3, failed: 4 };
const withdrawalStatus = { pending: 'Pending', done: 'success', failed: 'Fail' };

const transfers =
  (kind: AccountTransfer['kind'], row: (transfer: Numbered<AccountTransfer>) => unknown): BybitRoute =>
  (account, query, now) => {
    const own = account.transfers.filter((transfer) => transfer.kind === kind);
    const found = page(own, query, { now, windowMs: 30 * dayMs, pageDefault: 50, pageMax: 50 });
    return 'retCode' in found ? found : success({ rows: found.rows.map(row), nextPageCursor: found.nextPageCursor });
  };

const common = ({ asset, network, amount, txId, address, at }: AccountTransfer) => ({
  coin: asset,
  chain: network,
  amount,
  txID: txId,
  toAddress: address,
  tag: '',
  createTime: String(at),
  updateTime: String(at),
});

export const bybitRoutes: Readonly<Record<string, BybitRoute>> = {
  '/v5/user/query-api': queryApi,
  '/v5/account/info': () =>
    success({ marginMode: 'REGULAR_MARGIN', unifiedMarginStatus: 6, updatedTime: '1697078946000' }),
  '/v5/account/wallet-balance': walletBalance,
  '/v5/asset/transfer/query-account-coins-balance': fundBalance,
  '/v5/order/realtime': orders(true),
  '/v5/order/history': orders(false),
  '/v5/execution/list': executions,
  '/v5/position/list': positions,
  '/v5/asset/deposit/query-record': transfers('deposit', (deposit) => ({
    ...common(deposit),
    ...(deposit.withoutId ? {} : { id: String(deposit.number) }),
    status: depositStatus[deposit.status],
    depositFee: '',
    successAt: String(deposit.at),
  })),
  '/v5/asset/withdraw/query-record': transfers('withdrawal', (withdrawal) => ({
    ...common(withdrawal),
    withdrawId: String(withdrawal.number),
    withdrawFee: withdrawal.fee,
    withdrawType: 0,
    status: withdrawalStatus[withdrawal.status],
  })),
};
