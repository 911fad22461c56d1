import { beforeEach, describe, expect, it } from 'vitest';
import { NewAccount } from '#shared/accounts/account';
import { AccountRecords } from '#shared/accounts/account-records';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, duePeriod, recordsOf, type StepName, type StoredAccount } from '#shared/accounts/stored';
import { Dispatcher } from '#shared/accounts/sync/dispatch';
import { VenueError } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import { NotFound, Unavailable } from '#shared/platform/errors';
import type { Item } from '#shared/platform/table';
import { spot, testKey, VenueOfKeys } from '../../../support/account-venues.ts';
import { MemoryVenue, orderAt, positionIn, tradeAt, transferOfId } from '../../../support/memory-venue.ts';
import { type TestPlatform, testOrigin, testPlatform } from '../../../support/test-platform.ts';

const ada = 'ada' as UserId;

let given: TestPlatform;
let venue: MemoryVenue;
let book: Accounts;
let removal: AccountRemoval;
let accountId: string;

beforeEach(async () => {
  venue = new MemoryVenue();
  given = testPlatform({ market: { venues: ['sim', 'binance'] } }, async () => venue);
  const keys = new VenueOfKeys();
  keys.add();
  book = new Accounts(given.platform, keys);
  removal = new AccountRemoval(given.platform);
  const account = NewAccount.parse({ venue: 'binance', label: 'main', mode: 'live', credentials: testKey });
  accountId = (await given.awake(book.add(ada, account, testOrigin))).accountId;
});

const records = () => new AccountRecords(given.platform);
const page = { limit: 200 };
const orders = async () => (await records().orders(ada, accountId, page)).items;
const statuses = async () => Object.fromEntries((await orders()).map(({ orderId, status }) => [orderId, status]));
const trades = async () => (await records().trades(ada, accountId, page)).items.map(({ tradeId }) => tradeId);
const stored = async (kind: 'position' | 'transfer') =>
  (await given.store.query<Item>(recordsOf(kind, ada, accountId))).items;
const account = async () => (await given.store.get<StoredAccount>(accountKey(ada, accountId))) as StoredAccount;
const step = async (name: StepName) => (await account()).steps[name];
/** Lets a period of time pass, the dispatcher and the workers at work. */
const pass = async (seconds: number) => {
  const dispatcher = new Dispatcher(given.platform);
  for (const until = given.clock.now() + seconds * 1000; given.clock.now() < until; ) {
    await given.clock.advance(15_000);
    await dispatcher.run();
    await given.settle();
  }
};
const next = () => pass(90);
/** To the time from which on all of the account is due, and for a whole period nothing again. */
const toNextPeriod = async () => {
  const { endsAt } = duePeriod(await account(), given.platform.config, given.clock.now());
  await given.clock.advance(endsAt - given.clock.now());
};

describe('positions', () => {
  it('follow the venue, and one that is closed there is gone', async () => {
    venue.open = [positionIn('BTC/USDT:USDT'), positionIn('ETH/USDT:USDT', { side: 'short' })];
    await given.settle();
    expect(await stored('position')).toHaveLength(2);
    venue.open = [positionIn('BTC/USDT:USDT', { contracts: '2' })];
    await next();
    expect(await stored('position')).toMatchObject([{ symbol: 'BTC/USDT:USDT', contracts: '2', source: 'live' }]);
  });
});

