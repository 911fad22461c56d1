import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey } from '#shared/accounts/stored';
import { DispatchStatus } from '#shared/accounts/sync/dispatch-status';
import { spot } from '../../../support/account-venues.ts';
import { memoryAccount, owner } from '../../../support/memory-account.ts';
import { orderAt } from '../../../support/memory-venue.ts';

const backMs = 6 * 3_600_000;

let account: Awaited<ReturnType<typeof memoryAccount>>;
beforeEach(async () => {
  account = await memoryAccount();
  account.venue.held = [spot('BTC', '1')];
  await account.pass(150);
  await new DispatchStatus(account.given.platform).ran();
});

const setBack = (): void => {
  const { clock } = account.given;
  const { now } = clock;
  const sleep = clock.sleep.bind(clock);
  Object.assign(clock, { now: () => now.call(clock) - backMs, sleep });
};
const balances = () => account.records.balances(owner, account.accountId, { limit: 9 });

describe('a clock that is set back', () => {
  it('leaves what is stored with an unknown age, not fresh', async () => {
    setBack();
    expect(await balances()).toMatchObject({ asOf: null, stale: true, items: [{ total: '1' }] });
  });

  it.each(['the same process', 'a new one'])('does not stop the syncs (%s)', async (process) => {
    setBack();
    if (process === 'a new one') account.restart();
    account.venue.held = [spot('BTC', '2')];
    account.venue.orders = [
      orderAt('1', {
        status: 'filled',
        filled: '1',
        createdAt: account.given.clock.now(),
        updatedAt: account.given.clock.now(),
      }),
    ];
    await account.pass(180);
    expect(await balances()).toMatchObject({ stale: false, complete: true, items: [{ total: '2' }] });
    expect((await account.records.orders(owner, account.accountId, { limit: 9 })).items).toHaveLength(1);
    expect((await account.step('transfers'))?.lastAttemptAt).toBeLessThanOrEqual(account.given.clock.now());
  });

  it('does not keep a lease for as long as it was ahead', async () => {
    const now = account.given.clock.now();
    const lease = { leaseOwner: 'dead', leasedAt: now, leaseUntil: now + 65_000 };
    await account.given.store.update(accountKey(owner, account.accountId), { set: lease });
    setBack();
    account.venue.held = [spot('BTC', '2')];
    await account.pass(180);
    expect(await balances()).toMatchObject({ items: [{ total: '2' }] });
    expect((await account.stored()).leaseOwner).toBeUndefined();
  });
});
