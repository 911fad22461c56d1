import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CrossingEntry,
  crossingEntry,
  type Direction,
  type Level,
  priceSeries,
} from '#shared/market/crossing-entry';
import { CrossingIndex, priceSeriesMove } from '#shared/market/crossing-index';
import { sortable } from '#shared/market/sortable';
import { Decimal } from '#shared/model/decimal';
import type { UserId } from '#shared/model/user-id';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** Positive decimals from 0.00000001 to below 10^18, also with zeros at the end. */
const positive = fc
  .tuple(fc.bigInt(1n, 10n ** 26n), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 3 }))
  .map(([digits, shift, zeros]) => {
    const plain = new Decimal(digits.toString()).div('1e8').div(new Decimal(10).pow(shift)).toDP(8).toFixed();
    return zeros > 0 && plain.includes('.') ? plain + '0'.repeat(zeros) : plain;
  })
  .filter((text) => new Decimal(text).gt(0));
/** Decimals of either sign; zero with and without one. */
const decimal = fc.oneof(
  { weight: 4, arbitrary: positive },
  { weight: 4, arbitrary: positive.map((text) => `-${text}`) },
  { weight: 1, arbitrary: fc.constantFrom('0', '-0', '0.00', '-0.0') },
);

const compared = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const userId = 'u' as UserId;
const btc = priceSeries('sim', 'BTC/USDT');
const entryAt = (level: Partial<Level>, id: string, role = 'fire', seen = 0): CrossingEntry =>
  crossingEntry(
    { series: btc, direction: 'up', value: '100', reachedByFirst: false, ...level },
    { userId, id, role },
    seen,
  );
const memoryTable = () => new SqliteTable(openMemoryDatabase(), new VirtualClock());

describe('sortable', () => {
  it('sorts as the numbers do', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(compared(sortable(a), sortable(b))).toBe(new Decimal(a).comparedTo(new Decimal(b)));
      }),
      { numRuns: 4000 },
    );
  });

  it('sorts close numbers of either sign as the numbers do, also with an id behind', () => {
    const close = fc
      .tuple(fc.integer({ min: -1200, max: 1200 }), fc.integer({ min: 0, max: 3 }))
      .map(([digits, shift]) => new Decimal(digits).div(10 ** shift).toFixed());
    fc.assert(
      fc.property(close, close, (a, b) => {
        const order = new Decimal(a).comparedTo(new Decimal(b));
        expect(compared(sortable(a), sortable(b))).toBe(order);
        if (order !== 0) expect(compared(`${sortable(a)}#f`, `${sortable(b)}#0`)).toBe(order);
      }),
      { numRuns: 4000 },
    );
  });

  it.each([
    ['70000', '05:70000'],
    ['70000.50', '05:70000.5'],
    ['0.00001234', '01:0.00001234'],
    ['0', '01:0'],
    ['123456789012345678', '18:123456789012345678'],
  ])('writes %s as stored entries have it', (value, expected) => {
    expect(sortable(value)).toBe(expected);
  });

  it.each([
    ['0.00000001', '0.00000002'],
    ['0.1', '0.11'],
    ['9', '10'],
    ['9.99999999', '10'],
    ['99999999999999999', '100000000000000000'],
    ['1', '1.00000001'],
    ['-1.5', '-1'],
    ['-1.55', '-1.5'],
    ['-10', '-9.99'],
    ['-0.00000001', '0'],
    ['-1', '0.00000001'],
  ])('%s before %s, also with the id of an alert behind', (low, high) => {
    expect(compared(entryAt({ value: low }, 'f').sk, entryAt({ value: high }, '0').sk)).toBe(-1);
  });

  it.each([
    ['100', '100.0'],
    ['0.5', '0.50'],
    ['0', '0.000'],
    ['0', '-0.0'],
    ['-7', '-7.00'],
  ])('gives %s and %s the same place', (a, b) => {
    expect(sortable(a)).toBe(sortable(b));
  });
});

const tenths = (min: number, max: number) =>
  fc.integer({ min, max }).map((value) => new Decimal(value).div(10).toFixed());
const waiting = (value: fc.Arbitrary<string>) =>
  fc.record({
    value,
    direction: fc.constantFrom('up' as const, 'down' as const),
    reachedByFirst: fc.boolean(),
    seen: fc.integer({ min: 0, max: 4 }),
  });

