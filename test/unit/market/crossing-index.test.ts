import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directionOf, type Level, LevelIndex, levelKey, sortable } from '#shared/market/crossing-index';
import { Decimal } from '#shared/model/decimal';
import type { UserId } from '#shared/model/user-id';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** Positive decimals from 0.00000001 to below 10^18, also with zeros at the end. */
const decimal = fc
  .tuple(fc.bigInt(1n, 10n ** 26n), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 3 }))
  .map(([digits, shift, zeros]) => {
    const plain = new Decimal(digits.toString()).div('1e8').div(new Decimal(10).pow(shift)).toDP(8).toFixed();
    return zeros > 0 && plain.includes('.') ? plain + '0'.repeat(zeros) : plain;
  })
  .filter((text) => new Decimal(text).gt(0));

const compared = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('sortable', () => {
  it('sorts as the numbers do', () => {
    const digits = Decimal.clone({ precision: 60 });
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(compared(sortable(a), sortable(b))).toBe(new digits(a).comparedTo(new digits(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['0.00000001', '0.00000002'],
    ['0.1', '0.11'],
    ['9', '10'],
    ['9.99999999', '10'],
    ['99999999999999999', '100000000000000000'],
    ['1', '1.00000001'],
  ])('%s before %s, also with the id of an alert behind', (low, high) => {
    const key = (value: string, id: string) => levelKey('sim', 'BTC/USDT', 'up', value, id).sk;
    expect(compared(key(low, 'f'), key(high, '0'))).toBe(-1);
  });

  it.each([
    ['100', '100.0'],
    ['0.5', '0.50'],
    ['0', '0.000'],
  ])('gives %s and %s the same place', (a, b) => {
    expect(sortable(a)).toBe(sortable(b));
  });
});

const operators = ['above', 'below', 'crosses_above', 'crosses_below'] as const;
const price = fc.integer({ min: 1, max: 60 }).map((tenths) => new Decimal(tenths).div(10).toFixed());
const level = fc.record({
  value: price,
  operator: fc.constantFrom(...operators),
  role: fc.constantFrom('fire' as const, 'rearm' as const),
  seen: fc.integer({ min: 0, max: 4 }),
});

describe('the levels that a move reaches', () => {
  it('are those that a look at every level finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(level, { maxLength: 30 }),
        fc.option(price, { nil: undefined }),
        price,
        async (set, from, to) => {
          const table = new SqliteTable(openMemoryDatabase(), new VirtualClock());
          const stored = set.map(({ value, operator, role, seen }, position): Level => {
            const isUp = (directionOf(operator) === 'up') === (role === 'fire');
            const key = levelKey('sim', 'BTC/USDT', isUp ? 'up' : 'down', value, `id-${position}`);
            return { ...key, kind: 'level', userId: 'u' as UserId, alertId: `id-${position}`, role, operator, seen };
          });
          await table.writeMany(stored.map((put) => ({ put })));
          const move = { venue: 'sim', symbol: 'BTC/USDT', from, to, version: 3, at: 0 };
          const found = (await new LevelIndex(table).reachedBy(move)).map(({ alertId }) => alertId);
          const expected = stored.filter(({ role, operator, seen }, position) => {
            const value = Number(set[position]?.value);
            const isUp = (directionOf(operator) === 'up') === (role === 'fire');
            if (seen >= 3) return false;
            if (from === undefined) {
              const isState = role === 'rearm' || operator === 'above' || operator === 'below';
              return isState && (isUp ? Number(to) >= value : Number(to) <= value);
            }
            return isUp ? Number(from) < value && value <= Number(to) : Number(to) <= value && value < Number(from);
          });
          expect(found.sort()).toEqual(expected.map(({ alertId }) => alertId).sort());
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are read to the last one, however many pages they fill', async () => {
    const table = new SqliteTable(openMemoryDatabase(), new VirtualClock());
    const levels = Array.from({ length: 2500 }, (_, position): { put: Level } => {
      const alertId = `id-${position}`;
      const key = levelKey('sim', 'BTC/USDT', 'up', '100', alertId);
      const userId = 'u' as UserId;
      return { put: { ...key, kind: 'level', userId, alertId, role: 'fire', operator: 'above', seen: 0 } };
    });
    await table.writeMany(levels);
    const move = { venue: 'sim', symbol: 'BTC/USDT', from: '99', to: '101', version: 1, at: 0 };
    expect(await new LevelIndex(table).reachedBy(move)).toHaveLength(2500);
  });
});
