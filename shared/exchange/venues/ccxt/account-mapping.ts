import { createHash } from 'node:crypto';
import type { Order, Position, Trade, Transaction } from 'ccxt';
import type {
  ContractPosition,
  Fee,
  OwnTrade,
  Transfer,
  VenueList,
  VenueOrder,
  VenueOrderStatus,
  WalletType,
} from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';
import type { Holding } from './account-balances.ts';
import { plainDecimal } from './market-mapping.ts';
import { withoutTime } from './odd-rows.ts';
import { readRows } from './rows.ts';

/** A field of an account is missing or malformed. Nothing else of the answer is used. */
export class MalformedField extends Error {
  override readonly name = 'BadResponse';
}

const malformed = (field: string): never => {
  throw new MalformedField(`malformed ${field}`);
};

/** `unknown`: ccxt's types say number where our clients get strings, and what a venue left out is undefined. */
const amount = (value: unknown, field: string): string => plainDecimal(value) ?? malformed(field);

const optional = (value: unknown, field: string): string | null =>
  value === undefined || value === null ? null : amount(value, field);

const text = (value: unknown, field: string): string =>
  typeof value === 'string' && value !== '' ? value : malformed(field);

const optionalText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const optionalTime = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;

/** @param native of a row that has no time, see {@link keepOddRows} */
const time = (native: object, field: string): number =>
  own(native, withoutTime) === true ? malformed(field) : (optionalTime(own(native, 'timestamp')) ?? malformed(field));

const sideOf = (value: unknown): 'buy' | 'sell' => (value === 'buy' || value === 'sell' ? value : malformed('side'));

const own = (record: object, name: string): unknown => Object.getOwnPropertyDescriptor(record, name)?.value;

const notZero = (value: string | null): string | null => (value === null || new Decimal(value).isZero() ? null : value);

/** An asset of a wallet, of amounts in ccxt's words; what is not free counts as locked unless the venue says more. */
export const toHolding = (wallet: WalletType, asset: string, amounts: object, venueTime: number | null): Holding => {
  const [total, free, used] = ['total', 'free', 'used'].map((name) => optional(own(amounts, name), `${name} balance`));
  const sum = total ?? (free == null ? malformed('total balance') : new Decimal(free).add(used ?? 0).toFixed());
  const locked = used ?? (free == null ? '0' : new Decimal(sum).sub(free).toFixed());
  return { wallet, asset, total: sum, locked, debt: optional(own(amounts, 'debt'), 'debt') ?? '0', venueTime };
};

/** The holdings of a wallet, from ccxt's balances. */
export const toHoldings = (wallet: WalletType, natives: object): Holding[] => {
  const total: unknown = own(natives, 'total');
  if (typeof total !== 'object' || total === null) return malformed('balances');
  const venueTime = optionalTime(own(natives, 'timestamp'));
  return Object.keys(total).map((asset) => {
    const native: unknown = own(natives, asset);
    if (typeof native !== 'object' || native === null) return malformed('balance');
    return toHolding(wallet, asset, native, venueTime);
  });
};

const orderTypes: Readonly<Record<string, VenueOrder['type']>> = {
  market: 'market',
  limit: 'limit',
  limit_maker: 'limit',
  stop: 'stop',
  stop_loss: 'stop',
  stop_market: 'stop',
  stop_limit: 'stop_limit',
  stop_loss_limit: 'stop_limit',
  'stop-loss': 'stop',
  'stop-loss-limit': 'stop_limit',
};

/** ccxt reports a conditional order of Kraken as the order it becomes, and its trigger price in one of two other fields. */
const krakenCondition = ({ info, stopLossPrice, takeProfitPrice }: Order) => {
  const type: unknown = info?.descr?.ordertype;
  const conditional = typeof type === 'string' && /^(?:stop-loss|take-profit|trailing-stop)/.test(type);
  return conditional ? { type, price: stopLossPrice ?? takeProfitPrice } : undefined;
};

const orderStatuses: Readonly<Record<string, VenueOrderStatus>> = {
  open: 'open',
  closed: 'filled',
  canceled: 'canceled',
  canceling: 'open',
  expired: 'expired',
  rejected: 'rejected',
};

