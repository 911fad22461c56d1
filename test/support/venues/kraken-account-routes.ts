/** The private endpoints of the Kraken double, in Kraken's own names, formats, permissions and pages. */
import { assetAltname, assetId } from './kraken-market.ts';
import type { KrakenAnswer, KrakenExchange } from './kraken-routes.ts';
import { refused, success } from './kraken-routes.ts';
import type { AccountOrder, AccountTransfer, KeyPermission, Numbered, VenueAccount } from './venue-accounts.ts';

/** Kraken's permissions, in the words of GetApiKeyInfo. */
type Permission =
  | 'query-funds'
  | 'withdraw-funds'
  | 'query-open-trades'
  | 'query-closed-trades'
  | 'modify-trades'
  | 'close-trades'
  | 'query-ledger';

export interface PrivateRoute {
  /** What the call counter goes up by. */
  readonly counts: number;
  /** One of these suffices; none is needed where none is named. */
  readonly needs?: readonly Permission[];
  answer(exchange: KrakenExchange, account: VenueAccount, parameters: URLSearchParams): KrakenAnswer;
}

const granted: Readonly<Record<KeyPermission, readonly Permission[]>> = {
  read: ['query-funds', 'query-open-trades', 'query-closed-trades', 'query-ledger'],
  trade: ['modify-trades', 'close-trades'],
  withdraw: ['withdraw-funds'],
  futures: [],
};

export const permissionsOf = ({ key }: VenueAccount): Permission[] => key.permissions.flatMap((name) => granted[name]);

/** An id of a trade (T), order (O) or transfer (Q). */
export const krakenId = (kind: 'T' | 'O' | 'Q', number: number | string): string =>
  `${kind}DOUBL-E${String(number).padStart(4, '0').slice(0, -4).padStart(4, 'A')}-${String(number).slice(-4).padStart(6, 'X')}`;

const pageEntries = 50;
const depositsDefault = 25;

const seconds = (at: number): number => at / 1000;
const fixed = (amount: string | number, decimals: number): string => Number(amount).toFixed(decimals);
const product = (a: string, b: string): string => (Number(a) * Number(b)).toFixed(5);

/** Assets are held with ten decimals, currencies with four. */
const held = (asset: string, amount: number): string => amount.toFixed(['USD', 'EUR', 'GBP'].includes(asset) ? 4 : 10);

const balances: PrivateRoute['answer'] = (_exchange, { wallets }) => {
  const entry = (asset: string, free: string, locked: string) => ({
    balance: held(asset, Number(free) + Number(locked)),
    hold_trade: held(asset, Number(locked)),
  });
  const spot = [...(wallets.get('spot') ?? [])].map(([asset, { free, locked }]) => [
    assetId(asset),
    entry(asset, free, locked),
  ]);
  // What is bonded for a time can't be traded; what earns rewards can.
  const earn = [...(wallets.get('earn') ?? [])].flatMap(([asset, { free, locked }]) => [
    ...(Number(free) > 0 ? [[`${assetAltname(asset)}.F`, entry(asset, free, '0')]] : []),
    ...(Number(locked) > 0 ? [[`${assetAltname(asset)}28.S`, entry(asset, locked, '0')]] : []),
  ]);
  return success(Object.fromEntries([...spot, ...earn]));
};

/** The page at `ofs`, newest first, of what has a time after `start` and up to `end`. */
const page = <Row>(
  rows: readonly Row[],
  timesOf: (row: Row) => readonly number[],
  parameters: URLSearchParams,
): { readonly rows: Row[]; readonly count: number } | KrakenAnswer => {
  const [start, end, offset] = ['start', 'end', 'ofs'].map((name) => parameters.get(name));
  for (const value of [start, end, offset]) {
    if (value !== null && !/^\d+(?:\.\d+)?$/.test(value ?? '')) return refused('EGeneral:Invalid arguments');
  }
  const isWanted = (at: number) => seconds(at) > Number(start ?? 0) && seconds(at) <= Number(end ?? Infinity);
  const newest = (row: Row) => Math.max(...timesOf(row));
  const found = rows
    .filter((row) => timesOf(row).some(isWanted))
    .toReversed()
    .sort((a, b) => newest(b) - newest(a));
  return { rows: found.slice(Number(offset ?? 0), Number(offset ?? 0) + pageEntries), count: found.length };
};

