import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountVenue } from '#shared/exchange/account-venue';
import { AccountVenues } from '#shared/exchange/account-venues';
import { Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';
import type { Venue } from '#shared/exchange/venue';
import { Venues } from '#shared/exchange/venues';
import { withSettings } from '#shared/platform/config/config';
import { type TestPlatform, testPlatform } from '../support/test-platform.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';
import { liveOn } from '../support/virtual-clock.ts';

const clientsPerProcess = 10;
const weightPerMinute = 6000;
const stepMs = 250;
/** Turns of the event loop without a request under way after which everybody waits for time to pass. */
const idleTurns = 10;
const key = (number: number) => ({
  apiKey: `testkey${number}`.padEnd(64, '0'),
  secret: `testsecret${number}`.padEnd(64, '0'),
});

let binance: BinanceDouble;
let system: TestPlatform;
let underWay = 0;
/** The answers that the venue gave: their status and the weight used in the minute. */
const answers: { readonly status: number; readonly used: number }[] = [];

const fetchCounted: typeof fetch = async (...request) => {
  underWay += 1;
  try {
    const response = await fetch(...request);
    answers.push({ status: response.status, used: Number(response.headers.get('x-mbx-used-weight-1m')) });
    return response;
  } finally {
    underWay -= 1;
  }
};

/** Does what takes requests and time. */
const live = <T>(work: Promise<T>): Promise<T> =>
  liveOn(system.clock, { stepMs, idleTurns, isBusy: () => underWay > 0 }, work);

/** One process of several that work on the same table: its clients know nothing of those of the others. */
const startProcess = async (number: number): Promise<AccountVenue[]> => {
  const venues = new AccountVenues(system.platform);
  const clients = Array.from({ length: clientsPerProcess }, (_, client) => {
    const parts = key(number * clientsPerProcess + client);
    binance.accounts.addKey(parts);
    return venues.open('binance', new Credentials(parts));
  });
  return await Promise.all(clients);
};

/** A call that takes one request. */
const call = async (account: AccountVenue | undefined): Promise<unknown> =>
  await account?.closedOrders(['BTC/USDT'], system.clock.now());

const outcome = (called: Promise<unknown>): Promise<string> =>
  called.then(
    () => 'ok',
    (error: unknown) => (error instanceof VenueError ? error.failure : String(error)),
  );

let accounts: AccountVenue[];
const oneAccount = (): AccountVenue => {
  const [account] = accounts;
  if (account === undefined) throw new Error('There is no account');
  return account;
};
let prices: Venue;
beforeEach(async () => {
  system = testPlatform();
  binance = await startBinance({ weightPerMinute, now: () => system.clock.now() });
  const platform = {
    ...system.platform,
    network: { post: system.network.post.bind(system.network), fetch: fetchCounted },
    config: withSettings(system.platform.config, { exchange: { venueUrls: { binance: binance.url } } }),
  };
  system = { ...system, platform };
  accounts = [...(await startProcess(0)), ...(await startProcess(1))];
  prices = await new Venues(platform).open('binance');
  // The markets are read once in each process.
  await live(Promise.all([prices.markets(), ...[accounts[0], accounts.at(-1)].map(call)]));
  answers.length = 0;
});
afterEach(() => binance.close());

describe('many clients of one venue, in several processes', () => {
  it('never ask for more together than is theirs, use it well, and leave prices their part', async () => {
    const { clock } = system;
    const end = clock.now() + 3 * 60_000;
    const priceWaits: number[] = [];
    const waits = async (ms: number) => await clock.sleep(ms);
    const sync = async (account: AccountVenue) => {
      while (clock.now() < end) {
        try {
          await call(account);
        } catch (error) {
          if (!(error instanceof VenueError) || error.failure !== 'rate-limited') throw error;
          await waits(error.retryAfterMs ?? 0);
        }
      }
    };
    const poll = async () => {
      while (clock.now() < end) {
        const startedAt = clock.now();
        await prices.tickers(['BTC/USDT'], new Map());
        priceWaits.push(clock.now() - startedAt);
        await waits(5000);
      }
    };
    await live(Promise.all([...accounts.map(sync), poll()]));
    const used = Math.max(...answers.map((answer) => answer.used));
    expect(used).toBeLessThanOrEqual(weightPerMinute * 0.8);
    expect(used).toBeGreaterThan(weightPerMinute * 0.5);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...priceWaits)).toBeLessThanOrEqual(stepMs);
  });

  it.each([429, 418])('all stop when one of them gets %i, then one tries the venue, then all go on', async (status) => {
    const body = { code: -1003, msg: 'Way too much request weight used.' };
    binance.fail({ status, headers: { 'retry-after': '60' }, body });
    const first = oneAccount();
    expect(await outcome(live(call(first)))).toBe('rate-limited');
    const before = binance.requests.length;
    const all = () => live(Promise.all(accounts.map((account) => outcome(call(account)))));
    await system.clock.advance(2000);
    expect(new Set(await all())).toEqual(new Set(['rate-limited']));
    expect(await outcome(live(prices.tickers(['BTC/USDT'], new Map())))).toBe('rate-limited');
    expect(binance.requests.length).toBe(before);

    await system.clock.advance(58_000);
    const tried = await all();
    expect(tried.filter((result) => result === 'ok')).toHaveLength(1);
    expect(binance.requests.length).toBe(before + 1);

    await system.clock.advance(15_000);
    expect(await outcome(live(prices.tickers(['BTC/USDT'], new Map())))).toBe('ok');
    expect(await outcome(live(call(first)))).toBe('ok');
  });

  it('write once for a sync of some calls', async () => {
    const account = oneAccount();
    const sync = async () => {
      await live(account.balances());
      await system.clock.advance(60_000);
    };
    await sync();
    await sync();
    const requests = binance.requests.length;
    system.table.calls.length = 0;
    for (let time = 0; time < 10; time++) await sync();
    expect(binance.requests.length - requests).toBeGreaterThanOrEqual(50);
    expect(system.table.calls.length).toBe(10);
  });

  it('are refused once for a clock that is off, and then know the time', async () => {
    binance.skew(-20_000);
    const before = binance.requests.length;
    for (const account of accounts.slice(0, 10)) await live(call(account));
    const paths = binance.requests.slice(before).map(({ path }) => path);
    expect(paths.filter((path) => path === '/api/v3/time')).toHaveLength(1);
    expect(paths).toHaveLength(12);
  });
});