export const toOrder = (native: Order): VenueOrder => {
  const amountOrdered = optional(native.amount, 'order amount');
  const filled = optional(native.filled, 'filled amount') ?? '0';
  const condition = krakenCondition(native);
  return {
    orderId: text(native.id, 'order id'),
    clientOrderId: optionalText(native.clientOrderId),
    symbol: text(native.symbol, 'symbol'),
    side: sideOf(native.side),
    type: orderTypes[condition?.type ?? native.type ?? ''] ?? 'other',
    status: orderStatuses[native.status ?? ''] ?? 'unknown',
    timeInForce: optionalText(native.timeInForce),
    // An order for an amount of quote currency has no other amount than what was filled.
    amount: amountOrdered ?? filled,
    filled,
    price: notZero(optional(native.price, 'order price')),
    stopPrice: notZero(optional(condition?.price ?? native.triggerPrice, 'stop price')),
    average: notZero(optional(native.average, 'average price')),
    reduceOnly: typeof native.reduceOnly === 'boolean' ? native.reduceOnly : null,
    postOnly: typeof native.postOnly === 'boolean' ? native.postOnly : null,
    createdAt: time(native, 'order time'),
    updatedAt: optionalTime(native.lastUpdateTimestamp) ?? optionalTime(native.lastTradeTimestamp),
  };
};

const toFee = (native: { readonly currency?: unknown; readonly cost?: unknown } | undefined): Fee[] => {
  if (native?.cost === undefined || native.cost === null) return [];
  const cost = notZero(amount(native.cost, 'fee'));
  return cost === null ? [] : [{ asset: optionalText(native.currency), cost }];
};

/** ccxt gives `fees` as well as `fee`, but its types only the latter. */
const toFees = (native: Trade): Fee[] => {
  const fees: unknown = own(native, 'fees');
  return Array.isArray(fees) && fees.length > 0 ? fees.flatMap(toFee) : toFee(native.fee);
};

export const toTrade = (native: Trade): OwnTrade => ({
  tradeId: text(native.id, 'trade id'),
  orderId: optionalText(native.order),
  symbol: text(native.symbol, 'symbol'),
  side: sideOf(native.side),
  role: native.takerOrMaker === 'maker' || native.takerOrMaker === 'taker' ? native.takerOrMaker : null,
  price: amount(native.price, 'trade price'),
  amount: amount(native.amount, 'trade amount'),
  cost: amount(native.cost, 'trade cost'),
  fees: toFees(native),
  at: time(native, 'trade time'),
});

const transferStatuses: Readonly<Record<string, Transfer['status']>> = {
  ok: 'ok',
  failed: 'failed',
  fail: 'failed',
  rejected: 'failed',
  canceled: 'canceled',
};

/**
 * Transfers of a list. A row without an id gets one derived from its fields that do not change, and its position
 * among equal rows: two deposits of one transaction are distinct.
 */
export const toTransfers = (venue: string, natives: readonly Transaction[]): VenueList<Transfer> => {
  const equal = new Map<string, number>();
  return readRows(
    'transfers',
    natives,
    ({ id, txid }) => id ?? txid,
    (native) => {
      const transfer = toTransfer(native);
      if (transfer.transferId !== '') return transfer;
      const { type, asset, amount: size, txId, at } = transfer;
      const name = JSON.stringify([venue, type, asset, size, txId, optionalText(native.addressTo), at]);
      const nth = (equal.get(name) ?? 0) + 1;
      equal.set(name, nth);
      const hash = createHash('sha256').update(`${name} ${nth}`).digest('hex');
      return { ...transfer, transferId: `made-${hash.slice(0, madeIdDigits)}` };
    },
  );
};

/** 128 bits. */
const madeIdDigits = 32;

const toTransfer = (native: Transaction): Transfer => ({
  transferId: optionalText(native.id) ?? '',
  type: native.type === 'deposit' || native.type === 'withdrawal' ? native.type : malformed('transfer type'),
  asset: text(native.currency, 'asset'),
  amount: amount(native.amount, 'transfer amount'),
  fee: toFee(native.fee)[0] ?? null,
  status: transferStatuses[native.status ?? ''] ?? 'pending',
  txId: optionalText(native.txid),
  at: time(native, 'transfer time'),
});

/** The fields of ccxt's position that are read here. */
export type NativePosition = Readonly<Partial<Record<keyof Position, unknown>>>;

/** @returns undefined where nothing is held */
export const toPosition = (native: NativePosition): ContractPosition | undefined => {
  const contracts = notZero(optional(native.contracts, 'contracts'));
  if (contracts === null) return undefined;
  return {
    symbol: text(native.symbol, 'symbol'),
    side: native.side === 'long' || native.side === 'short' ? native.side : malformed('side'),
    marginMode: native.marginMode === 'cross' || native.marginMode === 'isolated' ? native.marginMode : null,
    contracts: new Decimal(contracts).abs().toFixed(),
    contractSize: optional(native.contractSize, 'contract size'),
    entryPrice: optional(native.entryPrice, 'entry price'),
    markPrice: optional(native.markPrice, 'mark price'),
    liquidationPrice: optional(native.liquidationPrice, 'liquidation price'),
    leverage: optional(native.leverage, 'leverage'),
    collateral: optional(native.collateral, 'collateral'),
    unrealizedPnl: optional(native.unrealizedPnl, 'unrealized profit'),
    venueTime: optionalTime(native.timestamp),
  };
};
