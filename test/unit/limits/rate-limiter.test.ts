import { Logger } from '@aws-lambda-powertools/logger';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { PARTITIONS_MAX, type Partition, pendingAllowance, RateLimiter } from '#shared/limits/rate-limiter';
import { Unavailable } from '#shared/platform/errors';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { failing, ObservedTable } from '../../support/observed-table.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const logger = new Logger({ logLevel: 'SILENT' });
const ada: Partition = ['USER', 'ada'];
const route = 'GET /api/market/prices';

let clock: VirtualClock;
let table: ObservedTable;
beforeEach(() => {
  clock = new VirtualClock();
  table = new ObservedTable(new SqliteTable(openMemoryDatabase(), clock));
});

const instance = () => new RateLimiter({ table, clock, logger });
/** How many of so many requests are served. */
const served = async (limiter: RateLimiter, requests: number, limit: number, who = ada): Promise<number> => {
  let allowed = 0;
  for (let sent = 0; sent < requests; sent++) if ((await limiter.take(who, route, limit)).isAllowed) allowed += 1;
  return allowed;
};

describe('one instance', () => {
  it.each([1, 10, 39, 40, 60, 300])('serves %i requests of a minute and no more', async (limit) => {
    expect(await served(instance(), limit * 2, limit)).toBe(limit);
  });

  it('serves no more when they all come at once', async () => {
    const limiter = instance();
    const standings = await Promise.all(Array.from({ length: 200 }, () => limiter.take(ada, route, 60)));
    expect(standings.filter(({ isAllowed }) => isAllowed)).toHaveLength(60);
  });

  it('serves again from the next minute on', async () => {
    const limiter = instance();
    await served(limiter, 30, 20);
    await clock.advance(60_000);
    expect(await served(limiter, 30, 20)).toBe(20);
  });

  it('tells how it stands', async () => {
    await clock.advance(45_500);
    const limiter = instance();
    expect(await limiter.take(ada, route, 2)).toEqual({ isAllowed: true, limit: 2, remaining: 1, resetSeconds: 15 });
    await limiter.take(ada, route, 2);
    expect(await limiter.take(ada, route, 2)).toEqual({ isAllowed: false, limit: 2, remaining: 0, resetSeconds: 15 });
  });

  it('counts users, networks and routes apart', async () => {
    const limiter = instance();
    await served(limiter, 5, 5);
    expect(await served(limiter, 5, 5, ['USER', 'eve'])).toBe(5);
    expect(await served(limiter, 5, 5, ['ADDRESS', 'ada'])).toBe(5);
    expect((await limiter.take(ada, 'GET /health', 5)).isAllowed).toBe(true);
  });
});

describe('the table', () => {
  it('is not touched by whoever stays below a twentieth of the limit', async () => {
    await served(instance(), pendingAllowance(120), 120);
    expect(table.calls).toEqual([]);
  });

  it('is written at most 40 times by an instance, however many requests come', async () => {
    await served(instance(), 5000, 600);
    expect(table.calls.length).toBeLessThanOrEqual(40);
  });

  it('is not touched by requests that are refused', async () => {
    const limiter = instance();
    await served(limiter, 10, 10);
    table.calls.length = 0;
    await served(limiter, 100, 10);
    expect(table.calls).toEqual([]);
  });

  it('takes one update for one request at most', async () => {
    const limiter = instance();
    for (let sent = 0; sent < 300; sent++) {
      table.calls.length = 0;
      await limiter.take(ada, route, 60);
      expect(table.calls.length).toBeLessThanOrEqual(1);
    }
  });

  it('forgets counts after their minute', async () => {
    await served(instance(), 1, 1);
    const [stored] = table.calls.flatMap(({ keys }) => keys);
    expect(stored?.pk).toBe('LIMIT#USER#ada');
    const item = stored && (await table.get(stored));
    expect(item?.expiresAt).toBe(clock.now() / 1000 + 120);
  });
});

describe('several instances', () => {
  it('together keep a limit below 40 to the request', async () => {
    const instances = Array.from({ length: 7 }, instance);
    const counts = await Promise.all(instances.map((limiter) => served(limiter, 39, 39)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(39);
  });

  it('together serve at least the limit and at most a fortieth of it more for each further instance', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.nat(7), { minLength: 900, maxLength: 1200 }),
        async (limit, turns) => {
          await clock.advance(60_000);
          const instances = Array.from({ length: 8 }, instance);
          let allowed = 0;
          for (const turn of turns) if ((await instances[turn]?.take(ada, route, limit))?.isAllowed) allowed += 1;
          expect(allowed).toBeGreaterThanOrEqual(limit);
          expect(allowed).toBeLessThanOrEqual(limit + 7 * pendingAllowance(limit));
        },
      ),
      { numRuns: 20, seed: 20_261_123 },
    );
  });

  it('reach that bound and no more when one uses the limit up and each other one serves what it need not tell', async () => {
    const [limit, others] = [300, 5];
    expect(await served(instance(), 1000, limit)).toBe(300);
    let more = 0;
    for (let index = 0; index < others; index++) more += await served(instance(), 1000, limit);
    expect(more).toBe(others * 7);
  });

  it('go on where one ended', async () => {
    await served(instance(), 10, 10);
    expect(await served(instance(), 1, 10)).toBe(0);
  });
});

describe('a table that does not answer', () => {
  beforeEach(() => {
    table.before = failing(() => true);
  });

  it('closes what has to be exact, such as logging in', async () => {
    await expect(instance().take(['ADDRESS', '192.0.2.1'], 'POST /api/user/login', 10)).rejects.toThrow(Unavailable);
  });

  it('leaves the rest open, within the limit of each instance', async () => {
    expect(await served(instance(), 1000, 120)).toBe(120);
  });

  it('is not asked by every request', async () => {
    await served(instance(), 120, 120);
    expect(table.calls.length).toBeLessThanOrEqual(40);
  });

  it('is told the rest when it answers again', async () => {
    const limiter = instance();
    await served(limiter, 60, 120);
    table.before = () => {};
    await served(limiter, 60, 120);
    expect(await served(instance(), 1000, 120)).toBe(pendingAllowance(120));
  });
});

describe('memory', () => {
  it('is bounded, whoever comes', async () => {
    const limiter = instance();
    for (let index = 0; index < PARTITIONS_MAX + 500; index++) await limiter.take(['ADDRESS', `${index}`], route, 600);
    expect(limiter.partitions).toBe(PARTITIONS_MAX);
  });

  it('is let go with the minute', async () => {
    const limiter = instance();
    await limiter.take(ada, route, 600);
    await clock.advance(60_000);
    await limiter.take(['USER', 'eve'], route, 600);
    expect(limiter.partitions).toBe(1);
  });
});
