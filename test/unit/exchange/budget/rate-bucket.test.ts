import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fullAfter, waitOf } from '#shared/exchange/budget/rate-bucket';

const calls = fc.array(fc.record({ afterMs: fc.nat(5000), chargeMs: fc.integer({ min: 1, max: 1500 }) }), {
  maxLength: 60,
});

it('never grants more in any window than its depth and what flows in meanwhile', () => {
  fc.assert(
    fc.property(calls, fc.integer({ min: 1500, max: 20_000 }), (sequence, depthMs) => {
      const granted: { readonly at: number; readonly chargeMs: number }[] = [];
      let [now, fullAt] = [0, 0];
      for (const { afterMs, chargeMs } of sequence) {
        now += afterMs;
        if (waitOf(fullAt, now, chargeMs, depthMs) > 0) continue;
        fullAt = fullAfter(fullAt, now, chargeMs);
        granted.push({ at: now, chargeMs });
      }
      for (const [index, { at: start }] of granted.entries()) {
        let sum = 0;
        for (const { at, chargeMs } of granted.slice(index)) {
          sum += chargeMs;
          expect(sum).toBeLessThanOrEqual(depthMs + (at - start));
        }
      }
    }),
  );
});

it('grants a call once its wait is over, and not sooner', () => {
  fc.assert(
    fc.property(
      fc.nat(20_000),
      fc.integer({ min: 1, max: 30_000 }),
      fc.integer({ min: 1, max: 10_000 }),
      (ahead, charge, depth) => {
        const waitMs = waitOf(ahead, 0, charge, depth);
        expect(waitOf(ahead, waitMs, charge, depth)).toBe(0);
        if (waitMs > 0) expect(waitOf(ahead, waitMs - 1, charge, depth)).toBe(1);
      },
    ),
  );
});
