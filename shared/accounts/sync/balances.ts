import { AccountBalance, differences, listed, soundRecords } from '#shared/accounts/records';
import { balanceKey, recordsOf, type StoredAccount, type StoredBalance } from '#shared/accounts/stored';
import type { Balance } from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';
import type { Platform } from '#shared/platform/ports';
import type { SyncStep } from './steps.ts';

/** Keeps the balances of an account as its venue tells them: writes what differs, removes what vanished. */
export const balancesStep = ({ table, clock }: Pick<Platform, 'table' | 'clock'>): SyncStep => ({
  name: 'balances',
  run: async ({ account, venue, write, touched }) => {
    const told = (await (await venue()).balances()).flatMap((reading) => {
      if (reading.status === 'failing') throw reading.error;
      return reading.status === 'ok' ? reading.balances : [];
    });
    const origin = { fetchedAt: clock.now(), source: account.mode };
    const balances = soundRecords(
      account.venue,
      AccountBalance,
      told.map((balance) => ({ ...balance, ...origin })),
      ({ wallet, asset }) => `${wallet} ${asset}`,
    );
    const { userId, accountId } = account;
    const stored = await listed<StoredBalance>(table, {
      ...recordsOf('balance', userId, accountId),
      consistent: true,
    });
    const items = balances.map((balance) => storedBalance(account, balance));
    const writes = differences(stored, items);
    await write(writes);
    const changed = new Set(writes.map((change) => ('put' in change ? change.put.sk : change.delete.sk)));
    // What backs contracts changes with each of their prices, and tells of no trade.
    const moved = [...stored, ...items].filter(({ sk, wallet }) => changed.has(sk) && wallet !== 'contract');
    for (const { asset } of moved) touched.add(asset);
    return { items: items.length };
  },
});

/** What a paper account is given when it is made; trading changes it from then on. */
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
