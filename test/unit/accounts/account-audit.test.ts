import { beforeEach, describe, expect, it } from 'vitest';
import { ACCOUNTS_PER_USER_MAX, NewAccount } from '#shared/accounts/account';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts } from '#shared/accounts/accounts';
import { accountCountKey, accountKey, type StoredAccount } from '#shared/accounts/stored';
import { AuditReader } from '#shared/audit/audit-reader';
import { verifyAudit } from '#shared/audit/verify';
import type { UserId } from '#shared/model/user-id';
import { Conflict, LimitExceeded, NotFound, Unavailable } from '#shared/platform/errors';
import { spot, testKey, VenueOfKeys } from '../../support/account-venues.ts';
import { killed } from '../../support/killed.ts';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const newKey = { apiKey: 'AKnewkey0123456789abcdefgh', secret: 'SECRETnewsecret0123456789' };
const label = 'my own words';
const live = NewAccount.parse({ venue: 'binance', label, mode: 'live', credentials: testKey });
const paper = NewAccount.parse({ venue: 'sim', label, mode: 'paper' });

let given: TestPlatform;
let book: Accounts;
let removal: AccountRemoval;
const start = () => {
  const venue = new VenueOfKeys();
  venue.add(testKey, undefined, [spot('BTC', '1')]);
  venue.add(newKey);
  given = testPlatform({ market: { venues: ['sim', 'binance'] } }, venue.open);
  book = new Accounts(given.platform, venue);
  removal = new AccountRemoval(given.platform);
};
beforeEach(start);

const add = (account = live) => given.awake(book.add(ada, account, testOrigin));
const accounts = async () => (await book.list(ada, { limit: 50 })).items;
const stored = (accountId: string) => given.store.get<StoredAccount>(accountKey(ada, accountId));
const entries = async (type: string) => {
  const { items } = await new AuditReader(given.platform).ofUser(ada, { type }, { limit: 200 });
  return items.map(({ target, actor, after }) => ({ target: target?.id, actor, after }));
};
const removals = async () => (await entries('config.account-removed')).length;
const remove = (accountId: string) => given.awake(removal.remove(ada, accountId, testOrigin));

describe.each(['before', 'after'] as const)('a process that is killed %s any of its writes', (when) => {
  /** Kills the work at one write after the other, each time from the start, until it has no more of them. */
  const killedAtEach = async (
    work: (accountId: string) => Promise<unknown>,
    check: (accountId: string) => Promise<void>,
  ) => {
    for (let write = 0, isKilled = true; isKilled; write += 1) {
      start();
      const { accountId } = await add();
      await given.settle();
      isKilled = await killed(given, { write, when }, () => work(accountId));
      await check(accountId);
      expect((await verifyAudit(given.store)).findings).toEqual([]);
      if (!isKilled) expect(write).toBeGreaterThan(0);
    }
  };

  it.each([
    ['live', live],
    ['paper', paper],
  ])('leaves a %s account exactly if its entry is there', async (_, account) => {
    await killedAtEach(
      () => book.add(ada, account, testOrigin),
      async () => {
        const listed = (await accounts()).map(({ accountId }) => accountId);
        expect((await entries('config.account-added')).map(({ target }) => target).toReversed()).toEqual(listed);
      },
    );
  });

  it.each([
    ['label', { label: 'other words' }],
    ['period', { syncSeconds: 600 }],
    ['key', { credentials: newKey }],
  ])('leaves an account with another %s exactly if its entry is there', async (_, update) => {
    await killedAtEach(
      (accountId) => book.change(ada, accountId, update, testOrigin),
      async (accountId) => {
        const { version = 0 } = (await stored(accountId)) ?? {};
        expect(await entries('config.account-changed')).toHaveLength(version - 1);
      },
    );
  });

  it('leaves an account that is being deleted, or none, exactly if its entry is there, which stays the only one', async () => {
    await killedAtEach(
      (accountId) => removal.remove(ada, accountId, testOrigin),
      async (accountId) => {
        expect(await removals()).toBe((await stored(accountId))?.state === 'active' ? 0 : 1);
        await given.clock.advance(61_000);
        await remove(accountId).catch((error: unknown) => expect(error).toBeInstanceOf(NotFound));
        expect([await stored(accountId), await removals()]).toEqual([undefined, 1]);
      },
    );
  });
});

