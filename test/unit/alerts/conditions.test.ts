import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Condition, kindOf, unionOf } from '#shared/alerts/conditions/conditions';
import { type PriceCondition, priceCondition } from '#shared/alerts/conditions/price';
import { priceSeries } from '#shared/market/crossing-entry';

const operators = ['above', 'below', 'crosses_above', 'crosses_below'] as const;
const price = (operator: PriceCondition['operator'], value = '100'): PriceCondition => ({
  ...{ type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator, value },
});
const reading = (value: string | undefined, previous?: string) => ({
  ...{ series: priceSeries('sim', 'BTC/USDT'), value, previous, version: 1 },
});

describe('a price condition', () => {
  it.each([
    ['crosses_above', '99', '100', true],
    ['crosses_above', '100', '101', false],
    ['crosses_above', '101', '100', false],
    ['crosses_above', '99', '101', true],
    ['crosses_below', '101', '100', true],
    ['crosses_below', '100', '99', false],
    ['crosses_above', undefined, '101', false],
    ['above', undefined, '100', true],
    ['above', '100', '101', true],
    ['above', '101', '99.99', false],
    ['below', undefined, '100.00', true],
    ['below', undefined, '100.01', false],
  ] as const)('%s 100 after a move from %s to %s: %s', (operator, previous, value, expected) => {
    expect(priceCondition.evaluate(price(operator), [reading(value, previous)])).toBe(expected);
  });

  it('is unknown before the first price, and of readings of other series', () => {
    const other = { ...reading('101'), series: priceSeries('sim', 'ETH/USDT') };
    for (const operator of operators) {
      expect(priceCondition.evaluate(price(operator), [reading(undefined)])).toBeUndefined();
      expect(priceCondition.evaluate(price(operator), [other])).toBeUndefined();
    }
  });

  it('is armed again a thousandth of its level back, in the other direction', () => {
    const [up, down] = [price('crosses_above', '70000.5'), price('below', '0.00000003')];
    expect(priceCondition.arm(up, 'rearm')).toMatchObject([{ direction: 'down', value: '69930.4995' }]);
    expect(priceCondition.arm(down, 'rearm')).toMatchObject([{ direction: 'up', value: '0.00000003003' }]);
  });

  it('crosses its level on the moves that reach it and on no others', () => {
    const value = fc.integer({ min: 1, max: 300 }).map(String);
    fc.assert(
      fc.property(value, value, value, (from, to, level) => {
        const [above, below] = (['crosses_above', 'crosses_below'] as const).map((operator) =>
          priceCondition.evaluate(price(operator, level), [reading(to, from)]),
        );
        expect(above).toBe(Number(from) < Number(level) && Number(level) <= Number(to));
        expect(below).toBe(Number(to) <= Number(level) && Number(level) < Number(from));
      }),
    );
  });
});

describe('the kinds of conditions', () => {
  it('are found by the type of a condition', () => {
    expect(kindOf(price('above'))).toBe(priceCondition);
    expect(() => kindOf({ ...price('above'), type: 'weather' as never })).toThrow('no kind of condition weather');
  });

  it('of which there is one are described by its schema alone', () => {
    expect(Condition).toBe(priceCondition.schema);
  });

  it('of which there are several are discriminated by their type', () => {
    const union = unionOf(
      z.strictObject({ type: z.literal('price'), value: z.string() }),
      z.strictObject({ type: z.literal('sync'), account: z.string() }),
    );
    expect(union.parse({ type: 'sync', account: 'a' })).toEqual({ type: 'sync', account: 'a' });
    const { error } = union.safeParse({ type: 'sync', value: '1' });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['account', '']);
  });
});
