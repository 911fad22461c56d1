import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConcurrencySlots, type Slot, slotsPerVenue } from '#shared/exchange/budget/concurrency-slots';
import { VenueBudget } from '#shared/exchange/budget/venue-budget';
import { VenueSession } from '#shared/exchange/budget/venue-session';
import { failing } from '../../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../../support/test-platform.ts';

let system: TestPlatform;
let slots: ConcurrencySlots;
beforeEach(() => {
  system = testPlatform();
  slots = new ConcurrencySlots(system.platform, 'kraken');
});

describe('the concurrency slots of a venue', () => {
  it('are so many for all workers together', async () => {
    const others = new ConcurrencySlots(system.platform, 'kraken');
    const taken = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 ? slots : others).acquire()));
    expect(taken.filter((slot) => slot !== undefined)).toHaveLength(slotsPerVenue);
    await taken.find((slot) => slot !== undefined)?.release();
    expect(await others.acquire()).toBeDefined();
    expect(await slots.acquire()).toBeUndefined();
  });

  it('are those of one venue', async () => {
    for (let slot = 0; slot < slotsPerVenue; slot++) await slots.acquire();
    expect(await new ConcurrencySlots(system.platform, 'bybit').acquire()).toBeDefined();
  });

  it('are never taken twice, whoever leaves when, also after their time', async () => {
    const event = fc.oneof(
      fc.record({ does: fc.constant('take' as const) }),
      fc.record({ does: fc.constant('leave' as const), which: fc.nat({ max: 20 }) }),
      fc.record({ does: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 60 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const one = testPlatform();
        const all: { readonly slot: Slot; readonly at: number; left: boolean }[] = [];
        const held = () => all.filter(({ at, left }) => !left && one.clock.now() < at + 75_000).length;
        for (const next of events) {
          const before = held();
          if (next.does === 'pass') await one.clock.advance(next.seconds * 1000);
          if (next.does === 'take') {
            const slot = await new ConcurrencySlots(one.platform, 'kraken').acquire();
            expect(slot !== undefined).toBe(before < slotsPerVenue);
            if (slot !== undefined) all.push({ slot, at: one.clock.now(), left: false });
          }
          if (next.does === 'leave') {
            const left = all[next.which];
            // Leaving late, or twice, takes no other slot away.
            await left?.slot.release();
            if (left !== undefined) left.left = true;
          }
          expect(held()).toBeLessThanOrEqual(slotsPerVenue);
        }
      }),
    );
  });
});

describe('sessions at a venue', () => {
  const charge = { pool: 'all', ms: 100, depthMs: 2000 };
  let budget: VenueBudget;
  const session = (worker = budget) => new VenueSession(system.platform, worker, slots);
  const outcome = (call: Promise<unknown>): Promise<unknown> =>
    system.awake(
      call.then(
        () => 'let go',
        (error: unknown) => error,
      ),
    );
  const rateLimited = expect.objectContaining({ failure: 'rate-limited', retryAfterMs: 5000 });
  const slotsKey = () => system.store.get({ pk: 'VENUE#kraken', sk: 'SEATS#DEFAULT' });

  beforeEach(() => {
    budget = new VenueBudget(system.platform, 'kraken', 'accounts');
  });
  /** Has somebody wait for more than the bucket holds. */
  const crowd = async () => {
    await system.awake(budget.take({ ...charge, ms: 1500 }));
    await system.awake(budget.take({ ...charge, ms: 1000 }));
  };

  it('need no slot while there is room', async () => {
    for (let time = 0; time < 5; time++) expect(await outcome(session().take(charge))).toBe('let go');
    expect(await slotsKey()).toBeUndefined();
  });

  it('need one when calls have to wait; those without are sent away at once, in every worker', async () => {
    await crowd();
    const holders = Array.from({ length: slotsPerVenue }, () => session());
    for (const one of holders) expect(await outcome(one.take({ ...charge, ms: 1 }))).toBe('let go');
    const startedAt = system.clock.now();
    expect(await outcome(session().take(charge))).toEqual(rateLimited);
    const elsewhere = new VenueBudget(system.platform, 'kraken', 'accounts');
    expect(await outcome(session(elsewhere).take(charge))).toEqual(rateLimited);
    expect(system.clock.now()).toBe(startedAt);
    await holders[0]?.end();
    expect(await outcome(session().take({ ...charge, ms: 1 }))).toBe('let go');
  });

  it('keep their slot until they end, and then release one only', async () => {
    await crowd();
    const one = session();
    for (let time = 0; time < 3; time++) await outcome(one.take({ ...charge, ms: 1 }));
    expect(Object.keys((await slotsKey()) ?? {}).filter((name) => name.startsWith('seat_'))).toHaveLength(1);
    await one.end();
    expect(Object.keys((await slotsKey()) ?? {}).filter((name) => name.startsWith('seat_'))).toEqual([]);
  });

  it('need one when the venue is slow to answer', async () => {
    for (let slot = 0; slot < slotsPerVenue; slot++) await slots.acquire();
    expect(await outcome(session().take(charge))).toBe('let go');
    await session().reportSlowness();
    expect(await outcome(session().take(charge))).toEqual(rateLimited);
    await system.clock.advance(30_000);
    expect(await outcome(session().take(charge))).toBe('let go');
  });

  it('leave what a person waits for, and prices, alone', async () => {
    await crowd();
    for (let slot = 0; slot < slotsPerVenue; slot++) await slots.acquire();
    expect(await outcome(budget.take(charge))).toBe('let go');
    expect(await outcome(new VenueBudget(system.platform, 'kraken', 'prices').take(charge))).toBe('let go');
  });

  it('get a slot when the table answers again that did not', async () => {
    await crowd();
    const one = session();
    system.table.before = failing(({ keys }) => keys.some(({ sk }) => sk.startsWith('SEATS')));
    expect(await outcome(one.take({ ...charge, ms: 1 }))).toMatchObject({ code: 'unavailable' });
    system.table.before = () => {};
    expect(await outcome(one.take({ ...charge, ms: 1 }))).toBe('let go');
    await one.end();
  });

  it('get a slot that a wrong clock took for years', async () => {
    const others = new ConcurrencySlots(system.platform, 'kraken');
    await others.acquire();
    const key = { pk: 'VENUE#kraken', sk: 'SEATS#DEFAULT' };
    const years = system.clock.now() + 10 * 365 * 86_400_000;
    const set = Object.fromEntries(Array.from({ length: slotsPerVenue }, (_, slot) => [`seat_${slot}`, years]));
    await system.table.update(key, { set });
    expect(await slots.acquire()).toBeDefined();
  });

  it('end well when the table fails', async () => {
    await crowd();
    const one = session();
    await outcome(one.take({ ...charge, ms: 1 }));
    system.table.before = failing(({ name }) => name === 'update');
    await expect(one.end()).resolves.toBeUndefined();
  });
});
