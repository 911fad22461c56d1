import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NewAccount } from '#shared/accounts/account';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, type StoredAccount, type StoredSchedule, scheduleKey } from '#shared/accounts/stored';
import { AccountSync } from '#shared/accounts/sync/account-sync';
import { Dispatcher, SyncJob } from '#shared/accounts/sync/dispatch';
import type { SyncStep } from '#shared/accounts/sync/steps';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import { testKey, VenueOfKeys } from '../../../support/account-venues.ts';
import { modelRuns, modelSeed } from '../../../support/model-runs.ts';
import { testOrigin, testPlatform } from '../../../support/test-platform.ts';

const periodMs = 60_000;
const timeoutSeconds = 20;

/** What happens to the system: the dispatcher runs, a worker takes a message, time passes; `kill` ends one at a call of the table. */
const event = fc.oneof(
  fc.record({ does: fc.constant('dispatch' as const), kill: fc.option(fc.nat({ max: 20 }), { nil: undefined }) }),
  fc.record({
    does: fc.constant('work' as const),
    kill: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
    /** The message comes again although it was handled. */
    again: fc.boolean(),
  }),
  fc.record({ does: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 100 }) }),
);

describe('dispatching and synchronising, killed and repeated at random', () => {
  it('makes every due sync, and none that is known to be made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (events, accounts) => {
        const given = testPlatform();
        const { clock, platform, table } = given;
        const venue = new VenueOfKeys();
        venue.add();
        const book = new Accounts(platform, venue);
        const owners = Array.from({ length: accounts }, (_, number) => `user-${number}` as UserId);
        const made = await Promise.all(
          owners.map(async (userId) => {
            const account = NewAccount.parse({ venue: 'binance', label: 'x', mode: 'live', credentials: testKey });
            return { userId, accountId: (await given.awake(book.add(userId, account, testOrigin))).accountId };
          }),
        );
        /** The latest due time that was served by a run which ended, by account. */
        const served = new Map<string, number>();
        let running: string | undefined;
        const step: SyncStep = {
          name: 'balances',
          run: async ({ account }) => {
            running = account.accountId;
            return { items: 1 };
          },
        };
        const worker = new AccountSync(
          { ...platform, config: { ...platform.config, soleWriterSince: 0 } },
          { steps: [step], vault: { get: async () => undefined }, open: venue.open, timeoutSeconds },
        );
        const queue = given.queue('account-sync');
        const sent = new Set<string>();
        let mayDie = () => {};
        const refuse = async () => {
          throw new Error('The dispatcher only sends');
        };
        const dispatcher = new Dispatcher({
          ...platform,
          queue: () => ({
            ...{ receive: refuse, remove: refuse, release: refuse, depth: refuse },
            send: async (messages) => {
              mayDie();
              await queue.send(messages);
              for (const { body } of messages) {
                const { accountId, dueAt } = SyncJob.parse(JSON.parse(body));
                sent.add(`${accountId} ${dueAt}`);
              }
            },
          }),
        });
        const dueTimes = async () =>
          await Promise.all(
            made.map(async ({ userId, accountId }) => {
              const schedule = await given.store.get<StoredSchedule>(scheduleKey(userId, accountId));
              return { accountId, dueAt: schedule?.dueAt ?? 0 };
            }),
          );
        /** However the dispatcher ends, no time that was moved on went without its order. */
        const dispatch = async (kill: number | undefined) => {
          const before = await dueTimes();
          await killedAt(kill, () => dispatcher.run());
          for (const [position, { accountId, dueAt }] of (await dueTimes()).entries()) {
            const due = before[position]?.dueAt ?? 0;
            if (dueAt !== due) expect(sent).toContain(`${accountId} ${due}`);
          }
        };

        const killedAt = async (call: number | undefined, run: () => Promise<unknown>) => {
          let calls = 0;
          let isDead = false;
          mayDie = () => {
            // A process that ended does nothing more, neither this nor what it would do to clean up.
            isDead ||= calls++ === call;
            if (isDead) throw new Unavailable('killed');
          };
          table.before = mayDie;
          try {
            await given.awake(run());
            return true;
          } catch {
            return false;
          } finally {
            table.before = () => {};
            mayDie = () => {};
          }
        };
        const work = async (kill: number | undefined, again: boolean) => {
          const [message] = await queue.receive(1, 30);
          if (message === undefined) return false;
          const order = SyncJob.parse(JSON.parse(message.body));
          const key = accountKey(order.userId as UserId, order.accountId);
          const known = (await given.store.get<StoredAccount>(key))?.servedDueAt;
          running = undefined;
          const hasEnded = await killedAt(kill, () => worker.run(order));
          if (running !== undefined) expect(order.dueAt).toBeGreaterThan(known ?? Number.NaN);
          if (hasEnded) served.set(order.accountId, Math.max(served.get(order.accountId) ?? 0, order.dueAt));
          if (hasEnded && !again) await queue.remove(message.receipt);
          else await queue.release(message.receipt, 1);
          return true;
        };

        for (const happens of events) {
          if (happens.does === 'dispatch') await dispatch(happens.kill);
          else if (happens.does === 'work') await work(happens.kill, happens.again);
          else await clock.advance(happens.seconds * 1000);
        }
        // Then it is calm: the time of every lease passes, and all messages are worked off.
        const calmAt = clock.now();
        for (let round = 0; round < 14; round += 1) {
          await dispatcher.run();
          while (await work(undefined, false));
          await clock.advance(15_000);
        }
        for (const { userId, accountId } of made) {
          const account = await given.store.get<StoredAccount>(accountKey(userId, accountId));
          const schedule = await given.store.get<StoredSchedule>(scheduleKey(userId, accountId));
          // The status may be a minute old.
          expect(account?.servedDueAt).toBeGreaterThan(calmAt - 2 * periodMs);
          expect(served.get(accountId)).toBeGreaterThan(calmAt - periodMs);
          expect(account?.leaseOwner).toBeUndefined();
          expect(schedule?.dueAt).toBeGreaterThan(calmAt);
        }
      }),
      { numRuns: modelRuns(50), seed: modelSeed(20_261_122) },
    );
  });
});
