import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LoginDelays, TooManyAttempts } from '#shared/auth/login-delays';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const hourMs = 3_600_000;
let system: TestPlatform;
let delays: LoginDelays;
beforeEach(() => {
  system = testPlatform();
  delays = new LoginDelays(system.platform);
});

/** How long the next attempt has to wait, after as many as fail without a wait. */
const waitMs = async (account: string, network: string): Promise<number> => {
  for (;;) {
    try {
      await delays.attempt(account, network);
    } catch (error) {
      if (error instanceof TooManyAttempts) return error.retryAfterMs;
      throw error;
    }
  }
};
const pass = (ms: number) => system.clock.advance(ms);

describe('failed logins', () => {
  it('cost nothing at first, then a second, and twice as much each time, up to a minute', async () => {
    const waits: number[] = [];
    for (let round = 0; round < 9; round++) {
      const wait = await waitMs('ada', '192.0.2.1');
      waits.push(wait / 1000);
      await pass(wait);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('at one account from many networks make the next one wait too', async () => {
    for (let guess = 0; guess < 4; guess++) await delays.attempt('ada', `192.0.2.${guess}`);
    await expect(delays.attempt('ada', '192.0.2.99')).rejects.toThrow(TooManyAttempts);
  });

  it('at many accounts from one network make the next one wait, up to a quarter of an hour', async () => {
    for (let guess = 0; guess < 20; guess++) await delays.attempt(`user ${guess}`, '192.0.2.1');
    await expect(delays.attempt('ada', '192.0.2.1')).rejects.toThrow(TooManyAttempts);
    for (let round = 0; round < 15; round++) await pass(await waitMs(`other ${round}`, '192.0.2.1'));
    expect(await waitMs('ada', '192.0.2.1')).toBe(900_000);
  });

  it('do not hold up others', async () => {
    await waitMs('ada', '192.0.2.1');
    await expect(delays.attempt('bob', '192.0.2.2')).resolves.toBeDefined();
  });

  it('are forgotten after an hour', async () => {
    await waitMs('ada', '192.0.2.1');
    await pass(hourMs + 1000);
    for (let guess = 0; guess < 4; guess++) await delays.attempt('ada', '192.0.2.1');
  });

  it('at the same time are no more than one after the other', async () => {
    const many = Array.from({ length: 50 }, (_, n) => delays.attempt('ada', `192.0.2.${n}`));
    const tries = await system.awake(Promise.allSettled(many));
    expect(tries.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(4);
  });

  it('are at most 100 an hour at one account', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 20, maxLength: 60 }),
        async (pauses) => {
          const fresh = testPlatform();
          const guarded = new LoginDelays(fresh.platform);
          const made: number[] = [];
          for (const pause of pauses) {
            await fresh.clock.advance(pause);
            const attempt = await guarded.attempt('ada', `192.0.2.${made.length}`).catch(() => undefined);
            if (attempt !== undefined) made.push(fresh.clock.now());
          }
          const busiest = made.map((from) => made.filter((at) => at >= from && at < from + hourMs).length);
          expect(Math.max(0, ...busiest)).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 10 },
    );
  });
});

describe('a login that succeeds', () => {
  it('forgets the failures of the account', async () => {
    for (let guess = 0; guess < 3; guess++) await delays.attempt('ada', '192.0.2.1');
    await (await delays.attempt('ada', '192.0.2.1')).succeeded();
    for (let guess = 0; guess < 4; guess++) await delays.attempt('ada', '192.0.2.1');
  });

  it('does not count against its network', async () => {
    for (let login = 0; login < 30; login++) await (await delays.attempt(`user ${login}`, '192.0.2.1')).succeeded();
    await expect(delays.attempt('ada', '192.0.2.1')).resolves.toBeDefined();
  });

  it('does not let who has an account guess at others from the same network', async () => {
    for (let guess = 0; guess < 19; guess++) await delays.attempt(`user ${guess}`, '192.0.2.1');
    await (await delays.attempt('own', '192.0.2.1')).succeeded();
    await delays.attempt('ada', '192.0.2.1');
    await expect(delays.attempt('bob', '192.0.2.1')).rejects.toThrow(TooManyAttempts);
  });

  it('keeps its network open while strangers guess', async () => {
    await (await delays.attempt('ada', '192.0.2.1')).succeeded();
    await waitMs('ada', '198.51.100.7');
    await expect(delays.attempt('ada', '192.0.2.1')).resolves.toBeDefined();
  });
});
