import { Decimal } from 'decimal.js';
import type { Balance } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import type { Platform } from '#shared/platform/ports';
import { type Delete, every, type Put } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import type { AccountBalance } from './account.ts';
import type { StepContext, SyncStep } from './steps.ts';
import { balanceKey, balancesOf, type StoredAccount, type StoredBalance } from './stored.ts';

type Ports = Pick<Platform, 'table' | 'clock'>;

/** More than any account holds: a reply with more is not one of balances. */
const balancesMax = 5_000;
const assetLengthMax = 100;

/** Keeps the balances of an account as its venue tells them: writes what differs, removes what vanished. */
export const balancesStep = ({ table, clock }: Ports): SyncStep => ({
  name: 'balances',
  run: async (context) => {
    const { account } = context;
    const { userId, accountId } = account;
    const fetched = account.mode === 'paper' ? paperBalances(account) : await checked(context);
    const fetchedAt = clock.now();
    const stored = new Map<string, StoredBalance>();
    for await (const item of every<StoredBalance>(table, { ...balancesOf(userId, accountId), consistent: true })) {
      stored.set(item.sk, item);
    }
    const writes: (Put | Delete)[] = [];
    for (const balance of fetched) {
      const item = storedBalance(account, balance, fetchedAt);
      const before = stored.get(item.sk);
      stored.delete(item.sk);
      if (before === undefined || !isSame(before, item)) writes.push({ put: item });
    }
    for (const { pk, sk } of stored.values()) writes.push({ delete: { pk, sk } });
    context.checkTime();
    if (writes.length > 0) await table.writeMany(writes);
    return fetched.length;
  },
});

/** What the venue told, unless it can't be right: then what is known stays. */
const checked = async ({ account, venue }: StepContext): Promise<Balance[]> => {
  const balances = await (await venue()).balances();
  const places = new Set(balances.map(({ wallet, asset }) => `${wallet} ${asset}`));
  const isSound = ({ asset, free, locked, total, debt }: Balance) =>
    asset !== '' &&
    asset.length <= assetLengthMax &&
    asset.isWellFormed() &&
    [free, locked, total, debt ?? '0'].every(isDecimal);
  if (balances.length > balancesMax || places.size < balances.length || !balances.every(isSound)) {
    throw new VenueError(account.venue, 'retryable', `${account.venue} gave balances that could not be understood`);
  }
  return balances;
};

const isDecimal = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

/** A paper account has what it was given. */
export const paperBalances = ({ paper }: Pick<StoredAccount, 'paper'>): Balance[] =>
  Object.entries(paper ?? {})
    .filter(([, amount]) => !new Decimal(amount).isZero())
    .map(([asset, amount]) => ({
      ...{ wallet: 'spot', asset, free: amount, locked: '0', total: amount, debt: null, venueTime: null },
    }));

export const storedBalance = (
  { userId, accountId, mode }: Pick<StoredAccount, 'userId' | 'accountId' | 'mode'>,
  { wallet, asset, free, locked, total, debt, venueTime }: Balance,
  fetchedAt: number,
): StoredBalance => {
  const source: AccountBalance['source'] = mode;
  return {
    ...balanceKey(userId as UserId, accountId, wallet, asset),
    ...{ kind: 'balance', userId: userId as UserId, accountId, wallet, asset },
    ...{ free, locked, total, debt, venueTime, fetchedAt, source },
  };
};

/** Times alone are no difference: they would have every sync write everything. */
const isSame = (stored: StoredBalance, item: StoredBalance): boolean =>
  (['free', 'locked', 'total', 'debt'] as const).every((field) => stored[field] === item[field]);
