import { beforeEach, describe, expect, it } from 'vitest';
import { type StoredSchedule, scheduleKey } from '#shared/accounts/stored';
import { failed, untried } from '#shared/accounts/sync/steps';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { memoryAccount, owner } from '../../../support/memory-account.ts';

/** Without jitter. */
const random = { number: () => 0, bytes: (count: number) => new Uint8Array(count) };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let account: Awaited<ReturnType<typeof memoryAccount>>;
beforeEach(async () => {
  account = await memoryAccount();
  await account.given.settle();
});

const refuse = (failure: VenueFailure, only?: string) => {
  account.venue.before = (call) => {
    if (only === undefined || call.startsWith(only)) throw new VenueError('binance', failure, 'binance says no');
  };
};
const allow = () => {
  account.venue.before = () => {};
};
const asked = (call: string) => account.venue.calls.filter((one) => one.startsWith(call)).length;

describe('a key that the venue refuses', () => {
  it('once is tried again after a quarter of an hour, without the user', async () => {
    refuse('authentication');
    await account.pass(90);
    allow();
    const state = await account.step('balances');
    expect(state).toMatchObject({ status: 'paused', failure: 'authentication', failures: 1 });
    expect((state?.nextTryAt ?? 0) - account.given.clock.now()).toBeGreaterThan(12 * minuteMs);
    const before = asked('balances');
    await account.pass(10 * 60);
    expect(asked('balances')).toBe(before);
    await account.pass(8 * 60);
    expect(await account.step('balances')).toMatchObject({ status: 'ok', failure: null });
    const resumed = asked('balances');
    await account.pass(5 * 60);
    expect(asked('balances') - resumed).toBeGreaterThanOrEqual(4);
  });

  it('for long is tried hourly, then daily, and costs nothing in between', async () => {
    refuse('authentication');
    await account.pass(90);
    account.venue.calls.length = 0;
    await account.pass(6 * 3600);
    expect(asked('balances')).toBeGreaterThanOrEqual(5);
    expect(asked('balances')).toBeLessThanOrEqual(7);
    account.given.table.calls.length = 0;
    await account.pass(30 * 60);
    const ownCalls = account.given.table.calls.filter(({ keys }) => keys.some(({ sk }) => sk.startsWith('ACCOUNT#')));
    expect(ownCalls.length).toBeLessThanOrEqual(6);
  });

  it('is tried at once when the user requests it, and the account keeps its rhythm then', async () => {
    refuse('authentication');
    await account.pass(90);
    allow();
    await account.accounts.syncNow(owner, account.accountId);
    await account.given.settle();
    expect(await account.step('balances')).toMatchObject({ status: 'ok' });
    const before = asked('balances');
    await account.pass(5 * 60);
    expect(asked('balances') - before).toBeGreaterThanOrEqual(4);
  });
});

describe('a permission that is missing', () => {
  it('pauses its step alone, which is tried again after a quarter of an hour', async () => {
    refuse('permission', 'transfers');
    await account.pass(12 * 60);
    expect(await account.step('transfers')).toMatchObject({ status: 'paused', failure: 'permission' });
    expect((await account.step('transfers'))?.nextTryAt).toBeGreaterThan(account.given.clock.now());
    expect(await account.step('balances')).toMatchObject({ status: 'ok' });
    allow();
    await account.pass(17 * 60);
    expect(await account.step('transfers')).toMatchObject({ status: 'ok', failure: null });
  });

  it('for all steps pauses the account, and is tried again', async () => {
    refuse('permission');
    await account.pass(12 * 60);
    expect((await account.shown()).map(({ status }) => status)).toEqual(Array(5).fill('paused'));
    const key = scheduleKey(owner, account.accountId);
    expect(await account.given.store.get<StoredSchedule>(key)).toMatchObject({ isPaused: true });
    allow();
    await account.pass(90 * 60);
    expect((await account.shown()).map(({ status }) => status)).toEqual(Array(5).fill('ok'));
    expect((await account.given.store.get<StoredSchedule>(key))?.isPaused).toBeUndefined();
  });
});

describe('the wait of a step', () => {
  /** The waits after failures in a row, ms. */
  const waits = (failure: VenueFailure, times: number, retryAfterMs?: number): number[] => {
    const error = new VenueError('kraken', failure, 'no', retryAfterMs === undefined ? {} : { retryAfterMs });
    let state = untried;
    let now = 0;
    return Array.from({ length: times }, () => {
      ({ state } = failed({ random }, state, now, now, error));
      const waitMs = (state.nextTryAt ?? 0) - now;
      now += waitMs;
      return waitMs;
    });
  };

  it('for a key is a quarter of an hour, then an hour for a day, then a day', () => {
    const all = waits('authentication', 28);
    expect(all.slice(0, 3)).toEqual([15 * minuteMs, hourMs, hourMs]);
    expect(all.slice(-2)).toEqual([24 * hourMs, 24 * hourMs]);
    expect(all.filter((waitMs) => waitMs === hourMs)).toHaveLength(24);
  });

  it('for a lockout grows each time, up to a day', () => {
    const quarter = 15 * minuteMs;
    expect(waits('rate-limited', 4, quarter)).toEqual([quarter, 2 * quarter, 4 * quarter, 8 * quarter]);
    expect(waits('rate-limited', 12, quarter).at(-1)).toBe(24 * hourMs);
  });

  it('for a key is not prolonged by failures of another kind before', () => {
    const { state } = failed(
      { random },
      { ...untried, failure: 'retryable', failures: 9 },
      0,
      0,
      new VenueError('kraken', 'authentication', 'no'),
    );
    expect(state).toMatchObject({ failures: 1, nextTryAt: 15 * minuteMs });
  });
});
