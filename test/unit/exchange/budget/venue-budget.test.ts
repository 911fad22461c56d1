import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { budgetKey, openUntilOf } from '#shared/exchange/budget/stored-budget';
import { tokenLeaseMs } from '#shared/exchange/budget/token-lease';
import { type Permit, VenueBudget } from '#shared/exchange/budget/venue-budget';
import { VenueError } from '#shared/exchange/errors';
import { failing } from '../../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../../support/test-platform.ts';

const depthMs = 20_000;
const charge = (ms: number, pool = 'api') => ({ pool, ms, depthMs });

let system: TestPlatform;
let accounts: VenueBudget;
let others: VenueBudget;
let prices: VenueBudget;
beforeEach(() => {
  system = testPlatform();
  accounts = new VenueBudget(system.platform, 'binance', 'accounts');
  others = new VenueBudget(system.platform, 'binance', 'accounts');
  prices = new VenueBudget(system.platform, 'binance', 'prices');
});

const take = (budget: VenueBudget, ms = 100, pool?: string): Promise<Permit> =>
  system.awake(budget.take(charge(ms, pool)));
/** What a call that is refused says about when to come back, ms; the call was not let go. */
const refusal = async (call: Promise<unknown>): Promise<number | undefined> => {
  const error: unknown = await call.then(
    () => 'it was let go',
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ failure: 'rate-limited' });
  return error instanceof VenueError ? error.retryAfterMs : undefined;
};
const isLetGo = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  );
const calls = () => system.table.calls.length;

describe('the budget of a venue', () => {
  it('is one for all workers', async () => {
    await take(accounts, 15_000);
    const startedAt = system.clock.now();
    await take(others, 4000);
    expect(system.clock.now() - startedAt).toBeGreaterThanOrEqual(4000);
  });

  it('refuses at once what would have to wait too long, and says for how long', async () => {
    await take(accounts, 15_000);
    await take(others, 10);
    const startedAt = system.clock.now();
    expect(await refusal(others.take(charge(14_000)))).toBeGreaterThan(10_000);
    expect(system.clock.now()).toBe(startedAt);
  });

  it('asks the table nothing for what it knows to be too much', async () => {
    await take(accounts, 15_000);
    const before = calls();
    await refusal(accounts.take(charge(14_000)));
    expect(calls()).toBe(before);
  });

  it('leaves something to prices when accounts have taken all they may', async () => {
    await take(accounts, 15_000);
    const startedAt = system.clock.now();
    await take(prices, 4000);
    expect(system.clock.now()).toBe(startedAt);
  });

  it('counts the limits of a venue one by one', async () => {
    await take(accounts, 15_000, 'api');
    const startedAt = system.clock.now();
    await take(others, 15_000, 'earn');
    expect(system.clock.now()).toBe(startedAt);
  });

  it('never lets workers have more together than the bucket, what flows in and what each holds', async () => {
    const steps = fc.array(
      fc.record({ worker: fc.nat(2), ms: fc.integer({ min: 1, max: 3000 }), afterMs: fc.nat(2000) }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const one = testPlatform();
        const purposes = ['accounts', 'accounts', 'prices'] as const;
        const workers = purposes.map((purpose) => new VenueBudget(one.platform, 'binance', purpose));
        const startedAt = one.clock.now();
        let granted = 0;
        const made = sequence.map(async ({ worker, ms }, index) => {
          for (let step = 0; step < index; step++) await one.clock.sleep(sequence[step]?.afterMs ?? 0);
          if (!(await isLetGo(workers[worker]?.take(charge(ms)) ?? Promise.reject()))) return;
          granted += ms;
          expect(granted).toBeLessThanOrEqual(depthMs + one.clock.now() - startedAt);
        });
        await one.awake(Promise.all(made));
      }),
      { numRuns: 15 },
    );
  });

  it('writes once for the calls of a sync, once it knows their number', async () => {
    const sync = async () => {
      for (const pool of ['api', 'sapi', 'api', 'earn', 'api']) await take(accounts, 50, pool);
      await system.clock.advance(60_000);
    };
    await sync();
    await sync();
    const before = calls();
    await sync();
    await sync();
    expect(calls() - before).toBe(2);
  });

  it('takes no more in advance than leaves something to the other workers', async () => {
    await take(accounts, 7000);
    await take(accounts, 7000);
    const startedAt = system.clock.now();
    await take(others, 800);
    expect(system.clock.now()).toBe(startedAt);
  });

  it('lets accounts wait, and then prices too, when others use up what the venue allows', async () => {
    await take(accounts);
    const until = system.clock.now() + 60_000;
    await accounts.reportUsage('api', 0.9, until);
    expect(await refusal(accounts.take(charge(100)))).toBeGreaterThan(59_000);
    expect(await isLetGo(take(prices))).toBe(true);
    await accounts.reportUsage('api', 0.97, until);
    expect(await refusal(prices.take(charge(100)))).toBeGreaterThan(59_000);
    // Another limit of the venue is not concerned.
    expect(await isLetGo(take(accounts, 100, 'earn'))).toBe(true);
  });

  it('says when the table fails, and goes on when it answers again', async () => {
    system.table.before = failing(({ name }) => name === 'update');
    await expect(accounts.take(charge(100))).rejects.toMatchObject({ code: 'unavailable' });
    system.table.before = () => {};
    expect(await isLetGo(take(accounts))).toBe(true);
  });
});

