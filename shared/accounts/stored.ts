import { createHash } from 'node:crypto';
import type { WalletType } from '#shared/exchange/account-venue';
import type { UserId } from '#shared/model/user-id';
import type { Config } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { Account, StepStatus } from './account.ts';
import type {
  AccountBalance,
  AccountOrder,
  AccountPosition,
  AccountTrade,
  AccountTransfer,
  OrderStatus,
  WalletStatus,
} from './records.ts';

/** Where the credentials of an account are: the number of their secret and their name in it. */
export type CredentialsPlace = { readonly pack: number; readonly credentialsId: string };

/** The steps of a sync, in their order. */
export const stepNames = ['balances', 'positions', 'orders', 'trades', 'transfers'] as const;
export type StepName = (typeof stepNames)[number];

/** The state of a wallet, stored by its type. */
export type WalletState = Omit<WalletStatus, 'wallet'>;

/** The state of a step, stored by its name. */
export type StepState = Omit<StepStatus, 'step'> & {
  /** Of the balances: absent before they were read first. */
  readonly wallets?: { readonly [wallet: string]: WalletState };
};

/**
 * An account as it is stored, in its owner's partition. `version` counts what the user changes; the sync writes the
 * attributes after `createdAt` and does not change the version.
 */
export interface StoredAccount extends Item {
  readonly kind: 'account';
  readonly userId: UserId;
  readonly accountId: string;
  readonly version: number;
  readonly venue: string;
  readonly label: string;
  readonly mode: Account['mode'];
  readonly readOnly: boolean;
  readonly canWithdraw: boolean | null;
  /** Null: what the configuration says. */
  readonly syncSeconds: number | null;
  readonly state: Account['state'];
  readonly credentials: CredentialsPlace | null;
  /** Id of the change that stored the key; missing in items of earlier versions. */
  readonly keyChange?: string;
  /** What a paper account was given, by asset. */
  readonly paper: { readonly [asset: string]: string } | null;
  readonly updatedAt: number;
  readonly createdAt: number;
  readonly steps: { readonly [step: string]: StepState };
  /** When the steps were last written. */
  readonly statusAt: number;
  /** The due time of the sync that wrote them: what was due by then is served. */
  readonly servedDueAt: number;
  /** Counts the writes of syncs, so that a sync detects whether another one wrote since it read the account. */
  readonly syncVersion: number;
  /** The lease of the worker that synchronises it now. */
  readonly leaseOwner?: string;
  readonly leasedAt?: number;
  readonly leaseUntil?: number;
}

/** When an account is due. An item of its own: every change of an item is also written to its index. */
export interface StoredSchedule extends Item {
  readonly kind: 'account-schedule';
  readonly userId: UserId;
  readonly accountId: string;
  readonly version: number;
  readonly dueAt: number;
  readonly syncSeconds: number | null;
  /** The user requested the next sync: paused steps are tried as well. */
  readonly userRequested?: boolean;
  /** The account is paused until it is due. */
  readonly isPaused?: boolean;
}

export interface OfAccount extends Item {
  readonly userId: UserId;
  readonly accountId: string;
}

/** An asset of an account, as it last changed. */
export type StoredBalance = OfAccount & AccountBalance & { readonly kind: 'balance' };
export type StoredPosition = OfAccount & AccountPosition & { readonly kind: 'position' };
export type StoredOrder = OfAccount & AccountOrder & { readonly kind: 'order' };
export type StoredTrade = OfAccount & AccountTrade & { readonly kind: 'trade' };
export type StoredTransfer = OfAccount & AccountTransfer & { readonly kind: 'transfer' };

/** How far the user's trades of a symbol were read, or of all symbols where the venue does not require one. */
export interface StoredCursor extends OfAccount {
  readonly kind: 'trade-cursor';
  readonly symbol: string | null;
  readonly cursor: string;
  /** Whether the end was reached once. */
  readonly isComplete: boolean;
  readonly storedAt: number;
  /** Why rows could not be read, by their id; absent: none. */
  readonly rejected?: { readonly [id: string]: string };
  /** Trades that lack something the venue may report later; absent: none. */
  readonly incomplete?: IncompleteTrades;
}

