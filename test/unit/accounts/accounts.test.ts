import { beforeEach, describe, expect, it } from 'vitest';
import { queueEvent } from '#local/queue-event';
import { ACCOUNTS_PER_USER_MAX, NewAccount } from '#shared/accounts/account';
import { AccountRecords } from '#shared/accounts/account-records';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts } from '#shared/accounts/accounts';
import { accountCountKey, accountKey, balanceKey } from '#shared/accounts/stored';
import { Dispatcher } from '#shared/accounts/sync/dispatch';
import { VenueError } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput, LimitExceeded, NotFound, Unavailable } from '#shared/platform/errors';
import { spot, testKey, VenueOfKeys } from '../../support/account-venues.ts';
import { type TestPlatform, testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

const [ada, eve] = ['ada' as UserId, 'eve' as UserId];
const newKey = { apiKey: 'AKnewkey0123456789abcdefgh', secret: 'SECRETnewsecret0123456789' };

let given: TestPlatform;
let venue: VenueOfKeys;
let book: Accounts;
let removal: AccountRemoval;

beforeEach(() => {
  venue = new VenueOfKeys();
  given = testPlatform({ market: { venues: ['sim', 'binance'] } }, venue.open);
  book = new Accounts(given.platform, venue);
  removal = new AccountRemoval(given.platform);
});

const live = (credentials = testKey): NewAccount =>
  NewAccount.parse({ venue: 'binance', label: 'main', mode: 'live', credentials });
const paper = (balances?: Record<string, string>): NewAccount =>
  NewAccount.parse({ venue: 'sim', label: 'practice', mode: 'paper', ...(balances && { paper: { balances } }) });
const add = (account: NewAccount, userId = ada) => given.awake(book.add(userId, account, testOrigin));
const secrets = async () => (await given.platform.secrets.get('exchange-credentials/1')) ?? '';

const balances = async (accountId: string) => {
  const { items } = await new AccountRecords(given.platform).balances(ada, accountId, { limit: 200 });
  return Object.fromEntries(items.map(({ asset, total }) => [asset, total]));
};
const status = async (accountId: string) => {
  const { items } = await book.list(ada, { limit: 200 });
  return items.find((account) => account.accountId === accountId)?.steps[0];
};
/** Lets a period of time pass, the dispatcher and the workers at work. */
const pass = async (seconds: number) => {
  const dispatcher = new Dispatcher(given.platform);
  for (const until = given.clock.now() + seconds * 1000; given.clock.now() < until; ) {
    await given.clock.advance(5_000);
    await dispatcher.run();
    await given.settle();
  }
};

describe('a paper account', () => {
  it('has its balances from the start', async () => {
    const { accountId } = await add(paper({ USDT: '500', BTC: '0.5' }));
    expect(await balances(accountId)).toEqual({ USDT: '500', BTC: '0.5' });
  });

  it('begins with 10000 USDT when nothing is said', async () => {
    expect(await balances((await add(paper())).accountId)).toEqual({ USDT: '10000' });
  });

  it('needs a venue whose prices are watched', async () => {
    await expect(add({ ...paper(), venue: 'kraken' })).rejects.toThrow(InvalidInput);
  });

  it('has no venue to ask: it is never synchronised, also when its user asks', async () => {
    const { accountId } = await add(paper());
    given.table.takeWritten();
    await book.syncNow(ada, accountId);
    await pass(120);
    expect(given.table.takeWritten()).toEqual([]);
    expect((await book.list(ada, { limit: 1 })).items).toMatchObject([{ steps: [] }]);
  });

  it('keeps what was traded', async () => {
    const { accountId } = await add(paper({ USDT: '500' }));
    const key = balanceKey(ada, accountId, 'spot', 'USDT');
    await given.store.update(key, { set: { free: '400', total: '400' } });
    await given.accountSync(
      queueEvent('account-sync', [
        {
          ...{ id: '1', receipt: '1', receiveCount: 1, sentAt: given.clock.now() },
          body: JSON.stringify({ userId: ada, accountId, dueAt: given.clock.now() + 1, userRequested: true }),
        },
      ]),
      testContext,
    );
    expect(await balances(accountId)).toEqual({ USDT: '400' });
  });
});

describe('connecting a live account', () => {
  it('stores the key in the vault and nowhere else', async () => {
    venue.add();
    const { accountId } = await add(live());
    expect(await secrets()).toContain(testKey.secret);
    const stored = JSON.stringify(await given.store.get(accountKey(ada, accountId)));
    for (const part of Object.values(testKey)) expect(stored).not.toContain(part);
  });

  it('refuses a key that can withdraw, and stores nothing', async () => {
    venue.add(testKey, { canTrade: true, canWithdraw: true });
    await expect(add(live())).rejects.toThrow(/can withdraw/);
    expect(await secrets()).toBe('');
    expect((await book.list(ada, { limit: 10 })).items).toEqual([]);
  });

  it('takes a key that can not trade as read-only', async () => {
    venue.add(testKey, { canTrade: false, canWithdraw: false });
    expect(await add(live())).toMatchObject({ readOnly: true });
  });

  it('refuses a key that the venue does not accept, without quoting it', async () => {
    const refused = await add(live()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidInput);
    for (const part of Object.values(testKey)) expect(String(refused)).not.toContain(part);
  });

  it('tells that the venue can not be asked now, and stores nothing', async () => {
    venue.add();
    venue.faults.push(new VenueError('binance', 'maintenance', 'binance is under maintenance'));
    await expect(add(live())).rejects.toThrow(VenueError);
    expect(await secrets()).toBe('');
  });

  it('is refused above the limit of a user', async () => {
    await given.store.put({ ...accountCountKey(ada), kind: 'account-count', accounts: ACCOUNTS_PER_USER_MAX });
    await expect(add(paper())).rejects.toThrow(LimitExceeded);
    await add(paper(), eve);
  });

  it.each([0, 1, 2, 3, 4])('leaves no account without its key when write %i fails', async (write) => {
    venue.add();
    let writes = 0;
    given.table.before = (call) => {
      if (call.writes && writes++ === write) throw new Unavailable('killed');
    };
    await add(live()).catch(() => {});
    given.table.before = () => {};
    await pass(60);
    const { items } = await book.list(ada, { limit: 10 });
    for (const { steps } of items) expect(steps.map(({ status }) => status)).toEqual(Array(5).fill('ok'));
  });
});

describe('changing an account', () => {
  it('replaces the key, and the old one is gone', async () => {
    venue.add();
    const { accountId } = await add(live());
    venue.add(newKey, { canTrade: false, canWithdraw: false });
    const changed = await given.awake(book.change(ada, accountId, { credentials: newKey }, testOrigin));
    expect(changed).toMatchObject({ readOnly: true, version: 2 });
    expect(await secrets()).not.toContain(testKey.secret);
    await given.settle();
    expect(venue.reads.at(-1)).toBe(newKey.apiKey);
  });

  it('refuses a stale version', async () => {
    const { accountId } = await add(paper());
    await book.change(ada, accountId, { label: 'one', version: 1 }, testOrigin);
    await expect(book.change(ada, accountId, { label: 'two', version: 1 }, testOrigin)).rejects.toThrow(Conflict);
  });

  it('is not possible for others', async () => {
    const { accountId } = await add(paper());
    await expect(book.change(eve, accountId, { label: 'mine' }, testOrigin)).rejects.toThrow(NotFound);
    await expect(removal.remove(eve, accountId, testOrigin)).rejects.toThrow(NotFound);
    await expect(new AccountRecords(given.platform).balances(eve, accountId, { limit: 1 })).rejects.toThrow(NotFound);
  });
});

describe('deleting an account', () => {
  /** What is left of the user, counts aside. */
  const left = async () =>
    (await given.store.query({ pk: accountKey(ada, 'x').pk })).items
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'account-count');

  it('removes its key and its data', async () => {
    venue.add(testKey, undefined, [spot('BTC', '1')]);
    const { accountId } = await add(live());
    await given.settle();
    await given.awake(removal.remove(ada, accountId, testOrigin));
    expect(await left()).toEqual([]);
    expect(await secrets()).not.toContain(testKey.secret);
  });

  it.each([0, 1, 2, 3, 4, 5])('is finished by deleting again when write %i fails', async (write) => {
    venue.add(testKey, undefined, [spot('BTC', '1')]);
    const { accountId } = await add(live());
    await given.settle();
    let writes = 0;
    given.table.before = (call) => {
      if (call.writes && writes++ === write) throw new Unavailable('killed');
    };
    await given.awake(removal.remove(ada, accountId, testOrigin)).catch(() => {});
    given.table.before = () => {};
    await given.clock.advance(61_000);
    await given
      .awake(removal.remove(ada, accountId, testOrigin))
      .catch((error: unknown) => expect(error).toBeInstanceOf(NotFound));
    expect(await left()).toEqual([]);
    expect(await secrets()).not.toContain(testKey.secret);
    expect(await given.store.get(accountCountKey(ada))).toMatchObject({ accounts: 0 });
  });

  it('waits for a sync that is under way, which leaves nothing behind', async () => {
    venue.add(testKey, undefined, [spot('BTC', '1')]);
    const { accountId } = await add(live());
    let removed: Promise<void> | undefined;
    venue.during = async () => {
      removed ??= removal.remove(ada, accountId, testOrigin);
      await given.clock.sleep(2_000);
    };
    await given.settle();
    await given.awake(removed ?? Promise.resolve());
    expect(await left()).toEqual([]);
  });
});

