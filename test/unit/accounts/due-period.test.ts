import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duePeriod } from '#shared/accounts/stored';

const config = { accounts: { syncSeconds: 1, perSecret: 50 } };

describe('the periods of an account', () => {
  it('follow one another without a gap, at the same times whatever happened to it', async () => {
    const seconds = fc.integer({ min: 1, max: 86_400 });
    await fc.assert(
      fc.property(fc.uuid(), seconds, fc.nat({ max: 2 ** 45 }), (accountId, syncSeconds, now) => {
        const { beganAt, endsAt } = duePeriod({ accountId, syncSeconds }, config, now);
        expect(beganAt).toBeLessThanOrEqual(now);
        expect(endsAt).toBeGreaterThan(now);
        expect(endsAt - beganAt).toBe(syncSeconds * 1000);
        expect(duePeriod({ accountId, syncSeconds }, config, endsAt).beganAt).toBe(endsAt);
        expect(duePeriod({ accountId, syncSeconds }, config, beganAt)).toEqual({ beganAt, endsAt });
      }),
    );
  });

  it('begin spread evenly over them, however many accounts were connected at once', () => {
    const parts = Array.from({ length: 10 }, () => 0);
    for (let number = 0; number < 1000; number += 1) {
      const { endsAt } = duePeriod({ accountId: `account-${number}`, syncSeconds: 300 }, config, 0);
      const part = Math.min(9, Math.floor(endsAt / 30_000));
      parts[part] = (parts[part] ?? 0) + 1;
    }
    expect(Math.min(...parts)).toBeGreaterThan(70);
    expect(Math.max(...parts)).toBeLessThan(130);
  });
});
