import { beforeEach, describe, expect, it } from 'vitest';
import { createAccountSync } from '#functions/queue/account-sync';
import { queueEvent } from '#local/queue-event';
import type { SyncJob } from '#shared/accounts/sync/dispatch';
import { VenueError } from '#shared/exchange/errors';
import { spot } from '../../../support/account-venues.ts';
import { memoryAccount, owner } from '../../../support/memory-account.ts';
import { tradeAt } from '../../../support/memory-venue.ts';
import { testContext } from '../../../support/test-platform.ts';

let account: Awaited<ReturnType<typeof memoryAccount>>;
beforeEach(async () => {
  account = await memoryAccount();
});

/** A worker of a process of its own, with the next message. @returns its end */
const work = async (): Promise<{ readonly ended: Promise<unknown> }> => {
  const { given, venue } = account;
  const config = { ...given.platform.config, runtime: 'aws' as const };
  const worker = createAccountSync({ ...given.platform, config }, async () => venue);
  const queue = given.queue('account-sync');
  const [message] = await queue.receive(1, 65);
  if (message === undefined) throw new Error('There is no message');
  const handled = worker(queueEvent('account-sync', [message]), testContext);
  return {
    ended: handled.then(async ({ batchItemFailures }) => {
      if (batchItemFailures.length === 0) await queue.remove(message.receipt);
    }),
  };
};
const slow = (call: string, seconds: number) => {
  account.venue.before = async (made) => {
    if (made.startsWith(call)) await account.given.clock.sleep(seconds * 1000);
  };
};
const statuses = async () => Object.fromEntries((await account.shown()).map(({ step, status }) => [step, status]));

describe('the first sync', () => {
  it('shows each step with its data as soon as that is done', async () => {
    account.venue.held = [spot('BTC', '1')];
    slow('trades', 20);
    const { ended } = await work();
    await account.given.clock.advance(5_000);
    expect(await statuses()).toEqual({ balances: 'ok', positions: 'ok', orders: 'ok' });
    const { items, complete } = await account.records.balances(owner, account.accountId, { limit: 9 });
    expect({ items, complete }).toMatchObject({ items: [{ asset: 'BTC' }], complete: true });
    await account.given.awake(ended);
    expect(await statuses()).toMatchObject({ trades: 'ok', transfers: 'ok' });
  });

  it('shows a step that fails while the others go on, and has it retried in the end', async () => {
    slow('trades', 20);
    const { before } = account.venue;
    account.venue.before = async (call) => {
      if (call === 'positions') throw new VenueError('binance', 'retryable', 'binance is not available right now');
      await before(call);
    };
    const { ended } = await work();
    await account.given.clock.advance(5_000);
    expect(await statuses()).toMatchObject({ positions: 'failing' });
    await account.given.awake(ended);
    expect((await account.step('positions'))?.nextTryAt).not.toBeNull();
    account.venue.before = () => {};
    await account.pass(30);
    expect(await statuses()).toMatchObject({ positions: 'ok' });
  });

  it('goes on where it was killed, without reading again what was published', async () => {
    // So long a period does not end meanwhile.
    account = await memoryAccount(86_400);
    slow('trades', 20);
    const { before } = account.given.table;
    let isDead = false;
    account.given.table.before = () => {
      if (isDead) throw new Error('killed');
    };
    const { ended } = await work();
    await account.given.clock.advance(5_000);
    isDead = true;
    await account.given.awake(ended).catch(() => {});
    account.given.table.before = before;
    account.venue.before = () => {};
    account.venue.calls.length = 0;
    await account.given.clock.advance(66_000);
    await account.given.awake((await work()).ended);
    expect(await statuses()).toMatchObject({ trades: 'ok', transfers: 'ok' });
    expect(account.venue.calls).not.toContain('openOrders ');
  });
});

describe('while a sync is under way', () => {
  const request = () => account.accounts.syncNow(owner, account.accountId);
  const balancesRead = () => account.venue.calls.filter((call) => call === 'balances').length;

  it('a scheduled one of another process does not start beside the first', async () => {
    slow('balances', 20);
    const { ended: first } = await work();
    await account.given.clock.advance(1_000);
    const job: SyncJob = {
      userId: owner,
      accountId: account.accountId,
      dueAt: account.given.clock.now(),
      userRequested: false,
    };
    await account.given.queue('account-sync').send([{ body: JSON.stringify(job), delaySeconds: 0 }]);
    const { ended: second } = await work();
    await account.given.awake(Promise.all([first, second]));
    expect(balancesRead()).toBe(1);
  });

  it('one that the user requests follows it within seconds', async () => {
    slow('balances', 12);
    const { ended: first } = await work();
    await account.given.clock.advance(1_000);
    await request();
    const { ended: second } = await work();
    await account.given.awake(Promise.all([first, second]));
    expect(balancesRead()).toBe(1);
    slow('nothing', 0);
    await account.given.clock.advance(6_000);
    await account.given.awake((await work()).ended);
    expect(balancesRead()).toBe(2);
  });

  it('that is not the first and takes long, none starts beside it either', async () => {
    await account.given.settle();
    account.venue.calls.length = 0;
    account.venue.made = [tradeAt('1', 1)];
    slow('', 15);
    await request();
    const { ended: first } = await work();
    await account.given.clock.advance(16_000);
    await request();
    await account.given.awake((await work()).ended);
    await account.given.awake(first);
    expect(balancesRead()).toBe(1);
  });
});