describe('the sync', () => {
  it('follows the balances of the venue and removes what vanished', async () => {
    venue.add(testKey, undefined, [spot('BTC', '1'), spot('ETH', '2')]);
    const { accountId } = await add(live());
    await given.settle();
    venue.hold([spot('BTC', '1.5')]);
    await pass(120);
    expect(await balances(accountId)).toEqual({ BTC: '1.5' });
  });

  it('writes no balance of an unchanged account', async () => {
    venue.add(testKey, undefined, [spot('BTC', '1', { venueTime: 1 })]);
    await add(live());
    await given.settle();
    given.table.takeWritten();
    venue.hold([spot('BTC', '1', { venueTime: 2 })]);
    await pass(120);
    expect(venue.reads.length).toBeGreaterThan(1);
    expect(given.table.takeWritten().filter((key) => key.includes('BALANCE#'))).toEqual([]);
  });

  it('keeps what is known when the venue tells nonsense', async () => {
    venue.add(testKey, undefined, [spot('BTC', '1')]);
    const { accountId } = await add(live());
    await given.settle();
    venue.hold([spot('BTC', 'NaN')]);
    await pass(120);
    expect(await balances(accountId)).toEqual({ BTC: '1' });
    expect(await status(accountId)).toMatchObject({ status: 'failing', failure: 'retryable' });
  });

  it('keeps its period', async () => {
    venue.add();
    await add(live());
    await pass(600);
    expect(venue.reads.length).toBeGreaterThanOrEqual(10);
    expect(venue.reads.length).toBeLessThanOrEqual(12);
  });

  it('pauses when the key is refused, tells so, and asks no more until the user does', async () => {
    venue.add();
    const { accountId } = await add(live());
    await given.settle();
    venue.keys.clear();
    await pass(120);
    expect(await status(accountId)).toMatchObject({ status: 'paused', failure: 'authentication' });
    const asked = venue.reads.length;
    await pass(600);
    expect(venue.reads.length).toBe(asked);
    venue.add();
    await book.syncNow(ada, accountId);
    await given.settle();
    expect(await status(accountId)).toMatchObject({ status: 'ok', failure: null });
    await pass(120);
    expect(venue.reads.length).toBeGreaterThan(asked + 1);
  });

  it('tries a new key of an account that waited for it, also when its order was lost', async () => {
    venue.add();
    const { accountId } = await add(live());
    await given.settle();
    venue.keys.clear();
    await pass(120);
    expect(await status(accountId)).toMatchObject({ status: 'paused' });
    venue.add(newKey);
    const fail = () => Promise.reject(new Unavailable('killed'));
    const queue = { send: fail, receive: fail, remove: fail, release: fail, depth: fail };
    const killed = new Accounts(
      { ...given.platform, queue: (name) => (name === 'account-sync' ? queue : given.queue(name)) },
      venue,
    );
    await expect(given.awake(killed.change(ada, accountId, { credentials: newKey }, testOrigin))).rejects.toThrow(
      Unavailable,
    );
    const asked = venue.reads.length;
    await pass(60);
    expect(await status(accountId)).toMatchObject({ status: 'ok' });
    await pass(600);
    expect(venue.reads.length - asked).toBeLessThanOrEqual(13);
  });

  it('stays away for as long as the venue wants, also when the user asks', async () => {
    venue.add();
    const { accountId } = await add(live());
    await given.settle();
    const limited = { retryAfterMs: 300_000 };
    venue.faults.push(new VenueError('binance', 'rate-limited', 'binance was asked too often', limited));
    await pass(90);
    const asked = venue.reads.length;
    await book.syncNow(ada, accountId);
    await pass(180);
    expect(venue.reads.length).toBe(asked);
    await pass(240);
    expect(await status(accountId)).toMatchObject({ status: 'ok' });
  });

  it('marks what the venue does not offer and leaves it out', async () => {
    venue.add();
    const { accountId } = await add(live());
    venue.faults.push(new VenueError('binance', 'not-supported', 'binance does not offer this'));
    await given.settle();
    expect(await status(accountId)).toMatchObject({ status: 'not-supported' });
    await pass(600);
    expect(venue.reads).toHaveLength(1);
  });
});
