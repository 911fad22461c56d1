import { beforeEach, describe, expect, it } from 'vitest';
import type { WalletReading } from '#shared/exchange/account-venue';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { spot } from '../../../support/account-venues.ts';
import { memoryAccount, owner } from '../../../support/memory-account.ts';

let account: Awaited<ReturnType<typeof memoryAccount>>;
beforeEach(async () => {
  account = await memoryAccount();
  account.venue.held = [spot('BTC', '1'), spot('USDT', '50', { wallet: 'contract' })];
  await account.given.settle();
});

const failing = (failure: VenueFailure = 'retryable'): WalletReading => ({
  ...{ wallet: 'contract', status: 'failing' },
  error: new VenueError('binance', failure, 'binance is not available right now'),
});
const answer = () => account.records.balances(owner, account.accountId, { limit: 200 });
const held = async () =>
  Object.fromEntries((await answer()).items.map(({ wallet, asset, total }) => [`${wallet} ${asset}`, total]));
const wallet = async (type: string) => (await answer()).wallets.find((one) => one.wallet === type);

describe('a wallet that can not be read', () => {
  it('keeps its last balances with their age, while the others follow the venue', async () => {
    const readAt = account.given.clock.now();
    account.venue.readings = [failing()];
    account.venue.held = [spot('BTC', '2')];
    await account.pass(150);
    expect(await held()).toEqual({ 'spot BTC': '2', 'contract USDT': '50' });
    expect(await wallet('contract')).toEqual({
      ...{ wallet: 'contract', status: 'failing', asOf: readAt, detail: 'binance is not available right now' },
    });
    expect(await wallet('spot')).toMatchObject({ status: 'ok', detail: null });
    expect((await wallet('spot'))?.asOf).toBeGreaterThan(readAt);
    expect(await answer()).toMatchObject({ complete: false, asOf: readAt });
    expect(await account.step('balances')).toMatchObject({ status: 'failing', failure: 'retryable' });
  });

  it('makes the answer stale in the end, and does not slow the others down', async () => {
    account.venue.readings = [failing()];
    account.venue.calls.length = 0;
    await account.pass(600);
    expect((await answer()).stale).toBe(true);
    expect(account.venue.calls.filter((call) => call === 'balances').length).toBeGreaterThanOrEqual(9);
  });

  it('for want of a permission does not pause the account', async () => {
    account.venue.readings = [failing('permission')];
    account.venue.held = [spot('BTC', '2')];
    await account.pass(150);
    expect(await held()).toMatchObject({ 'spot BTC': '2' });
    account.venue.held = [spot('BTC', '3')];
    await account.pass(90);
    expect(await held()).toMatchObject({ 'spot BTC': '3' });
  });

  it('is ok again with the next sync that reads it', async () => {
    account.venue.readings = [failing()];
    await account.pass(90);
    account.venue.readings = [];
    await account.pass(90);
    expect(await answer()).toMatchObject({ complete: true, stale: false });
    expect(await account.step('balances')).toMatchObject({ status: 'ok', failure: null, detail: null });
  });
});

describe('a wallet that is not offered', () => {
  it('holds nothing and is no gap', async () => {
    account.venue.readings = [{ wallet: 'contract', status: 'not-offered', detail: 'Futures are not opened' }];
    account.venue.held = [spot('BTC', '1')];
    await account.pass(90);
    expect(await held()).toEqual({ 'spot BTC': '1' });
    expect(await wallet('contract')).toMatchObject({ status: 'not-offered', detail: 'Futures are not opened' });
    expect(await answer()).toMatchObject({ complete: true });
  });
});

describe('when no wallet can be read', () => {
  it('each is failing, and none vanishes', async () => {
    account.venue.before = (call) => {
      if (call === 'balances') throw new VenueError('binance', 'retryable', 'binance could not be reached');
    };
    await account.pass(90);
    expect(await held()).toEqual({ 'spot BTC': '1', 'contract USDT': '50' });
    const { wallets, complete } = await answer();
    expect(wallets.map(({ status }) => status)).toEqual(['failing', 'failing']);
    expect(complete).toBe(false);
  });
});

describe('wallets that did not change', () => {
  it('cost no write but the status once a minute', async () => {
    await account.pass(90);
    account.given.table.takeWritten();
    await account.pass(300);
    const written = account.given.table.takeWritten().filter((key) => !key.includes('SCHEDULE'));
    expect(written.every((key) => / ACCOUNT#/.test(key))).toBe(true);
    expect(written.length).toBeLessThanOrEqual(5);
  });
});