describe('orders', () => {
  it('are told newest first, with those that ended lately', async () => {
    const now = given.clock.now();
    venue.orders = [
      orderAt('1', { createdAt: now - 2000 }),
      orderAt('2', { createdAt: now - 1000, status: 'filled', filled: '1', updatedAt: now }),
    ];
    await given.settle();
    expect((await orders()).map(({ orderId }) => orderId)).toEqual(['2', '1']);
  });

  it('take the state in which the venue says that they ended', async () => {
    venue.orders = [orderAt('1'), orderAt('2')];
    await given.settle();
    const updatedAt = given.clock.now();
    venue.orders = [
      orderAt('1', { status: 'filled', filled: '1', updatedAt }),
      orderAt('2', { status: 'canceled', updatedAt }),
    ];
    await next();
    expect(await statuses()).toEqual({ 1: 'filled', 2: 'canceled' });
  });

  it('are unknown once they are gone without a word, until the venue says more', async () => {
    venue.orders = [orderAt('1')];
    await given.settle();
    venue.orders = [];
    await next();
    expect(await statuses()).toEqual({ 1: 'unknown' });
    venue.orders = [orderAt('1', { status: 'expired', updatedAt: given.clock.now() })];
    await next();
    expect(await statuses()).toEqual({ 1: 'expired' });
  });

  it('that rested for weeks take the state in which they ended, where the venue goes by when they were placed', async () => {
    const dayMs = 86_400_000;
    const placedAt = given.clock.now() - 20 * dayMs;
    venue.orders = [orderAt('1', { createdAt: placedAt })];
    await given.settle();
    venue.orders = [orderAt('1', { createdAt: placedAt, status: 'filled', updatedAt: given.clock.now() })];
    const { closedOrders } = venue;
    venue.closedOrders = async (symbols, since) => {
      const { items, rejected } = await closedOrders(symbols, since);
      return { items: items.filter(({ createdAt }) => createdAt >= since - 7 * dayMs), rejected };
    };
    await next();
    expect(await statuses()).toEqual({ 1: 'filled' });
  });

  it('that ended do not open again when the venue answers from an older copy', async () => {
    venue.orders = [orderAt('1', { status: 'filled', filled: '1', updatedAt: given.clock.now() })];
    await given.settle();
    venue.orders = [orderAt('1')];
    await next();
    expect(await statuses()).toEqual({ 1: 'filled' });
  });

  it('can be filtered by status and symbol', async () => {
    const updatedAt = given.clock.now();
    venue.orders = [orderAt('1'), orderAt('2', { symbol: 'ETH/USDT' }), orderAt('3', { status: 'filled', updatedAt })];
    await given.settle();
    const found = async (filter: { symbol?: string; status?: 'open' }) =>
      (await records().orders(ada, accountId, { ...page, ...filter })).items.map(({ orderId }) => orderId).sort();
    expect(await found({ status: 'open' })).toEqual(['1', '2']);
    expect(await found({ symbol: 'BTC/USDT' })).toEqual(['1', '3']);
    expect(await found({ symbol: 'BTC/USDT', status: 'open' })).toEqual(['1']);
  });

  it('of a rare symbol are found behind pages of others', async () => {
    venue.orders = Array.from({ length: 30 }, (_, number) => orderAt(`${number}`, { createdAt: 100 + number }));
    venue.orders.push(orderAt('rare', { symbol: 'ETH/USDT', createdAt: 1 }));
    await given.settle();
    const { items } = await records().orders(ada, accountId, { limit: 3, symbol: 'ETH/USDT' });
    expect(items.map(({ orderId }) => orderId)).toEqual(['rare']);
  });

  it('are kept where the venue tells only of open ones', async () => {
    venue.orders = [orderAt('1')];
    venue.before = (call) => {
      if (call.startsWith('closedOrders'))
        throw new VenueError('binance', 'not-supported', 'binance does not offer this');
    };
    await given.settle();
    expect(await statuses()).toEqual({ 1: 'open' });
    expect(await step('orders')).toMatchObject({ status: 'ok' });
  });
});

