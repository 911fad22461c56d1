import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NewAccount } from '#shared/accounts/account';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts } from '#shared/accounts/accounts';
import { accountKey, recordsOf, type StoredAccount, type StoredBalance } from '#shared/accounts/stored';
import { AccountSync } from '#shared/accounts/sync/account-sync';
import { balancesStep } from '#shared/accounts/sync/balances';
import { Credentials } from '#shared/exchange/credentials';
import type { UserId } from '#shared/model/user-id';
import { DomainError, Unavailable } from '#shared/platform/errors';
import { spot, testKey, VenueOfKeys } from '../../../support/account-venues.ts';
import { MemoryVenue, walletsOf } from '../../../support/memory-venue.ts';
import { modelRuns, modelSeed } from '../../../support/model-runs.ts';
import { ObservedTable } from '../../../support/observed-table.ts';
import { testOrigin, testPlatform } from '../../../support/test-platform.ts';

const ada = 'ada' as UserId;
const timeoutSeconds = 20;

/** One worker's run: when it begins, how long the venue takes for its answers, how long the store does, and whether it is killed. */
const run = fc.record({
  afterMs: fc.oneof(fc.nat({ max: 3_000 }), fc.nat({ max: 20_000 })),
  venueMs: fc.oneof(fc.nat({ max: 3_000 }), fc.nat({ max: 15_000 })),
  storeMs: fc.oneof(fc.nat({ max: 5_000 }), fc.nat({ max: 60_000 })),
  /** The balance at the venue from then on; few values, so that it comes back to what it was. */
  total: fc.integer({ min: 1, max: 2 }),
  kill: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  /** Whether the due time is that of the run before: its message came again. */
  again: fc.boolean(),
  removes: fc.nat({ max: 15 }).map((chance) => chance === 0),
});

const given = async () => {
  const system = testPlatform({ market: { venues: ['binance'] } });
  const keys = new VenueOfKeys();
  keys.add();
  const book = new Accounts(system.platform, keys);
  const removal = new AccountRemoval(system.platform);
  const account = NewAccount.parse({ venue: 'binance', label: 'x', mode: 'live', credentials: testKey });
  const { accountId } = await system.awake(book.add(ada, account, testOrigin));
  // A deletion takes its time too.
  system.table.before = async ({ writes }) => {
    if (writes) await system.clock.sleep(4_000);
  };
  const stored = async () =>
    (await system.store.query<StoredBalance>(recordsOf('balance', ada, accountId))).items[0]?.total;
  return { ...system, removal, accountId, stored };
};

describe('workers at one account at the same time, slow and killed at random', () => {
  it('never replace what was seen by what was seen before it, and leave nothing of a deleted account', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 8 }), async (runs) => {
        const { platform, clock, store, removal, accountId, stored } = await given();
        const history: { at: number; total: number }[] = [];
        const totalAt = (at: number) => String(history.findLast((entry) => entry.at <= at)?.total);
        /** When that was seen which is stored, or recorded as seen. */
        let seenAt = 0;
        let dueAt = clock.now();
        const work: Promise<unknown>[] = [];

        for (const { afterMs, venueMs, storeMs, total, kill, again, removes } of runs) {
          await clock.advance(afterMs);
          history.push({ at: clock.now(), total });
          if (!again) dueAt = clock.now();
          if (removes) work.push(removal.remove(ada, accountId, testOrigin).catch(() => {}));
          let askedAt = Number.NaN;
          const venue = Object.assign(new MemoryVenue(), {
            balances: async () => {
              askedAt = clock.now();
              await clock.sleep(venueMs);
              return walletsOf([spot('BTC', totalAt(askedAt))]);
            },
          });
          const table = new ObservedTable(store);
          let writes = 0;
          let isDead = false;
          let statusAt: number | undefined;
          table.before = async (call) => {
            isDead ||= call.writes && writes++ === kill;
            if (isDead) throw new Unavailable('killed');
            // The time that a write takes is before it: what it was told to write may be old by then.
            if (call.name === 'update') await clock.sleep(storeMs);
            // A write that is begun ends within the time that a lease outlasts its sync.
            if (call.name === 'writeMany') await clock.sleep(Math.min(storeMs, 8_000));
            statusAt = (await store.get<StoredAccount>(accountKey(ada, accountId)))?.statusAt;
          };
          table.after = async ({ name }) => {
            const account = await store.get<StoredAccount>(accountKey(ada, accountId));
            if (name !== 'writeMany' && account?.statusAt === statusAt) return;
            expect(askedAt).toBeGreaterThanOrEqual(seenAt);
            seenAt = askedAt;
            expect(await stored()).toBe(totalAt(askedAt));
          };
          const worker = new AccountSync(
            { ...platform, table, config: { ...platform.config, soleWriterSince: 0 } },
            {
              steps: [balancesStep({ ...platform, table })],
              vault: { get: async () => new Credentials(testKey) },
              open: async () => venue,
              timeoutSeconds,
            },
          );
          const ended = worker.run({ userId: ada, accountId, dueAt, userRequested: false });
          work.push(
            ended.catch((error: unknown) => {
              if (!(error instanceof DomainError)) throw error;
            }),
          );
        }
        // All of it ends, and every lease with it.
        await clock.advance(600_000);
        await Promise.all(work);
        const account = await store.get<StoredAccount>(accountKey(ada, accountId));
        if (account === undefined) expect(await stored()).toBeUndefined();
      }),
      { numRuns: modelRuns(80), seed: modelSeed(20_261_123) },
    );
  });
});
