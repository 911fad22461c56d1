import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConditionFailed } from '#shared/platform/errors';
import { type HeldLease, Lease, type LeaseAttributes } from '#shared/platform/lease';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import type { WriteCondition } from '#shared/platform/table';
import { VirtualClock } from '../../support/virtual-clock.ts';

const durationMs = 100;
const key = { pk: 'p', sk: 's' };

const layouts: LeaseAttributes[] = [
  { until: 'leaseUntil' },
  { since: 'leasedAt' },
  { until: 'leaseUntil', owner: 'leaseOwner' },
  { until: 'leaseUntil', since: 'leasedAt', owner: 'leaseOwner' },
];

const step = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2 * durationMs }) }),
  fc.record({ do: fc.constantFrom('acquire' as const, 'write' as const, 'release' as const), worker: fc.nat(2) }),
  fc.record({ do: fc.constant('restart' as const) }),
);

/** Who holds the lease as far as its protocol says. */
interface Model {
  readonly worker: number;
  readonly since: number;
}

const trial = fc.record({
  attributes: fc.constantFrom(...layouts),
  isSoleWriter: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
});

it('a lease has one holder, who writes until the next one acquires it', async () => {
  await fc.assert(
    fc.asyncProperty(trial, async ({ attributes, isSoleWriter, steps }) => {
      const database = openMemoryDatabase();
      const table = new SqliteTable(database, new VirtualClock());
      const lease = new Lease(attributes, durationMs);
      let [now, soleWriterSince, attempts] = [1_000, isSoleWriter ? 1_000 : 0, 0];
      let holder: Model | undefined;
      let held = new Map<number, HeldLease>();
      const isDone = async (changes: Parameters<typeof table.update>[1], condition: WriteCondition) => {
        try {
          await table.update(key, changes, condition);
          return true;
        } catch (error) {
          if (error instanceof ConditionFailed) return false;
          throw error;
        }
      };
      for (const next of steps) {
        if (next.do === 'wait') now += next.ms;
        else if (next.do === 'restart') {
          // A process does not start within the millisecond in which another one ended.
          now += 1;
          held = new Map();
          if (isSoleWriter) soleWriterSince = now;
        } else if (next.do === 'acquire') {
          attempts += 1;
          const isFree = holder === undefined || holder.since + durationMs <= now || holder.since < soleWriterSince;
          const lot = lease.acquired(now, `attempt ${attempts}`);
          expect(await isDone({ set: { kind: 'thing', ...lot.set } }, lease.isFree(now, soleWriterSince))).toBe(isFree);
          if (!isFree) continue;
          holder = { worker: next.worker, since: now };
          held.set(next.worker, lot);
        } else {
          const own = held.get(next.worker);
          if (own === undefined) continue;
          const isHolder = holder?.worker === next.worker && own.until === holder.since + durationMs;
          const changes = next.do === 'write' ? { add: { writes: 1 } } : lease.released;
          expect(await isDone(changes, own.isHeld)).toBe(isHolder);
          if (next.do === 'write') continue;
          held.delete(next.worker);
          if (isHolder) holder = undefined;
        }
      }
      database.close();
    }),
  );
});