describe('trades', () => {
  const five = ['1', '2', '3', '4', '5'];
  beforeEach(() => {
    venue.made = five.map((id, position) => tradeAt(id, 1000 + position));
  });

  it('are read to their end, and from there on the next time', async () => {
    await given.settle();
    expect(await trades()).toEqual(five.toReversed());
    venue.made.push(tradeAt('6', 2000));
    venue.calls.length = 0;
    await next();
    expect(await trades()).toEqual(['6', ...five.toReversed()]);
    // One sync is due in that time, or two: where in its period the account stands is by chance.
    const times = (call: string) => venue.calls.filter((asked) => asked.startsWith(call)).length;
    expect(times('trades')).toBe(times('balances'));
  });

  it('go on where time was too short, and are not complete until then', async () => {
    venue.before = async (call) => {
      if (call.startsWith('trades')) await given.clock.sleep(15_000);
    };
    await given.settle();
    expect((await trades()).length).toBeLessThan(5);
    expect(await step('trades')).toMatchObject({ status: 'pending', lastSuccessAt: null, failure: null });
    await next();
    expect(await trades()).toEqual(five.toReversed());
    expect(await step('trades')).toMatchObject({ status: 'ok' });
  });

  it('go on within seconds, however long the period is, and ask for nothing else again', async () => {
    await given.awake(removal.remove(ada, accountId, testOrigin));
    const daily = { venue: 'binance', label: 'daily', mode: 'live', credentials: testKey, syncSeconds: 86_400 };
    accountId = (await given.awake(book.add(ada, NewAccount.parse(daily), testOrigin))).accountId;
    await toNextPeriod();
    venue.calls.length = 0;
    venue.before = async (call) => {
      if (call.startsWith('trades')) await given.clock.sleep(15_000);
    };
    await given.settle();
    expect(await step('trades')).toMatchObject({ status: 'pending' });
    await pass(60);
    expect(await step('trades')).toMatchObject({ status: 'ok' });
    expect(venue.calls.filter((call) => call === 'balances')).toHaveLength(1);
  });

  it('of a venue that tells that there is more, but not what, are a failure, not a loop', async () => {
    venue.trades = async () => {
      venue.calls.push('trades all');
      return { items: [], rejected: [], cursor: 'here', more: true };
    };
    await pass(600);
    expect(await step('trades')).toMatchObject({ status: 'failing', failure: 'retryable' });
    expect(venue.calls.filter((call) => call === 'trades all').length).toBeLessThan(20);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'are complete and unique when the worker is killed at write %i',
    async (write) => {
      let writes = 0;
      given.table.before = (call) => {
        if (call.writes && writes++ >= write) throw new Unavailable('killed');
      };
      await given.settle();
      given.table.before = () => {};
      await given.clock.advance(70_000);
      await pass(150);
      expect(await trades()).toEqual(five.toReversed());
    },
  );

  it('with the same number in two markets are two', async () => {
    venue.made = [tradeAt('1', 1), tradeAt('1', 2, { symbol: 'ETH/USDT' })];
    await given.settle();
    expect(await trades()).toEqual(['1', '1']);
    const { items } = await records().trades(ada, accountId, { ...page, symbol: 'ETH/USDT' });
    expect(items).toMatchObject([{ symbol: 'ETH/USDT', at: 2, source: 'live' }]);
  });
});

describe('where the venue wants markets named', () => {
  beforeEach(() => {
    venue.needsSymbols = true;
    venue.made = [tradeAt('1', 1), tradeAt('2', 2, { symbol: 'ETH/USDT' })];
    venue.held = [spot('BTC', '1')];
  });

  it('those of the assets held are asked for, and markets that do not exist do no harm', async () => {
    await given.settle();
    expect(await trades()).toEqual(['1']);
    expect(await step('trades')).toMatchObject({ status: 'ok', items: 1 });
  });

  it('a new asset is found at once', async () => {
    await given.settle();
    venue.held = [spot('BTC', '1'), spot('ETH', '1')];
    await next();
    expect(await trades()).toEqual(['2', '1']);
  });

  it('an asset that was sold is still asked for', async () => {
    await given.settle();
    venue.held = [];
    venue.made.push(tradeAt('3', 3, { side: 'sell' }));
    await next();
    expect(await trades()).toEqual(['3', '1']);
  });

  it('markets where nothing happens are asked for every ten minutes, not with each sync', async () => {
    await pass(1500);
    venue.calls.length = 0;
    await pass(1200);
    const asked = venue.calls.filter((call) => call === 'trades BTC/USDT').length;
    expect(asked).toBeGreaterThanOrEqual(2);
    // A sync whose status was not written does not keep the next one from asking once more.
    expect(asked).toBeLessThanOrEqual(5);
  });

  it('an order that ended in a market that is closed now does not hide the others', async () => {
    venue.orders = [orderAt('1')];
    await pass(150);
    expect(await statuses()).toEqual({ 1: 'open' });
    venue.markets = ['ETH/USDT'];
    venue.orders = [
      orderAt('1', { status: 'canceled', updatedAt: given.clock.now() }),
      orderAt('2', { symbol: 'ETH/USDT' }),
    ];
    venue.held = [spot('ETH', '1')];
    await pass(150);
    expect(await statuses()).toEqual({ 1: 'canceled', 2: 'open' });
  });
});

describe('orders of two markets', () => {
  it('may have the same number', async () => {
    venue.orders = [orderAt('7'), orderAt('7', { symbol: 'ETH/USDT' })];
    await given.settle();
    expect((await orders()).map(({ symbol }) => symbol).toSorted()).toEqual(['BTC/USDT', 'ETH/USDT']);
    venue.orders = [
      orderAt('7', { status: 'filled', updatedAt: given.clock.now() }),
      orderAt('7', { symbol: 'ETH/USDT' }),
    ];
    await next();
    expect((await orders()).map(({ symbol, status }) => `${symbol} ${status}`).toSorted()).toEqual([
      'BTC/USDT filled',
      'ETH/USDT open',
    ]);
  });
});

describe('transfers', () => {
  it('follow their states', async () => {
    const at = given.clock.now();
    venue.moved = [transferOfId('1', at, { status: 'pending' })];
    await given.settle();
    venue.moved = [transferOfId('1', at), transferOfId('1', at, { type: 'withdrawal' })];
    await pass(690);
    expect(await stored('transfer')).toMatchObject([{ status: 'ok' }, { type: 'withdrawal' }]);
  });

  it('are asked for every ten minutes, and when the user wants it', async () => {
    const asked = () => venue.calls.filter((call) => call === 'transfers').length;
    await pass(600);
    expect(asked()).toBe(1);
    await book.syncNow(ada, accountId);
    await given.settle();
    expect(asked()).toBe(2);
  });
});

describe('a step that fails', () => {
  it('is tried again before the next time, and only that step', async () => {
    await given.awake(removal.remove(ada, accountId, testOrigin));
    const slow = { venue: 'binance', label: 'slow', mode: 'live', credentials: testKey, syncSeconds: 120 };
    accountId = (await given.awake(book.add(ada, NewAccount.parse(slow), testOrigin))).accountId;
    venue.before = (call) => {
      if (call.startsWith('trades')) throw new VenueError('binance', 'rate-limited', 'later', { retryAfterMs: 6000 });
    };
    await toNextPeriod();
    await given.settle();
    venue.before = () => {};
    venue.calls.length = 0;
    await pass(45);
    expect(venue.calls.filter((call) => call !== 'transfers')).toEqual(['trades all']);
    expect(await step('trades')).toMatchObject({ status: 'ok' });
  });
});

describe('a reply that can not be right', () => {
  it.each([
    ['balances', () => ({ held: [spot('BTC', '1e5')] })],
    ['balances', () => ({ held: [spot('BTC', '1'), spot('BTC', '1')] })],
    ['positions', () => ({ open: [positionIn('BTC/USDT:USDT', { contracts: 'NaN' })] })],
    ['orders', () => ({ orders: [orderAt('1'), orderAt('1', { filled: '0.5' })] })],
    ['orders', () => ({ orders: [orderAt('x'.repeat(5000))] })],
    ['trades', () => ({ made: [tradeAt('1', -5)] })],
    ['transfers', () => ({ moved: [transferOfId('1', given.clock.now(), { amount: '' })] })],
  ] as const)('leaves the %s as they are, and the step is tried again', async (name, spoil) => {
    venue.held = [spot('BTC', '1')];
    venue.open = [positionIn('BTC/USDT:USDT')];
    venue.orders = [orderAt('1')];
    await given.settle();
    const before = await given.store.query({ pk: accountKey(ada, 'x').pk });
    Object.assign(venue, spoil());
    await pass(690);
    const state = await step(name);
    expect(state).toMatchObject({ status: 'failing', failure: 'retryable' });
    expect(state?.detail).toContain('can not be right');
    const data = ({ kind }: Item) => !['account', 'account-schedule'].includes(kind);
    const after = await given.store.query({ pk: accountKey(ada, 'x').pk });
    expect(after.items.filter(data)).toEqual(before.items.filter(data));
  });
});

describe('an unchanged account', () => {
  it('costs its schedule and its status, which is written once a minute', async () => {
    venue.held = [spot('BTC', '1', { venueTime: 1 })];
    venue.open = [positionIn('BTC/USDT:USDT')];
    venue.orders = [orderAt('1')];
    venue.made = [tradeAt('1', 1000)];
    venue.moved = [transferOfId('1', given.clock.now())];
    await pass(150);
    given.table.takeWritten();
    venue.held = [spot('BTC', '1', { venueTime: 2 })];
    venue.orders = [orderAt('1', { updatedAt: 2 })];
    await pass(300);
    const written = given.table.takeWritten().map((key) => key.replace(/.* (\w+)#.*/, '$1'));
    expect(new Set(written)).toEqual(new Set(['ACCOUNT_SCHEDULE', 'ACCOUNT']));
    expect(written.filter((kind) => kind === 'ACCOUNT').length).toBeLessThanOrEqual(5);
  });
});

describe('deleting an account', () => {
  const left = async () =>
    (await given.store.query({ pk: accountKey(ada, 'x').pk })).items
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'account-count');

  it.each([99, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'removes all that was synchronised, also when write %i fails',
    async (write) => {
      venue.needsSymbols = true;
      venue.held = [spot('BTC', '1')];
      venue.open = [positionIn('BTC/USDT:USDT')];
      venue.orders = [orderAt('1')];
      venue.made = [tradeAt('1', 1000)];
      venue.moved = [transferOfId('1', given.clock.now())];
      await next();
      expect(new Set(await left()).size).toBe(9);
      let writes = 0;
      given.table.before = (call) => {
        if (call.writes && writes++ === write) throw new Unavailable('killed');
      };
      await given.awake(removal.remove(ada, accountId, testOrigin)).catch(() => {});
      given.table.before = () => {};
      await given
        .awake(removal.remove(ada, accountId, testOrigin))
        .catch((error: unknown) => expect(error).toBeInstanceOf(NotFound));
      expect(await left()).toEqual([]);
    },
  );
});