/** Trades whose market or fee currency the venue did not report when they were read. */
export type IncompleteTrades = {
  /** The venue's own names of markets under which trades are stored. */
  readonly names: readonly string[];
  /** Where to read them again: the cursor before the first of them; null: from the beginning. */
  readonly from: string | null;
  /** When they are to be read again, epoch ms. */
  readonly retryAt: number;
  readonly retries: number;
  /** Where reading them again stopped for lack of time. */
  readonly resumeFrom?: string | null;
};

/** What to read where a venue requires symbols; the times are when each was first seen, epoch ms. */
export interface StoredSymbols extends OfAccount {
  readonly kind: 'account-symbols';
  readonly assets: { readonly [asset: string]: number };
  readonly symbols: { readonly [symbol: string]: number };
}

/** A secret of the vault: how full it is and who writes it now. Those with room are in the index. */
export interface StoredPack extends Item {
  readonly kind: 'credentials-pack';
  readonly pack: number;
  readonly entries: number;
  readonly leaseOwner?: string;
  readonly leaseUntil?: number;
}

/** Shards of the schedule: a partition of the index takes a thousand writes a second. */
export const scheduleShards = 16;
const timeDigits = 15;
const packDigits = 9;

const partition = (userId: UserId) => keyOf('USER', userId);

export const accountKey = (userId: UserId, accountId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ACCOUNT', accountId),
});
/** The accounts of a user, oldest first, as a range of the user's partition. */
export const accountsOf = (userId: UserId) => ({ pk: partition(userId), sk: { prefix: 'ACCOUNT#' } });
export const accountCountKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'ACCOUNT_COUNT' });
export const scheduleKey = (userId: UserId, accountId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ACCOUNT_SCHEDULE', accountId),
});
const records = {
  balance: 'BALANCE',
  position: 'ACCOUNT_POSITION',
  order: 'ACCOUNT_ORDER',
  trade: 'ACCOUNT_TRADE',
  transfer: 'ACCOUNT_TRANSFER',
  'trade-cursor': 'TRADE_CURSOR',
} as const;
type RecordKind = keyof typeof records;

/** Venues choose names freely: they are encoded. */
const recordKey = (kind: RecordKind, userId: UserId, accountId: string, ...parts: readonly string[]): Key => ({
  pk: partition(userId),
  sk: keyOf(records[kind], accountId, ...parts.map(encodeURIComponent)),
});
/** The records of an account that are of one kind, as a range of its owner's partition. */
export const recordsOf = (kind: RecordKind, userId: UserId, accountId: string) => ({
  pk: partition(userId),
  sk: { prefix: `${keyOf(records[kind], accountId)}#` },
});
export const recordKinds = Object.keys(records) as RecordKind[];

export const balanceKey = (userId: UserId, accountId: string, wallet: WalletType, asset: string): Key =>
  recordKey('balance', userId, accountId, wallet, asset);
export const positionKey = (userId: UserId, accountId: string, symbol: string, side: string): Key =>
  recordKey('position', userId, accountId, symbol, side);
export const orderKey = (userId: UserId, accountId: string, symbol: string, orderId: string): Key =>
  recordKey('order', userId, accountId, symbol, orderId);
export const tradeKey = (userId: UserId, accountId: string, symbol: string, tradeId: string): Key =>
  recordKey('trade', userId, accountId, symbol, tradeId);
export const transferKey = (userId: UserId, accountId: string, type: string, transferId: string): Key =>
  recordKey('transfer', userId, accountId, type, transferId);
/** @param symbol null where the trades of all are read together */
export const cursorKey = (userId: UserId, accountId: string, symbol: string | null): Key =>
  recordKey('trade-cursor', userId, accountId, symbol ?? '*');
export const symbolsKey = (userId: UserId, accountId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ACCOUNT_SYMBOLS', accountId),
});

/** An account's orders, sorted by time: all, or those of a status. */
export const ordersIndex = (userId: UserId, accountId: string, status?: OrderStatus) =>
  status === undefined
    ? ({ index: 'gsi1', pk: keyOf('ACCOUNT_ORDERS', userId, accountId) } as const)
    : ({ index: 'gsi2', pk: keyOf('ACCOUNT_ORDERS', userId, accountId, status) } as const);
