import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { VenueError } from '#shared/exchange/errors';
import { type Delete, every, type Item, type Put, type Query, type Table } from '#shared/platform/table';

/** What venues report of an account, as it is stored and returned. What does not fit these schemas is rejected. */

const LongDecimalString = z
  .string()
  .max(80)
  .regex(/^-?\d+(\.\d+)?$/);
/** Venues choose the names of assets and markets; they are part of keys, which are at most 1,024 bytes. */
const name = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((text) => text.isWellFormed());
const Asset = name(100);
export const VenueSymbol = name(60);
const VenueKey = z.string().regex(/^[\x20-\x7e]{1,100}$/);
const VenueText = z.string().max(200);
/** Epoch ms; keys hold 15 digits of it. */
const VenueTime = z.int().min(0).max(999_999_999_999_999);

const origin = {
  fetchedAt: z.int().describe('When this version of it was first fetched'),
  source: z.enum(['live', 'paper']),
};

export const AccountBalance = z
  .strictObject({
    wallet: z.enum(['spot', 'funding', 'margin', 'earn', 'contract']),
    asset: Asset,
    free: LongDecimalString,
    locked: LongDecimalString,
    total: LongDecimalString,
    debt: LongDecimalString.nullable(),
    venueTime: VenueTime.nullable().describe('When the venue first saw this amount, where it reports that'),
    ...origin,
  })
  .meta({ id: 'AccountBalance' });
export type AccountBalance = z.infer<typeof AccountBalance>;

export const WalletType = AccountBalance.shape.wallet;

/** The state of one wallet of an account. Wallets are read independently of each other. */
export const WalletStatus = z
  .strictObject({
    wallet: WalletType,
    status: z
      .enum(['ok', 'failing', 'not-offered'])
      .describe('`failing`: its balances are those of `asOf`; `not-offered`: this account has no such wallet'),
    asOf: z.int().nullable().describe('When it was last read, epoch milliseconds; null: never'),
    detail: z.string().nullable().describe('Why it is not ok'),
  })
  .meta({ id: 'WalletStatus' });
export type WalletStatus = z.infer<typeof WalletStatus>;

export const AccountPosition = z.strictObject({
  symbol: VenueSymbol,
  side: z.enum(['long', 'short']),
  marginMode: z.enum(['cross', 'isolated']).nullable(),
  contracts: LongDecimalString,
  contractSize: LongDecimalString.nullable(),
  entryPrice: LongDecimalString.nullable(),
  markPrice: LongDecimalString.nullable(),
  liquidationPrice: LongDecimalString.nullable(),
  leverage: LongDecimalString.nullable(),
  collateral: LongDecimalString.nullable(),
  unrealizedPnl: LongDecimalString.nullable(),
  venueTime: VenueTime.nullable(),
  ...origin,
});
export type AccountPosition = z.infer<typeof AccountPosition>;

const Fee = z.strictObject({ asset: Asset.nullable(), cost: LongDecimalString });

export const OrderStatus = z.enum(['open', 'filled', 'canceled', 'rejected', 'expired', 'unknown']);
export type OrderStatus = z.infer<typeof OrderStatus>;

export const AccountOrder = z
  .strictObject({
    orderId: VenueKey.describe("The venue's own id; some venues count by market, so that only both name one order"),
    clientOrderId: VenueText.nullable(),
    symbol: VenueSymbol,
    side: z.enum(['buy', 'sell']),
    type: z.enum(['market', 'limit', 'stop', 'stop_limit', 'other']),
    status: OrderStatus.describe('`unknown`: it is not open any more, and the venue does not report how it ended'),
    timeInForce: VenueText.nullable(),
    amount: LongDecimalString,
    filled: LongDecimalString,
    price: LongDecimalString.nullable(),
    stopPrice: LongDecimalString.nullable(),
    average: LongDecimalString.nullable().describe('Average price of what is filled'),
    reduceOnly: z.boolean().nullable(),
    postOnly: z.boolean().nullable(),
    createdAt: VenueTime.describe("By the venue's clock"),
    updatedAt: VenueTime.nullable().describe("By the venue's clock, where it reports that"),
    ...origin,
  })
  .meta({ id: 'AccountOrder' });
export type AccountOrder = z.infer<typeof AccountOrder>;

export const AccountTrade = z
  .strictObject({
    tradeId: VenueKey.describe("The venue's own id, unique within its symbol"),
    orderId: VenueText.nullable(),
    symbol: VenueSymbol,
    side: z.enum(['buy', 'sell']),
    role: z.enum(['maker', 'taker']).nullable(),
    price: LongDecimalString,
    amount: LongDecimalString,
    cost: LongDecimalString.describe('In the quote currency, or the settlement currency of a contract'),
    fees: z.array(Fee).max(20),
    at: VenueTime.describe("By the venue's clock"),
    ...origin,
  })
  .meta({ id: 'AccountTrade' });
export type AccountTrade = z.infer<typeof AccountTrade>;

export const AccountTransfer = z.strictObject({
  transferId: VenueKey,
  type: z.enum(['deposit', 'withdrawal']),
  asset: Asset,
  amount: LongDecimalString,
  fee: Fee.nullable(),
  status: z.enum(['pending', 'ok', 'failed', 'canceled']),
  txId: VenueText.nullable(),
  at: VenueTime,
  ...origin,
});
export type AccountTransfer = z.infer<typeof AccountTransfer>;

/** Most records of one reply: a longer one can't be right. */
const recordsMax = 20_000;

/**
 * The records of a reply, unless they can't be right.
 * @param identity unique to each record
 * @throws {VenueError} `retryable`; it quotes nothing
 */
export const soundRecords = <T>(
  venue: string,
  schema: z.ZodType<T>,
  reported: readonly T[],
  identity: (record: T) => string,
): readonly T[] => {
  const isSound =
    reported.length <= recordsMax &&
    reported.every((record) => schema.safeParse(record).success) &&
    new Set(reported.map(identity)).size === reported.length;
  if (isSound) return reported;
  throw new VenueError(venue, 'retryable', `${venue} gave records that can not be right; what is known stays`);
};

/** All that a query finds, as it is stored now. */
export const listed = async <T extends Item>(table: Table, query: Query): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of every<T>(table, query)) items.push(item);
  return items;
};

/** Times alone do not count as a difference: every sync would write everything. */
const times = ['fetchedAt', 'venueTime', 'createdAt', 'updatedAt', 'at'];
const withoutTimes = (item: Item) =>
  Object.fromEntries(Object.entries(item).filter(([attribute]) => !times.includes(attribute) && !isIndex(attribute)));
const isIndex = (attribute: string): boolean => /^gsi\d(pk|sk)$/.test(attribute);

export const isSameRecord = (stored: Item, reported: Item): boolean =>
  isDeepStrictEqual(withoutTimes(stored), withoutTimes(reported));

/** The writes that make the stored items equal to a complete list: puts of those that differ, deletes of those that vanished. */
export const differences = (stored: readonly Item[], reported: readonly Item[]): (Put | Delete)[] => {
  const vanished = new Map(stored.map((item) => [item.sk, item]));
  const puts: Put[] = [];
  for (const item of reported) {
    const before = vanished.get(item.sk);
    vanished.delete(item.sk);
    if (before === undefined || !isSameRecord(before, item)) puts.push({ put: item });
  }
  return [...puts, ...[...vanished.values()].map(({ pk, sk }) => ({ delete: { pk, sk } }))];
};
