import { beforeEach, describe, expect, it } from 'vitest';
import { openUntilOf } from '#shared/exchange/budget/stored-budget';
import { VenueBudget } from '#shared/exchange/budget/venue-budget';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { instantClock } from '../../../../support/instant-clock.ts';
import { failing } from '../../../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../../../support/test-platform.ts';

const secret = Buffer.from('secretsecretsecretsecret').toString('base64');
const credentials = new Credentials({ apiKey: 'keykeykeykeykeykey', secret, password: 'password' });

let system: TestPlatform;
let clock: ReturnType<typeof instantClock>;
let answer: () => Response;
beforeEach(() => {
  system = testPlatform();
  clock = instantClock();
  answer = () => Response.json({});
});

const budgetOf = (venue: string) => new VenueBudget({ ...system.platform, clock }, venue, 'accounts');
/** A client with a key of its own, and what it asks by. */
const clientOf = async (id: string, budget = budgetOf(id)) => {
  // Operations are not what is tested: their time limit must not pass while the clock is slept on.
  const venueClock = {
    now: clock.now,
    sleep: (ms: number) => (ms === 30_000 ? new Promise<void>(() => {}) : clock.sleep(ms)),
  };
  const network = { fetch: async () => answer() };
  const { run } = await createCcxtClient({ id, network, clock: venueClock, credentials, budget });
  return (path: string, api: unknown = 'private', method = 'GET', cost = 1) =>
    run((exchange) => exchange.request(path, api, method, {}, undefined, undefined, { cost }));
};
const refusing = (status: number, body: unknown = {}, headers: Record<string, string> = {}) => {
  answer = () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
};
const secondsTaken = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = clock.now();
  await work();
  return (clock.now() - startedAt) / 1000;
};
const secondsLeftAlone = async (venue: string): Promise<number> =>
  Math.max(0, ((await openUntilOf(system.table, venue)) ?? 0) - clock.now()) / 1000;

describe('a key at Kraken', () => {
  const balance = async () => {
    const ask = await clientOf('kraken');
    return () => ask('Balance', 'private', 'POST', 3);
  };

  it('is used as often as its counter allows, and then as fast as that sinks', async () => {
    const ask = await balance();
    const atOnce = await secondsTaken(async () => {
      for (let call = 0; call < 13; call++) await ask();
    });
    expect(atOnce).toBe(0);
    const further = await secondsTaken(async () => {
      for (let call = 0; call < 6; call++) await ask();
    });
    expect(further).toBeGreaterThan(5 * 3);
  });

  it('leaves the counters of other keys alone', async () => {
    const [ask, other] = [await balance(), await balance()];
    for (let call = 0; call < 13; call++) await ask();
    expect(await secondsTaken(other)).toBe(0);
  });

  it('that was used too often stops nobody else', async () => {
    refusing(200, { error: ['EAPI:Rate limit exceeded'] });
    await expect((await balance())()).rejects.toMatchObject({ failure: 'rate-limited' });
    expect(await secondsLeftAlone('kraken')).toBe(0);
  });
});