export const orderPlaces = (
  userId: UserId,
  accountId: string,
  { symbol, orderId, status, createdAt }: Pick<AccountOrder, 'symbol' | 'orderId' | 'status' | 'createdAt'>,
) => {
  const place = keyOf(timeKey(createdAt), encodeURIComponent(symbol), encodeURIComponent(orderId));
  return {
    ...{ gsi1pk: ordersIndex(userId, accountId).pk, gsi1sk: place },
    ...{ gsi2pk: ordersIndex(userId, accountId, status).pk, gsi2sk: place },
  };
};
/** An account's trades, sorted by time: all, or those of a symbol. */
export const tradesIndex = (userId: UserId, accountId: string, symbol?: string) =>
  symbol === undefined
    ? ({ index: 'gsi1', pk: keyOf('ACCOUNT_TRADES', userId, accountId) } as const)
    : ({ index: 'gsi2', pk: keyOf('ACCOUNT_TRADES', userId, accountId, encodeURIComponent(symbol)) } as const);
export const tradePlaces = (
  userId: UserId,
  accountId: string,
  { symbol, tradeId, at }: Pick<AccountTrade, 'symbol' | 'tradeId' | 'at'>,
) => {
  const place = keyOf(timeKey(at), encodeURIComponent(symbol), encodeURIComponent(tradeId));
  return {
    ...{ gsi1pk: tradesIndex(userId, accountId).pk, gsi1sk: place },
    ...{ gsi2pk: tradesIndex(userId, accountId, symbol).pk, gsi2sk: place },
  };
};

/** The index partition of a shard of the due accounts; an account without one is not due. */
export const scheduleShard = (shard: number): string => keyOf('ACCOUNT_DUE', String(shard));
const digestOf = (accountId: string): Buffer => createHash('sha256').update(accountId).digest();
export const shardOf = (accountId: string): number => digestOf(accountId).readUInt8(0) % scheduleShards;
const timeKey = (at: number): string => String(at).padStart(timeDigits, '0');
/** Sorts before every account that is due at `at` or later. */
export const dueBound = timeKey;
export const duePlace = (accountId: string, dueAt: number) => ({
  gsi1pk: scheduleShard(shardOf(accountId)),
  gsi1sk: keyOf(dueBound(dueAt), accountId),
});

export const packKey = (pack: number): Key => ({
  pk: keyOf('VAULT', 'PACK', String(pack).padStart(packDigits, '0')),
  sk: 'PACK',
});
export const packCountKey: Key = { pk: 'VAULT', sk: 'PACK_COUNT' };
export const openPacks = 'VAULT_OPEN';
/** Index keys of a pack with room. */
export const openPlace = (pack: number) => ({ gsi1pk: openPacks, gsi1sk: String(pack).padStart(packDigits, '0') });

/** The period of an account's sync, seconds. */
export const periodOf = (
  { syncSeconds }: Pick<StoredAccount, 'syncSeconds'>,
  { accounts }: Pick<Config, 'accounts'>,
): number => Math.max(syncSeconds ?? accounts.syncSeconds, accounts.syncSeconds);

/**
 * The period in which an account is to be synchronised now, epoch ms. Each account has a phase of its own, whenever it was
 * connected or last retried: accounts that were due together once are not due together the next time.
 */
export const duePeriod = (
  account: Pick<StoredAccount, 'accountId' | 'syncSeconds'>,
  config: Pick<Config, 'accounts'>,
  now: number,
): { readonly beganAt: number; readonly endsAt: number } => {
  const periodMs = Math.round(periodOf(account, config) * 1000);
  const phaseMs = Math.floor((digestOf(account.accountId).readUInt32BE(1) / 2 ** 32) * periodMs);
  const beganAt = Math.floor((now - phaseMs) / periodMs) * periodMs + phaseMs;
  return { beganAt, endsAt: beganAt + periodMs };
};

export const accountOf = (stored: StoredAccount, config: Pick<Config, 'accounts'>): Account => ({
  accountId: stored.accountId,
  version: stored.version,
  venue: stored.venue,
  label: stored.label,
  mode: stored.mode,
  readOnly: stored.readOnly,
  canWithdraw: stored.canWithdraw,
  syncSeconds: periodOf(stored, config),
  state: stored.state,
  createdAt: stored.createdAt,
  updatedAt: stored.updatedAt,
  steps: stepNames.flatMap((step) => {
    const state = stored.steps[step];
    if (state === undefined) return [];
    const { wallets: _wallets, ...status } = state;
    return [{ step, ...status }];
  }),
});