describe('a venue that was asked too often', () => {
  it('is left alone by all workers for as long as it said', async () => {
    await take(others);
    await (await take(accounts)).refused(120_000);
    expect(await refusal(accounts.take(charge(100)))).toBe(120_000);
    await system.clock.advance(tokenLeaseMs);
    expect(await refusal(others.take(charge(100)))).toBe(120_000 - tokenLeaseMs);
    expect(await refusal(prices.take(charge(100)))).toBe(120_000 - tokenLeaseMs);
    expect(await openUntilOf(system.table, 'binance')).toBe(system.clock.now() + 120_000 - tokenLeaseMs);
  });

  it('is then tried by one worker alone, and asked by all when that one got an answer', async () => {
    await (await take(accounts)).refused(1000);
    await refusal(prices.take(charge(1)));
    await system.clock.advance(1000);
    const tried = await Promise.allSettled([accounts, others, prices].map((budget) => budget.take(charge(100))));
    const permits = tried.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    expect(permits).toHaveLength(1);
    await permits[0]?.answered();
    await system.clock.advance(15_000);
    for (const budget of [accounts, others, prices]) expect(await isLetGo(take(budget))).toBe(true);
    expect(await openUntilOf(system.table, 'binance')).toBeUndefined();
  });

  it('is left alone ever longer when it goes on refusing and does not say how long', async () => {
    const waits: (number | undefined)[] = [];
    for (let time = 0; time < 9; time++) {
      await (await take(accounts)).refused(undefined);
      const waitMs = await refusal(accounts.take(charge(1)));
      waits.push(waitMs);
      await system.clock.advance(waitMs ?? 0);
    }
    expect(waits.map((ms = 0) => ms / 1000)).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
  });

  it('is tried by another worker when the one that tried it got no answer', async () => {
    await (await take(accounts)).refused(1000);
    await system.clock.advance(1000);
    await take(accounts);
    expect(await refusal(others.take(charge(1)))).toBeGreaterThan(1000);
    await system.clock.advance(15_000);
    expect(await isLetGo(take(others))).toBe(true);
  });

  it('is not asked again because of an answer to what was asked before', async () => {
    const before = await take(others);
    await (await take(accounts)).refused(60_000);
    await before.answered();
    expect(await refusal(accounts.take(charge(1)))).toBe(60_000);
  });

  it('counts refusals at the same time as one', async () => {
    const permits = [await take(accounts), await take(others), await take(prices)];
    await Promise.all(permits.map((permit) => permit.refused(undefined)));
    expect(await refusal(accounts.take(charge(1)))).toBe(30_000);
  });

  it('begins with a short time again after it was quiet for long', async () => {
    await (await take(accounts)).refused(undefined);
    await system.clock.advance(30_000);
    await (await take(accounts)).answered();
    await system.clock.advance(10 * 60_000);
    await (await take(accounts)).refused(undefined);
    expect(await refusal(accounts.take(charge(1)))).toBe(30_000);
  });

  it('is asked again some day, whatever it said', async () => {
    await (await take(accounts)).refused(1e12);
    expect(await refusal(accounts.take(charge(1)))).toBe(3 * 24 * 3_600_000);
  });
});

