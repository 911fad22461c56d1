import { AccountBalance, differences, listed, soundRecords } from '#shared/accounts/records';
import {
  balanceKey,
  recordsOf,
  type StoredAccount,
  type StoredBalance,
  type WalletState,
} from '#shared/accounts/stored';
import type { Balance, WalletReading } from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';
import type { Platform } from '#shared/platform/ports';
import type { SyncStep } from './steps.ts';

/**
 * Keeps the balances of an account as its venue reports them: writes what differs, removes what vanished. Wallets
 * are independent: one that can't be read keeps its last balances, with their age.
 */
export const balancesStep = ({ table, clock }: Pick<Platform, 'table' | 'clock'>): SyncStep => ({
  name: 'balances',
  run: async ({ account, before, venue, write, touched }) => {
    const readings = await (await venue()).balances();
    const origin = { fetchedAt: clock.now(), source: account.mode };
    const balances = soundRecords(
      account.venue,
      AccountBalance,
      readings.flatMap((reading) =>
        reading.status === 'ok' ? reading.balances.map((balance) => ({ ...balance, ...origin })) : [],
      ),
      ({ wallet, asset }) => `${wallet} ${asset}`,
    );
    const { userId, accountId } = account;
    const stored = await listed<StoredBalance>(table, {
      ...recordsOf('balance', userId, accountId),
      consistent: true,
    });
    const failing = readings.filter((reading) => reading.status === 'failing');
    const kept = new Set<string>(failing.map(({ wallet }) => wallet));
    const items = balances.map((balance) => storedBalance(account, balance));
    const replaced = stored.filter(({ wallet }) => !kept.has(wallet));
    const writes = differences(replaced, items);
    await write(writes);
    const changed = new Set(writes.map((change) => ('put' in change ? change.put.sk : change.delete.sk)));
    // The margin of contracts changes with their prices, which is no sign of a trade.
    const moved = [...replaced, ...items].filter(({ sk, wallet }) => changed.has(sk) && wallet !== 'contract');
    for (const { asset } of moved) touched.add(asset);
    const wallets = Object.fromEntries(
      readings.map((reading) => [reading.wallet, walletState(reading, before.wallets?.[reading.wallet], clock.now())]),
    );
    const error = failing[0]?.error;
    return { items: items.length, wallets, ...(error === undefined ? {} : { error }) };
  },
});

const walletState = (reading: WalletReading, before: WalletState | undefined, now: number): WalletState => {
  if (reading.status === 'ok') return { status: 'ok', asOf: now, detail: null };
  if (reading.status === 'not-offered') return { status: 'not-offered', asOf: now, detail: reading.detail };
  return { status: 'failing', asOf: before?.asOf ?? null, detail: reading.error.message };
};

/** The initial balances of a paper account; trading changes them. */
export const paperBalances = ({ paper }: Pick<StoredAccount, 'paper'>): Balance[] =>
  Object.entries(paper ?? {})
    .filter(([, amount]) => !new Decimal(amount).isZero())
    .map(([asset, amount]) => ({
      ...{ wallet: 'spot', asset, free: amount, locked: '0', total: amount, debt: '0', venueTime: null },
    }));

export const storedBalance = (
  { userId, accountId }: Pick<StoredAccount, 'userId' | 'accountId'>,
  balance: AccountBalance,
): StoredBalance => ({
  ...balanceKey(userId, accountId, balance.wallet, balance.asset),
  ...{ kind: 'balance', userId, accountId },
  ...balance,
});