describe('an entry', () => {
  it('tells of the account as it is, without its key and what its owner wrote', async () => {
    const { accountId } = await add();
    await given.awake(book.change(ada, accountId, { credentials: newKey, syncSeconds: 600 }, testOrigin));
    await remove(accountId);
    const found = await entries('config.account');
    const facts = { venue: 'binance', mode: 'live', readOnly: false };
    expect(found.map(({ target, after }) => ({ target, after }))).toEqual([
      { target: accountId, after: null },
      { target: accountId, after: { ...facts, syncSeconds: 600, credentialsReplaced: true } },
      { target: accountId, after: { ...facts, syncSeconds: 60 } },
    ]);
    const secrets = [...Object.values(testKey), ...Object.values(newKey), label];
    expect(secrets.filter((secret) => JSON.stringify(found).includes(secret))).toEqual([]);
  });

  it('is one of several who delete the account at once, and none of them fails but for what is gone', async () => {
    const { accountId } = await add();
    const outcomes = await given.awake(
      Promise.allSettled([1, 2, 3].map(() => removal.remove(ada, accountId, testOrigin))),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(NotFound);
    }
    expect([await removals(), await stored(accountId)]).toEqual([1, undefined]);
  });

  it('names who began a deletion, not who took it up', async () => {
    const { accountId } = await add();
    const session = '01890000-0000-7000-8000-00000000005e';
    const beginner = { ...testOrigin, actor: { kind: 'user', userId: ada, sessionId: session } } as const;
    await killed(given, { write: 0, when: 'after' }, () => removal.remove(ada, accountId, beginner));
    await remove(accountId);
    expect(await entries('config.account-removed')).toMatchObject([{ actor: { credentialId: session } }]);
  });

  it('is not made where the account goes with its user, whose deletion has its own', async () => {
    const { accountId } = await add();
    await given.awake(removal.removeAll(ada));
    expect([await removals(), await stored(accountId)]).toEqual([0, undefined]);
  });

  it('is not made for a change that is refused', async () => {
    const { accountId } = await add();
    await expect(book.change(ada, accountId, { version: 7, label: 'late' }, testOrigin)).rejects.toThrow(Conflict);
    expect(await entries('config.account-changed')).toEqual([]);
  });
});

describe('a change', () => {
  const isAppending = ({ name, keys }: { name: string; keys: readonly { pk: string }[] }) =>
    name === 'transact' && keys.some(({ pk }) => pk.startsWith('AUDIT#'));
  const meanwhile = () => new Accounts({ ...given.platform, table: given.store }, new VenueOfKeys());

  it('that can not be written down is not made', async () => {
    given.table.before = failing(isAppending);
    await expect(add(paper)).rejects.toThrow(Unavailable);
    given.table.before = () => {};
    expect(await accounts()).toEqual([]);
  });

  it('that comes second is a conflict as ever, though both append to the same trail', async () => {
    const { accountId } = await add(paper);
    given.table.once(isAppending, async () => {
      await meanwhile().change(ada, accountId, { label: 'first' }, testOrigin);
    });
    await expect(book.change(ada, accountId, { label: 'second' }, testOrigin)).rejects.toThrow(Conflict);
    expect([(await accounts())[0]?.label, await entries('config.account-changed')]).toEqual([
      'first',
      [expect.anything()],
    ]);
  });

  it('beyond the limit is told as such, though both append to the same trail', async () => {
    await add(paper);
    await given.store.update(accountCountKey(ada), { set: { accounts: ACCOUNTS_PER_USER_MAX - 1 } });
    given.table.once(isAppending, async () => {
      await meanwhile().add(ada, paper, testOrigin);
    });
    await expect(add(paper)).rejects.toThrow(LimitExceeded);
    expect(await entries('config.account-added')).toHaveLength(2);
  });

  it('of something else in the same trail does not keep it from being made', async () => {
    given.table.once(isAppending, async () => {
      await meanwhile().add(ada, paper, testOrigin);
    });
    await add(paper);
    expect([await accounts(), await entries('config.account-added')]).toMatchObject([{ length: 2 }, { length: 2 }]);
  });

  it('as large as it may be fits into one transaction with its entry', async () => {
    const balances = Object.fromEntries(Array.from({ length: 50 }, (_, number) => [`A${number}`, '1']));
    await add(NewAccount.parse({ ...paper, paper: { balances } }));
    expect(await entries('config.account-added')).toHaveLength(1);
  });
});
