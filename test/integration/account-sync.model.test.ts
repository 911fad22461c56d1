import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountAtDouble } from '../support/account-at-double.ts';
import { owner } from '../support/account-system.ts';
import {
  AccountWorld,
  contractChange,
  healthySyncState,
  storedRecords,
  syncStateOf,
  venueChange,
} from '../support/account-world.ts';
import { modelRuns, modelSeed } from '../support/model-runs.ts';
import { testPlatform } from '../support/test-platform.ts';
import { startBinance } from '../support/venues/binance.ts';
import { startBybit } from '../support/venues/bybit.ts';

const runs = modelRuns(1);
const seed = modelSeed(20_261_125);
const key = { apiKey: 'modelkey'.padEnd(64, '0'), secret: 'modelsecret'.padEnd(64, '0') };

/** Bybit tells orders and trades of contracts together with those of spot. */
const changes = { binance: fc.oneof(venueChange, contractChange), bybit: venueChange };
const roundAt = (venue: keyof typeof changes) =>
  fc.record({
    changes: fc.array(changes[venue], { maxLength: 4 }),
    fault: fc.option(fc.constantFrom('refused', 'down', 'malformed', 'cut', 'skewed'), { nil: undefined, freq: 2 }),
    kill: fc.option(
      fc.record({ write: fc.nat({ max: 6 }), when: fc.constantFrom('before' as const, 'after' as const) }),
      { nil: undefined },
    ),
  });

describe.each(['binance', 'bybit'] as const)('an account at the double of %s, through ccxt', (venue) => {
  it('is stored as it is there once it is calm, whatever went wrong', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(roundAt(venue), { minLength: 1, maxLength: 5 }), async (rounds) => {
        const system = testPlatform({ market: { venues: ['sim'] } });
        const { clock, store } = system;
        const now = () => clock.now();
        const double = venue === 'binance' ? await startBinance({ now }) : await startBybit({ now });
        try {
          double.accounts.addKey({ ...key, permissions: ['read', 'trade', 'futures'] });
          const world = new AccountWorld(double.accounts, key.apiKey, now);
          if (venue === 'binance') world.openContracts();
          const { accountId, book, dispatch, work, through } = await accountAtDouble(system, venue, double.url, key);

          for (const { changes, fault, kill } of rounds) {
            for (const change of changes) world.apply(change);
            if (fault === 'refused') double.fail({ status: 429, headers: { 'retry-after': '20' }, body: {} });
            if (fault === 'down') double.fail({ status: 503, times: 2 });
            if (fault === 'malformed') double.malformed();
            if (fault === 'cut') double.drop();
            double.skew(fault === 'skewed' ? -15_000 : 0);
            await book.syncNow(owner, accountId);
            const worker = await work({ kill, again: false, pick: 0, storeMs: 0 });
            await through(worker?.ended);
            await clock.advance(30_000);
          }
          double.skew(0);
          for (let minute = 0; minute < 28; minute += 1) {
            await dispatch();
            await clock.advance(16_000);
            for (let worker = await work(); worker !== undefined; worker = await work()) await through(worker.ended);
            await clock.advance(44_000);
          }
          expect(await storedRecords(store, owner, accountId)).toEqual(world.listed());
          expect(await syncStateOf(store, owner, accountId)).toEqual(healthySyncState);
        } finally {
          await double.close();
        }
      }),
      { numRuns: runs, seed },
    );
  }, 600_000);
});