describe('the entries that a move reaches', () => {
  it.each([
    ['price', btc, tenths(1, 60)],
    ['series of either sign', 'ind:sim:BTC/USDT:1h:macd', tenths(-30, 30)],
  ])('are those that a look at every entry finds, of a %s', async (_, series, value) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(waiting(value), { maxLength: 30 }),
        fc.option(value, { nil: undefined }),
        value,
        async (set, from, to) => {
          const table = memoryTable();
          const stored = set.map(({ seen, ...level }, index) =>
            entryAt({ series, ...level }, `id-${index}`, 'fire', seen),
          );
          await table.writeMany(stored.map((put) => ({ put })));
          const move = { series, from, to, version: 3, at: 0 };
          const found = (await new CrossingIndex(table).reachedBy(move)).map(({ id }) => id);
          const expected = stored.filter(({ seen }, index) => {
            const level = set[index];
            if (level === undefined || seen >= 3) return false;
            const at = Number(level.value);
            const isUp = level.direction === 'up';
            if (from === undefined) return level.reachedByFirst && (isUp ? Number(to) >= at : Number(to) <= at);
            return isUp ? Number(from) < at && at <= Number(to) : Number(to) <= at && at < Number(from);
          });
          expect(found.sort()).toEqual(expected.map(({ id }) => id).sort());
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are read to the last one, however many pages they fill', async () => {
    const table = memoryTable();
    await table.writeMany(Array.from({ length: 2500 }, (_, index) => ({ put: entryAt({}, `id-${index}`) })));
    const move = { series: btc, from: '99', to: '101', version: 1, at: 0 };
    expect(await new CrossingIndex(table).reachedBy(move)).toHaveLength(2500);
  });

  it('are those of its own series', async () => {
    const table = memoryTable();
    const others = [priceSeries('sim', 'BTC/USDT:USDT'), 'ind:sim:BTC/USDT:1h:rsi:14', 'diff:a|b'];
    await table.writeMany([btc, ...others].map((series, index) => ({ put: entryAt({ series }, `id-${index}`) })));
    const reachedIn = async (series: string) => {
      const move = { series, from: '99', to: '101', version: 1, at: 0 };
      return (await new CrossingIndex(table).reachedBy(move)).map(({ id }) => id);
    };
    expect(await Promise.all([btc, ...others].map(reachedIn))).toEqual([['id-0'], ['id-1'], ['id-2'], ['id-3']]);
  });
});

describe('an entry that an earlier version stored', () => {
  const operators = ['above', 'below', 'crosses_above', 'crosses_below'] as const;
  const stored = (operator: (typeof operators)[number], role: 'fire' | 'rearm', direction: Direction) => ({
    ...{ pk: `LEVEL#sim#BTC/USDT#${direction}`, sk: `03:100#${operator}-${role}` },
    ...{ kind: 'level', userId, alertId: `${operator}-${role}`, role, operator, seen: 0 },
  });
  const reached = async (from: string | undefined, to: string) => {
    const table = memoryTable();
    const entries = operators.flatMap((operator) => {
      const isUp = operator === 'above' || operator === 'crosses_above';
      return [stored(operator, 'fire', isUp ? 'up' : 'down'), stored(operator, 'rearm', isUp ? 'down' : 'up')];
    });
    await table.writeMany(entries.map((put) => ({ put })));
    const move = priceSeriesMove({ venue: 'sim', symbol: 'BTC/USDT', from, to, version: 1, at: 0 });
    return (await new CrossingIndex(table).reachedBy(move)).map(({ id }) => id).sort();
  };

  it.each([
    ['99', '100', ['above-fire', 'below-rearm', 'crosses_above-fire', 'crosses_below-rearm']],
    ['101', '100', ['above-rearm', 'below-fire', 'crosses_above-rearm', 'crosses_below-fire']],
    [undefined, '101', ['above-fire', 'below-rearm', 'crosses_below-rearm']],
    [undefined, '99', ['above-rearm', 'below-fire', 'crosses_above-rearm']],
  ] as const)('is reached by a move from %s to %s', async (from, to, expected) => {
    expect(await reached(from, to)).toEqual(expected);
  });

  it('has the key that it would have today', () => {
    const { pk, sk } = stored('above', 'fire', 'up');
    expect(entryAt({}, 'above-fire')).toMatchObject({ pk, sk });
  });
});