const tradesHistory: PrivateRoute['answer'] = (_exchange, account, parameters) => {
  const found = page(account.trades, ({ at }) => [at], parameters);
  if ('error' in found) return found;
  const trades = found.rows.map((trade) => [
    krakenId('T', trade.number),
    {
      ordertxid: krakenId('O', trade.orderId),
      postxid: 'TKH2SE-M7IF5-CFI7LT',
      pair: pairId(trade.symbol),
      time: seconds(trade.at),
      type: trade.side,
      ordertype: 'limit',
      price: fixed(trade.price, 5),
      cost: product(trade.price, trade.amount),
      fee: fixed(trade.fee, 5),
      vol: fixed(trade.amount, 8),
      margin: '0.00000',
      leverage: '0',
      misc: '',
      trade_id: trade.number,
      maker: trade.maker,
    },
  ]);
  return success({ trades: Object.fromEntries(trades), count: found.count });
};

/** Trades name a pair by its id, orders by its other name. */
const pairId = (symbol: string): string => {
  const [base = '', quote = ''] = symbol.split('/');
  const areClassified = assetId(base) !== base && assetId(quote) !== quote;
  return areClassified ? assetId(base) + assetId(quote) : pairAltname(symbol);
};
const pairAltname = (symbol: string): string => symbol.split('/').map(assetAltname).join('');

const orderBody = (order: Numbered<AccountOrder>) => {
  const { amount, filled, price, side, status, stopPrice } = order;
  const pair = pairAltname(order.symbol);
  const ordertype = stopPrice === undefined ? order.type : order.type === 'limit' ? 'stop-loss-limit' : 'stop-loss';
  const [first, second] = stopPrice === undefined ? [price, '0'] : [stopPrice, order.type === 'limit' ? price : '0'];
  return {
    refid: null,
    userref: null,
    cl_ord_id: `own-${order.number}`,
    status: status === 'filled' ? 'closed' : status,
    ...(status === 'canceled' ? { reason: 'User requested' } : {}),
    opentm: seconds(order.at),
    ...(status === 'open' ? {} : { closetm: seconds(order.updatedAt) }),
    starttm: 0,
    expiretm: 0,
    descr: {
      pair,
      type: side,
      ordertype,
      price: first,
      price2: second,
      leverage: 'none',
      order: `${side} ${fixed(amount, 8)} ${pair} @ ${ordertype.replaceAll('-', ' ')} ${first}`,
      close: '',
    },
    vol: fixed(amount, 8),
    vol_exec: fixed(filled, 8),
    cost: product(price, filled),
    fee: '0.00000',
    price: Number(filled) > 0 ? fixed(price, 5) : '0.00000',
    stopprice: '0.00000',
    limitprice: '0.00000',
    misc: '',
    oflags: 'fciq',
  };
};

const listed = (orders: readonly Numbered<AccountOrder>[]) =>
  Object.fromEntries(orders.map((order) => [krakenId('O', order.number), orderBody(order)]));

const closedOrders: PrivateRoute['answer'] = (_exchange, account, parameters) => {
  const closetime = parameters.get('closetime') ?? 'both';
  const times = ({ at, updatedAt }: AccountOrder) =>
    closetime === 'both' ? [at, updatedAt] : [closetime === 'open' ? at : updatedAt];
  const ended = account.orders.filter(({ status }) => status !== 'open');
  const found = page(ended, times, parameters);
  return 'error' in found ? found : success({ closed: listed(found.rows), count: found.count });
};

/** Each part of a position that an order opened is one of its own. */
const openPositions: PrivateRoute['answer'] = (_exchange, { positions }, parameters) => {
  const isCalculated = parameters.get('docalcs') === 'true';
  const parts = positions.map((position, index) => [
    krakenId('T', 5000 + index),
    {
      ordertxid: krakenId('O', 5000 + index),
      posstatus: 'open',
      pair: pairId(position.symbol),
      time: 1_610_000_000.5,
      type: position.side === 'long' ? 'buy' : 'sell',
      ordertype: 'limit',
      cost: product(position.entryPrice, position.size),
      fee: '0.00000',
      vol: fixed(position.size, 8),
      vol_closed: '0.00000000',
      margin: fixed(position.margin, 5),
      terms: '0.0100% per 4 hours',
      rollovertm: '1616672637',
      misc: '',
      oflags: '',
      ...(isCalculated
        ? { value: product(position.markPrice, position.size), net: withSign(position.unrealizedPnl) }
        : {}),
    },
  ]);
  return success(Object.fromEntries(parts));
};
const withSign = (amount: string): string => (Number(amount) < 0 ? fixed(amount, 5) : `+${fixed(amount, 5)}`);