describe('an answer', () => {
  const refusals = [
    ['Kraken to anybody', 'kraken', 'Ticker', 'public', 200, { error: ['EGeneral:Too many requests'] }, {}, 30],
    ['Bybit to a key', 'bybit', 'v5/user/query-api', 'private', 403, '403, access too frequent', {}, 600],
    ['Binance, without a time', 'binance', 'ping', 'public', 429, { code: -1003, msg: 'x' }, {}, 30],
    ['Binance, with a time', 'binance', 'ping', 'public', 429, { code: -1003 }, { 'retry-after': '45' }, 45],
    ['Binance, banning', 'binance', 'account', 'private', 418, { code: -1003 }, {}, 120],
    ['OKX to anybody', 'okx', 'public/time', 'public', 429, { code: '50011', msg: 'Too Many Requests' }, {}, 30],
  ] as const;
  it.each(refusals)('of %s has all leave the venue alone', async (_, id, path, api, status, body, headers, seconds) => {
    const ask = await clientOf(id);
    refusing(status, body, headers);
    await expect(ask(path, api)).rejects.toMatchObject({ code: 'venue-error' });
    expect(await secondsLeftAlone(id)).toBe(seconds);
    answer = () => Response.json({});
    await expect((await clientOf(id))(path, api)).rejects.toMatchObject({
      failure: 'rate-limited',
      retryAfterMs: seconds * 1000,
    });
  });

  const others = [
    ['of OKX that one user asked too often', 'okx', 'account/balance', 429, { code: '50011' }],
    [
      'of Bybit that one user asked too often',
      'bybit',
      'v5/user/query-api',
      200,
      { retCode: 10006, retMsg: 'Too many visits!' },
    ],
    ['of Bybit to a blocked country', 'bybit', 'v5/user/query-api', 403, '<html>block access from your country</html>'],
    ['that the venue is down', 'binance', 'account', 503, '<html>Service Unavailable</html>'],
    ['that refuses a key', 'binance', 'account', 401, { code: -2015, msg: 'Invalid API-key.' }],
  ] as const;
  it.each(others)('%s stops nobody else', async (_, id, path, status, body) => {
    const ask = await clientOf(id);
    refusing(status, body);
    await expect(ask(path)).rejects.toMatchObject({ code: 'venue-error' });
    expect(await secondsLeftAlone(id)).toBe(0);
  });

  it('of Bybit that this was the last one of the second has the next one wait, for the same path', async () => {
    const ask = await clientOf('bybit');
    answer = () => Response.json({ retCode: 0 }, { headers: { 'x-bapi-limit-status': '0' } });
    await ask('v5/position/list');
    expect(await secondsTaken(() => ask('v5/order/realtime'))).toBe(0);
    expect(await secondsTaken(() => ask('v5/position/list'))).toBe(1);
  });

  it('of Binance that others used up the minute has accounts wait for the next', async () => {
    const ask = await clientOf('binance');
    answer = () => Response.json({}, { headers: { 'x-mbx-used-weight-1m': '5300' } });
    await ask('ping', 'public');
    await expect(ask('ping', 'public')).rejects.toMatchObject({ failure: 'rate-limited', retryAfterMs: 60_000 });
  });
});

describe('futures of Binance', () => {
  it('are asked as often as their own limit allows by their weights, which is no matter of spot', async () => {
    const ask = await clientOf('binance');
    const open = () => ask('openOrders', 'fapiPrivate');
    for (let call = 0; call < 8; call++) await open();
    // 60 % of 2400 a minute are 24 a second, and openOrders of all symbols weigh 40.
    const taken = await secondsTaken(async () => {
      for (let call = 0; call < 6; call++) await open();
    });
    expect(taken).toBeGreaterThan((5 * 40) / 24);
    expect(await secondsTaken(() => ask('openOrders', 'private'))).toBe(0);
  });

  it.each([
    ['fapiPrivate', '2100', 'rate-limited'],
    ['private', '2100', 'nothing'],
  ])('and spot tell each of their own limit what is used: %s %s', async (api, weight, expected) => {
    const ask = await clientOf('binance');
    answer = () => Response.json({}, { headers: { 'x-mbx-used-weight-1m': weight } });
    await ask('openOrders', api);
    const failure = await ask('openOrders', api).then(
      () => 'nothing',
      (error: { readonly failure?: string }) => error.failure,
    );
    expect(failure).toBe(expected);
  });
});

it('a table that fails is no matter of the venue', async () => {
  const ask = await clientOf('binance');
  system.table.before = failing(() => true);
  await expect(ask('ping', 'public')).rejects.toMatchObject({ code: 'unavailable' });
});

it('has many clients of one process pass with few writes', async () => {
  const budget = budgetOf('bybit');
  const clients = await Promise.all(Array.from({ length: 50 }, () => clientOf('bybit', budget)));
  answer = () => Response.json({ retCode: 0 });
  for (const ask of clients) await ask('v5/account/wallet-balance');
  expect(system.table.calls.length).toBeLessThan(12);
});
