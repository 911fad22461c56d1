import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConcurrencySlots, type Slot, slotsPerVenue } from '#shared/exchange/budget/concurrency-slots';
import { VenueBudget } from '#shared/exchange/budget/venue-budget';
import { VenueSession } from '#shared/exchange/budget/venue-session';
import { failing } from '../../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../../support/test-platform.ts';

let system: TestPlatform;
let seats: ConcurrencySlots;
beforeEach(() => {
  system = testPlatform();
  seats = new ConcurrencySlots(system.platform, 'kraken');
});

describe('the seats of a venue', () => {
  it('are so many for all workers together', async () => {
    const others = new ConcurrencySlots(system.platform, 'kraken');
    const taken = await Promise.all(Array.from({ length: 10 }, (_, index) => (index % 2 ? seats : others).acquire()));
    expect(taken.filter((seat) => seat !== undefined)).toHaveLength(slotsPerVenue);
    await taken.find((seat) => seat !== undefined)?.release();
    expect(await others.acquire()).toBeDefined();
    expect(await seats.acquire()).toBeUndefined();
  });

  it('are those of one venue', async () => {
    for (let seat = 0; seat < slotsPerVenue; seat++) await seats.acquire();
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
        const all: { readonly seat: Slot; readonly at: number; left: boolean }[] = [];
        const held = () => all.filter(({ at, left }) => !left && one.clock.now() < at + 75_000).length;
        for (const next of events) {
          const before = held();
          if (next.does === 'pass') await one.clock.advance(next.seconds * 1000);
          if (next.does === 'take') {
            const seat = await new ConcurrencySlots(one.platform, 'kraken').acquire();
            expect(seat !== undefined).toBe(before < slotsPerVenue);
            if (seat !== undefined) all.push({ seat, at: one.clock.now(), left: false });
          }
          if (next.does === 'leave') {
            const left = all[next.which];
            // Leaving late, or twice, takes nobody else's seat away.
            await left?.seat.release();
            if (left !== undefined) left.left = true;
          }
          expect(held()).toBeLessThanOrEqual(slotsPerVenue);
        }
      }),
    );
  });
});

describe('visits of a venue', () => {
  const charge = { pool: 'all', ms: 100, depthMs: 2000 };
  let budget: VenueBudget;
  const visit = (worker = budget) => new VenueSession(system.platform, worker, seats);
  const outcome = (call: Promise<unknown>): Promise<unknown> =>
    system.awake(
      call.then(
        () => 'let go',
        (error: unknown) => error,
      ),
    );
  const rateLimited = expect.objectContaining({ failure: 'rate-limited', retryAfterMs: 5000 });
  const seatsKey = () => system.store.get({ pk: 'VENUE#kraken', sk: 'SEATS#DEFAULT' });

  beforeEach(() => {
    budget = new VenueBudget(system.platform, 'kraken', 'accounts');
  });
  /** Has somebody wait for more than the bucket holds. */
  const crowd = async () => {
    await system.awake(budget.take({ ...charge, ms: 1500 }));
    await system.awake(budget.take({ ...charge, ms: 1000 }));
  };

  it('need no seat while there is room', async () => {
    for (let time = 0; time < 5; time++) expect(await outcome(visit().take(charge))).toBe('let go');
    expect(await seatsKey()).toBeUndefined();
  });

  it('need one when calls have to wait; those without are sent away at once, in every worker', async () => {
    await crowd();
    const seated = Array.from({ length: slotsPerVenue }, () => visit());
    for (const one of seated) expect(await outcome(one.take({ ...charge, ms: 1 }))).toBe('let go');
    const startedAt = system.clock.now();
    expect(await outcome(visit().take(charge))).toEqual(rateLimited);
    const elsewhere = new VenueBudget(system.platform, 'kraken', 'accounts');
    expect(await outcome(visit(elsewhere).take(charge))).toEqual(rateLimited);
    expect(system.clock.now()).toBe(startedAt);
    await seated[0]?.end();
    expect(await outcome(visit().take({ ...charge, ms: 1 }))).toBe('let go');
  });

  it('keep their seat until they end, and then leave one only', async () => {
    await crowd();
    const one = visit();
    for (let time = 0; time < 3; time++) await outcome(one.take({ ...charge, ms: 1 }));
    expect(Object.keys((await seatsKey()) ?? {}).filter((name) => name.startsWith('seat_'))).toHaveLength(1);
    await one.end();
    expect(Object.keys((await seatsKey()) ?? {}).filter((name) => name.startsWith('seat_'))).toEqual([]);
  });

  it('need one when the venue is slow to answer', async () => {
    for (let seat = 0; seat < slotsPerVenue; seat++) await seats.acquire();
    expect(await outcome(visit().take(charge))).toBe('let go');
    await visit().reportSlowness();
    expect(await outcome(visit().take(charge))).toEqual(rateLimited);
    await system.clock.advance(30_000);
    expect(await outcome(visit().take(charge))).toBe('let go');
  });

  it('leave what a person waits for, and prices, alone', async () => {
    await crowd();
    for (let seat = 0; seat < slotsPerVenue; seat++) await seats.acquire();
    expect(await outcome(budget.take(charge))).toBe('let go');
    expect(await outcome(new VenueBudget(system.platform, 'kraken', 'prices').take(charge))).toBe('let go');
  });

  it('get a seat when the table answers again that did not', async () => {
    await crowd();
    const one = visit();
    system.table.before = failing(({ keys }) => keys.some(({ sk }) => sk.startsWith('SEATS')));
    expect(await outcome(one.take({ ...charge, ms: 1 }))).toMatchObject({ code: 'unavailable' });
    system.table.before = () => {};
    expect(await outcome(one.take({ ...charge, ms: 1 }))).toBe('let go');
    await one.end();
  });

  it('end well when the table fails', async () => {
    await crowd();
    const one = visit();
    await outcome(one.take({ ...charge, ms: 1 }));
    system.table.before = failing(({ name }) => name === 'update');
    await expect(one.end()).resolves.toBeUndefined();
  });
});