describe('prices that are polled faster than the venue allows', () => {
  /** Kraken's public calls: one a second, of which 60 % are ours, and two of them at once. */
  const krakenCall = { pool: 'all', ms: 1667, depthMs: 3334 };
  const durationSeconds = 120;

  /** Polls each second, however long a poll waits. @returns the seconds at which one was let go */
  const poll = async (until: number): Promise<number[]> => {
    const { clock } = system;
    const polled: number[] = [];
    while (clock.now() < until) {
      const startedAt = clock.now();
      if (await isLetGo(prices.take(krakenCall))) polled.push(clock.now());
      await clock.sleep(Math.max(0, startedAt + 1000 - clock.now()));
    }
    return polled;
  };

  it('leave half of it to accounts, and still go on', async () => {
    const { clock } = system;
    const until = clock.now() + durationSeconds * 1000;
    const sync = async () => {
      let letGo = 0;
      while (clock.now() < until) {
        if (await isLetGo(accounts.take(krakenCall))) letGo += 1;
        else await clock.sleep(5000);
      }
      return letGo;
    };
    const [polled, synced] = await system.awake(Promise.all([poll(until), sync()]));
    const fair = (durationSeconds * 1000) / krakenCall.ms / 2;
    expect(synced).toBeGreaterThan(0.6 * fair);
    const gaps = polled.slice(1).map((at, index) => at - (polled[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(15_000);
  });

  it('have all of it that nobody else wants', async () => {
    const { clock } = system;
    const polled = await system.awake(poll(clock.now() + durationSeconds * 1000));
    expect(polled.length).toBeGreaterThan(0.8 * ((durationSeconds * 1000) / krakenCall.ms));
  });
});

describe('times that a wrong clock stored', () => {
  const yearMs = 365 * 86_400_000;
  const store = (times: Record<string, number>) =>
    system.table.update(budgetKey('binance'), { set: { kind: 'venue-budget', venue: 'binance', ...times } });

  it.each([
    ['of a full bucket', 'full_api'],
    ['of a hold', 'held_accounts_api'],
    ['of an open circuit', 'openUntil'],
    ['of a congested venue', 'congestedUntil'],
  ])('%s do not hold up a venue', async (_, path) => {
    await store({ [path]: system.clock.now() + yearMs });
    const startedAt = system.clock.now();
    const slots = { hasSlot: false, acquireSlot: async () => false };
    await system.awake(accounts.take(charge(100), slots));
    expect(system.clock.now() - startedAt).toBeLessThan(10_000);
  });

  it('of a full bucket are replaced, for all workers', async () => {
    await store({ full_api: system.clock.now() + yearMs });
    await take(accounts, 15_000);
    const startedAt = system.clock.now();
    await take(others, 4000);
    expect(system.clock.now() - startedAt).toBeGreaterThanOrEqual(4000);
  });

  it('of a probe do not keep the circuit open', async () => {
    await store({ openUntil: system.clock.now() - 1, probeUntil: system.clock.now() + yearMs });
    const permit = await take(accounts);
    await permit.answered();
    expect(await openUntilOf(system.table, 'binance')).toBeUndefined();
  });
});
