import { beforeEach, describe, expect, it } from 'vitest';
import { queueEvent } from '#local/queue-event';
import { NewAccount } from '#shared/accounts/account';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, duePeriod, type StoredAccount } from '#shared/accounts/stored';
import { Dispatcher, HOPS_MAX } from '#shared/accounts/sync/dispatch';
import { VenueError } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import { testKey, VenueOfKeys } from '../../../support/account-venues.ts';
import { type TestPlatform, testContext, testOrigin, testPlatform } from '../../../support/test-platform.ts';

const ada = 'ada' as UserId;
const everySeconds = 60;
const hourSeconds = 3600;

let given: TestPlatform;
let venue: VenueOfKeys;
/** When the venue was asked, epoch ms. */
let askedAt: number[];
beforeEach(() => {
  venue = new VenueOfKeys();
  venue.add();
  askedAt = [];
  venue.during = async () => {
    askedAt.push(given.clock.now());
  };
  given = testPlatform({ market: { venues: ['sim', 'binance'] } }, venue.open);
});

const connect = async (syncSeconds: number): Promise<StoredAccount> => {
  const book = new Accounts(given.platform, venue);
  const account = NewAccount.parse({ venue: 'binance', label: 'x', mode: 'live', credentials: testKey, syncSeconds });
  const { accountId } = await given.awake(book.add(ada, account, testOrigin));
  await given.settle();
  return (await given.store.get<StoredAccount>(accountKey(ada, accountId))) as StoredAccount;
};
/** Lets time pass in which a worker is always there, and a dispatcher once a minute. */
const pass = async (seconds: number) => {
  const dispatcher = new Dispatcher(given.platform);
  for (let second = 0; second < seconds; second += 1) {
    if (second % everySeconds === 0) await dispatcher.run();
    await given.clock.advance(1000);
    await given.settle();
  }
};

describe('a dispatcher that comes once a minute', () => {
  it('has each account synchronised when it is due, not when it comes', async () => {
    const account = await connect(100);
    const { endsAt } = duePeriod(account, given.platform.config, given.clock.now());
    askedAt.length = 0;
    await pass(500);
    const late = askedAt.map((at, index) => at - (endsAt + index * 100_000));
    expect(late.length).toBeGreaterThanOrEqual(4);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(1000);
  });

  it('has each due sync made once where it overlaps with another run of its schedule', async () => {
    await connect(everySeconds);
    await pass(2 * everySeconds);
    askedAt.length = 0;
    for (let minute = 0; minute < 5; minute += 1) {
      await Promise.all([new Dispatcher(given.platform).run(), new Dispatcher(given.platform).run()]);
      for (let second = 0; second < everySeconds; second += 1) {
        await given.clock.advance(1000);
        await given.settle();
      }
    }
    const periods = askedAt.map((at) => Math.floor(at / (everySeconds * 1000)));
    expect(askedAt.length).toBeGreaterThanOrEqual(4);
    expect(askedAt.length).toBeLessThanOrEqual(5);
    expect(new Set(periods).size).toBe(periods.length);
  });

  it('spreads what should have been made already', async () => {
    await Promise.all(Array.from({ length: 30 }, () => connect(hourSeconds)));
    await pass(1);
    await given.clock.advance(2 * hourSeconds * 1000);
    askedAt.length = 0;
    const startedAt = given.clock.now();
    await pass(30);
    const soon = askedAt.filter((at) => at <= startedAt + 16_000);
    // One whose next period begins now may be among them twice.
    expect(soon.length).toBeGreaterThanOrEqual(30);
    expect(new Set(soon).size).toBeGreaterThan(5);
  });
});

describe('a sync that fails', () => {
  const laterSeconds = 2400;
  const fail = (seconds: number) =>
    venue.faults.push(new VenueError('binance', 'rate-limited', 'later', { retryAfterMs: seconds * 1000 }));
  /** At the beginning of a period, so that the next one is an hour away. */
  const failed = async (seconds: number) => {
    const account = await connect(hourSeconds);
    const { endsAt } = duePeriod(account, given.platform.config, given.clock.now());
    await pass(Math.ceil((endsAt - given.clock.now()) / 1000) - 5);
    askedAt.length = 0;
    fail(seconds);
    await pass(10);
    expect(askedAt).toHaveLength(1);
    return account;
  };

  it('is made again after the time that the venue said, once, also where a queue does not hold messages so long', async () => {
    await failed(laterSeconds);
    await pass(laterSeconds - 60);
    expect(askedAt).toHaveLength(1);
    await pass(laterSeconds * 0.1 + 120);
    expect(askedAt).toHaveLength(2);
    await pass(300);
    expect(askedAt).toHaveLength(2);
  });

  it('is not made twice where the user had it made meanwhile', async () => {
    const { accountId } = await failed(300);
    await pass(60);
    await new Accounts(given.platform, venue).syncNow(ada, accountId);
    await given.settle();
    // Nothing but the user's word is against the venue's, which counts more.
    expect(askedAt).toHaveLength(1);
    await pass(500);
    expect(askedAt).toHaveLength(2);
  });

  it('is made again also by a message that comes a little early', async () => {
    const { accountId, userId } = await failed(300);
    const account = await given.store.get<StoredAccount>(accountKey(ada, accountId));
    const dueAt = account?.steps.balances?.nextTryAt ?? 0;
    await given.clock.advance(dueAt - given.clock.now() - 800);
    const early = { id: '1', receipt: '1', receiveCount: 1, sentAt: given.clock.now() };
    const body = JSON.stringify({ userId, accountId, dueAt, userRequested: false });
    await given.accountSync(queueEvent('account-sync', [{ ...early, body }]), testContext);
    expect(askedAt).toHaveLength(2);
  });

  it('is made again by one order, however often it failed', async () => {
    await failed(20);
    for (let time = 0; time < 4; time++) fail(20);
    await pass(300);
    expect(askedAt.length).toBe(6);
    await pass(300);
    expect(askedAt.length).toBe(6);
  });

  it('is left to the dispatcher at the end of a long chain of retries', async () => {
    const account = await connect(everySeconds);
    await pass(120);
    const { userId, accountId } = account;
    const at = (hops: number) => {
      const body = JSON.stringify({ userId, accountId, dueAt: given.clock.now(), userRequested: true, hops });
      const message = { id: '1', receipt: '1', receiveCount: 1, sentAt: given.clock.now(), body };
      return given.accountSync(queueEvent('account-sync', [message]), testContext);
    };
    const retries = async () => {
      const messages = await given.platform.queue('account-sync').receive(10, 0);
      return messages.map(({ body }) => JSON.parse(body)).filter(({ hops }) => hops !== undefined);
    };
    fail(3);
    await at(HOPS_MAX - 1);
    await given.clock.advance(10_000);
    expect(await retries()).toMatchObject([{ hops: HOPS_MAX, userRequested: false }]);
    askedAt.length = 0;
    fail(3);
    await at(HOPS_MAX);
    expect(askedAt).not.toEqual([]);
    askedAt.length = 0;
    await given.clock.advance(10_000);
    expect(await retries()).toMatchObject([{ hops: HOPS_MAX }]);
    await pass(2 * everySeconds);
    expect(askedAt.length).toBeGreaterThan(0);
  });
});
