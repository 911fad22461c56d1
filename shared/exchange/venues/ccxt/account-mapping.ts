import type { Order, Position, Trade, Transaction } from 'ccxt';
import type {
  Balance,
  ContractPosition,
  Fee,
  OwnTrade,
  Transfer,
  VenueOrder,
  VenueOrderStatus,
  WalletType,
} from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';
import { plainDecimal } from './market-mapping.ts';

/** A field of an account that is missing or has another form than it must have. Nothing else of the answer is used. */
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

const time = (value: unknown, field: string): number => optionalTime(value) ?? malformed(field);

const sideOf = (value: unknown): 'buy' | 'sell' => (value === 'buy' || value === 'sell' ? value : malformed('side'));

const own = (record: object, name: string): unknown => Object.getOwnPropertyDescriptor(record, name)?.value;

const notZero = (value: string | null): string | null => (value === null || new Decimal(value).isZero() ? null : value);

/** What a wallet holds, of ccxt's balances. Assets that are neither held nor owed are left out. */
export const toBalances = (wallet: WalletType, natives: object): Balance[] => {
  const total: unknown = own(natives, 'total');
  if (typeof total !== 'object' || total === null) return malformed('balances');
  const venueTime = optionalTime(own(natives, 'timestamp'));
  return Object.keys(total).flatMap((asset) => {
    const native: unknown = own(natives, asset);
    if (typeof native !== 'object' || native === null) return malformed('balance');
    const balance: Balance = {
      wallet,
      asset,
      free: amount(own(native, 'free') ?? own(native, 'total'), 'free balance'),
      locked: optional(own(native, 'used'), 'locked balance') ?? '0',
      total: amount(own(native, 'total'), 'total balance'),
      debt: optional(own(native, 'debt'), 'debt') ?? '0',
      venueTime,
    };
    return notZero(balance.total) === null && notZero(balance.debt) === null ? [] : [balance];
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

/** ccxt tells a conditional order of Kraken as what becomes of it, and its condition in one of two other fields. */
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
    // An order for an amount of quote currency tells no other amount than what it got.
    amount: amountOrdered ?? filled,
    filled,
    price: notZero(optional(native.price, 'order price')),
    stopPrice: notZero(optional(condition?.price ?? native.triggerPrice, 'stop price')),
    average: notZero(optional(native.average, 'average price')),
    reduceOnly: typeof native.reduceOnly === 'boolean' ? native.reduceOnly : null,
    postOnly: typeof native.postOnly === 'boolean' ? native.postOnly : null,
    createdAt: time(native.timestamp, 'order time'),
    updatedAt: optionalTime(native.lastUpdateTimestamp) ?? optionalTime(native.lastTradeTimestamp),
  };
};

const toFee = (native: { readonly currency?: unknown; readonly cost?: unknown } | undefined): Fee[] => {
  if (native?.cost === undefined || native.cost === null) return [];
  const cost = notZero(amount(native.cost, 'fee'));
  return cost === null ? [] : [{ asset: optionalText(native.currency), cost }];
};

/** ccxt tells `fees` as well as `fee`, and its types only the latter. */
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
  at: time(native.timestamp, 'trade time'),
});

const transferStatuses: Readonly<Record<string, Transfer['status']>> = {
  ok: 'ok',
  failed: 'failed',
  fail: 'failed',
  rejected: 'failed',
  canceled: 'canceled',
};

export const toTransfer = (native: Transaction): Transfer => ({
  transferId: text(native.id ?? native.txid, 'transfer id'),
  type: native.type === 'deposit' || native.type === 'withdrawal' ? native.type : malformed('transfer type'),
  asset: text(native.currency, 'asset'),
  amount: amount(native.amount, 'transfer amount'),
  fee: toFee(native.fee)[0] ?? null,
  status: transferStatuses[native.status ?? ''] ?? 'pending',
  txId: optionalText(native.txid),
  at: time(native.timestamp, 'transfer time'),
});

/** A position as ccxt has it, as far as it is read here. */
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
