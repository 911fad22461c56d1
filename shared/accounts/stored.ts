import { createHash } from 'node:crypto';
import type { Balance, WalletType } from '#shared/exchange/account-venue';
import type { Config } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import type { Account, AccountBalance, StepStatus } from './account.ts';

/** Where the credentials of an account are: the number of their secret and their name in it. */
export type CredentialsPlace = { readonly pack: number; readonly credentialsId: string };

/** How far a step is, as it is stored by its name. */
export type StepState = Omit<StepStatus, 'step'>;

/**
 * An account as it is stored, in its owner's partition. `version` counts what the user changes; the sync writes the
 * attributes that follow `createdAt` and leaves the version alone.
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
  /** What a paper account was given, by asset. */
  readonly paper: { readonly [asset: string]: string } | null;
  readonly updatedAt: number;
  readonly createdAt: number;
  readonly steps: { readonly [step: string]: StepState };
  /** The due time up to which the sync has been made. */
  readonly servedDueAt: number;
  /** Who synchronises it now, since when and until when. */
  readonly leaseOwner?: string;
  readonly leasedAt?: number;
  readonly leaseUntil?: number;
}

/** When an account is due. An item of its own: the index it stands in is written with every change of it. */
export interface StoredSchedule extends Item {
  readonly kind: 'account-schedule';
  readonly userId: UserId;
  readonly accountId: string;
  readonly version: number;
  readonly dueAt: number;
  readonly syncSeconds: number | null;
}

/** An asset of an account, as it last changed. */
export interface StoredBalance extends Item, Omit<Balance, 'venueTime'> {
  readonly kind: 'balance';
  readonly userId: UserId;
  readonly accountId: string;
  readonly venueTime: number | null;
  readonly fetchedAt: number;
  readonly source: AccountBalance['source'];
}

/** A secret of the vault: how full it is and who writes it now. Open ones stand in the index. */
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
export const accountPrefix = 'ACCOUNT#';

export const accountKey = (userId: UserId, accountId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ACCOUNT', accountId),
});
export const accountCountKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'ACCOUNT_COUNT' });
export const scheduleKey = (userId: UserId, accountId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ACCOUNT_SCHEDULE', accountId),
});
/** Venues name assets as they like. */
export const balanceKey = (userId: UserId, accountId: string, wallet: WalletType, asset: string): Key => ({
  pk: partition(userId),
  sk: keyOf('BALANCE', accountId, wallet, encodeURIComponent(asset)),
});
/** The balances of an account, as a range of its owner's partition. */
export const balancesOf = (userId: UserId, accountId: string) => ({
  pk: partition(userId),
  sk: { prefix: `${keyOf('BALANCE', accountId)}#` },
});

/** Where an account stands in the index of those due; without the partition it stands nowhere and is not due. */
export const scheduleShard = (shard: number): string => keyOf('ACCOUNT_DUE', String(shard));
export const shardOf = (accountId: string): number =>
  (createHash('sha256').update(accountId).digest()[0] ?? 0) % scheduleShards;
/** Sorts before every account that is due at `at` or later. */
export const dueBound = (at: number): string => String(at).padStart(timeDigits, '0');
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
/** Where a pack with room stands. */
export const openPlace = (pack: number) => ({ gsi1pk: openPacks, gsi1sk: String(pack).padStart(packDigits, '0') });

/** The period of an account's sync, seconds. */
export const periodOf = (
  { syncSeconds }: Pick<StoredAccount, 'syncSeconds'>,
  { accountSyncSeconds }: Pick<Config, 'accountSyncSeconds'>,
): number => Math.max(syncSeconds ?? accountSyncSeconds, accountSyncSeconds);

export const accountOf = (stored: StoredAccount, config: Pick<Config, 'accountSyncSeconds'>): Account => ({
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
  steps: Object.entries(stored.steps).map(([step, state]) => ({ step, ...state })),
});

export const balanceOf = (stored: StoredBalance): AccountBalance => ({
  wallet: stored.wallet,
  asset: stored.asset,
  free: stored.free,
  locked: stored.locked,
  total: stored.total,
  debt: stored.debt,
  venueTime: stored.venueTime,
  fetchedAt: stored.fetchedAt,
  source: stored.source,
});
