import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountKey, type StoredAccount } from '#shared/accounts/stored';
import { accountAtDouble } from '../support/account-at-double.ts';
import { owner } from '../support/account-system.ts';
import { type TestPlatform, testPlatform } from '../support/test-platform.ts';
import { type KrakenDouble, startKraken } from '../support/venues/kraken.ts';

const key = { apiKey: 'refusedkey0123456789', secret: Buffer.from('refusedsecret').toString('base64') };
const quarterHourMs = 15 * 60_000;

describe('a key that Kraken calls invalid for a while', () => {
  let system: TestPlatform;
  let kraken: KrakenDouble;
  let account: Awaited<ReturnType<typeof accountAtDouble>>;

  beforeEach(async () => {
    system = testPlatform({ market: { venues: ['sim'] } });
    kraken = await startKraken({ now: () => system.clock.now() });
    kraken.accounts.addKey({ ...key, permissions: ['read'] });
    account = await accountAtDouble(system, 'kraken', kraken.url, key);
  });
  afterEach(() => kraken.close());

  const balances = async () => {
    const stored = await system.store.get<StoredAccount>(accountKey(owner, account.accountId));
    return stored?.steps.balances;
  };
  /** Runs what is due within this time. */
  const pass = async (ms: number) => {
    await system.clock.advance(ms);
    await account.dispatch();
    // A job may be spread over some seconds.
    await system.clock.advance(16_000);
    for (let work = await account.work(); work !== undefined; work = await account.work())
      await account.through(work.ended);
  };

  it('pauses the account for 15 minutes, shown with the time of the next try, and is well again by itself', async () => {
    await pass(0);
    expect(await balances()).toMatchObject({ status: 'ok' });
    kraken.fail({ status: 200, path: '/0/private/BalanceEx', body: { error: ['EAPI:Invalid key'] } });
    await pass(60_000);
    const paused = await balances();
    expect(paused).toMatchObject({ status: 'paused', failure: 'authentication' });
    const waitMs = (paused?.nextTryAt ?? 0) - (paused?.lastAttemptAt ?? 0);
    expect(waitMs).toBeGreaterThanOrEqual(quarterHourMs);
    await pass(quarterHourMs / 2);
    expect(await balances()).toMatchObject({ status: 'paused' });
    await pass(quarterHourMs);
    expect(await balances()).toMatchObject({ status: 'ok', failure: null });
  });
});