const transferStatus = { pending: 'Pending', done: 'Success', failed: 'Failure' };

/** Newest first: the newest of them, or with a cursor one page after the other. */
const transfers =
  (kind: AccountTransfer['kind'], name: string, limitDefault: number): PrivateRoute['answer'] =>
  (_exchange, account, parameters) => {
    const [start, end] = [Number(parameters.get('start') ?? 0), Number(parameters.get('end') ?? Infinity)];
    const limit = Number(parameters.get('limit') ?? limitDefault);
    const cursor = parameters.get('cursor');
    const offset = cursor === null || !/^page\d+$/.test(cursor) ? 0 : Number(cursor.slice('page'.length));
    const found = account.transfers
      .map((transfer) => ({ ...transfer, time: Math.floor(seconds(transfer.at)) }))
      .filter((transfer) => transfer.kind === kind && transfer.time >= start && transfer.time <= end)
      .toReversed()
      .sort((a, b) => b.time - a.time);
    const rows = found.slice(offset, offset + limit).map((transfer) => ({
      method: transfer.network,
      aclass: 'currency',
      asset: assetId(transfer.asset),
      refid: krakenId('Q', transfer.number),
      txid: transfer.txId,
      info: transfer.address,
      amount: held(transfer.asset, Number(transfer.amount)),
      fee: held(transfer.asset, Number(transfer.fee)),
      time: transfer.time,
      status: transferStatus[transfer.status],
      ...(kind === 'withdrawal' ? { key: 'own wallet', network: transfer.network } : {}),
    }));
    if (cursor === null || cursor === 'false') return success(rows);
    const more = found.length > offset + limit;
    return success({ [name]: rows, ...(more ? { next_cursor: `page${offset + limit}` } : {}) });
  };

const keyInfo: PrivateRoute['answer'] = ({ now }, account) =>
  success({
    api_key_name: 'portfolio',
    api_key: account.key.apiKey,
    nonce: String(now),
    nonce_window: '0',
    permissions: permissionsOf(account),
    iban: 'AA34 N84G DOUB LE12',
    valid_until: '0',
    query_from: '0',
    query_to: '0',
    created_time: '1522132642',
    modified_time: '1618230358',
    ip_allowlist: account.key.ipRestricted ? ['203.0.113.9'] : [],
    last_used: String(Math.floor(seconds(now))),
  });

export const privateRoutes: Readonly<Record<string, PrivateRoute>> = {
  '/0/private/GetApiKeyInfo': { counts: 1, answer: keyInfo },
  '/0/private/Balance': {
    counts: 1,
    needs: ['query-funds'],
    answer: (exchange, account, parameters) => {
      const { result } = balances(exchange, account, parameters);
      const entries: [string, { balance: string }][] = Object.entries(result ?? {});
      return success(Object.fromEntries(entries.map(([asset, { balance }]) => [asset, balance])));
    },
  },
  '/0/private/BalanceEx': { counts: 1, needs: ['query-funds'], answer: balances },
  '/0/private/OpenOrders': {
    counts: 1,
    needs: ['query-open-trades'],
    answer: (_exchange, { orders }) => success({ open: listed(orders.filter(({ status }) => status === 'open')) }),
  },
  '/0/private/OpenPositions': { counts: 1, needs: ['query-open-trades'], answer: openPositions },
  '/0/private/ClosedOrders': { counts: 1, needs: ['query-closed-trades'], answer: closedOrders },
  '/0/private/TradesHistory': { counts: 2, needs: ['query-closed-trades'], answer: tradesHistory },
  '/0/private/DepositStatus': {
    counts: 1,
    needs: ['query-funds'],
    answer: transfers('deposit', 'deposits', depositsDefault),
  },
  '/0/private/WithdrawStatus': {
    counts: 1,
    needs: ['withdraw-funds', 'query-ledger'],
    answer: transfers('withdrawal', 'withdrawals', 500),
  },
};
