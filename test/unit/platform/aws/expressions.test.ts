import { describe, expect, it } from 'vitest';
import { Expressions } from '#shared/platform/aws/expressions';
import { ABSENT, allOf, anyOf, equals, type Query, type WriteCondition } from '#shared/platform/table';

const written = (condition: WriteCondition) => {
  const expressions = new Expressions();
  const text = expressions.condition(condition);
  return { text, ...expressions.placeholders() };
};

const range = (sk: NonNullable<Query['sk']>) => {
  const expressions = new Expressions();
  const text = expressions.keyCondition({ pk: 'a', sk });
  return { text, ...expressions.placeholders() };
};

describe('a condition', () => {
  it('names an attribute once however often it is used', () => {
    expect(written(anyOf(equals('status', 'open'), equals('status', 'new')))).toEqual({
      text: '#n0 = :v0 OR #n0 = :v1',
      ExpressionAttributeNames: { '#n0': 'status' },
      ExpressionAttributeValues: { ':v0': 'open', ':v1': 'new' },
    });
  });

  it('has no values where it compares nothing', () => {
    expect(written(ABSENT)).toEqual({ text: 'attribute_not_exists(#n0)', ExpressionAttributeNames: { '#n0': 'pk' } });
  });

  it('reaches a name within a map, whatever it is', () => {
    expect(written(equals('targets.BTC/USDT:1.5', 1))).toMatchObject({
      text: '#n0.#n1 = :v0',
      ExpressionAttributeNames: { '#n0': 'targets', '#n1': 'BTC/USDT:1.5' },
    });
  });

  it('holds for another value and for none when it asks for a difference', () => {
    expect(written({ path: 'status', is: '<>', value: 'open' }).text).toBe('attribute_not_exists(#n0) OR #n0 <> :v0');
  });

  it('keeps the two sides of a difference together', () => {
    expect(written(allOf(equals('a', 1), { path: 'b', is: '<>', value: 2 })).text).toBe(
      '#n0 = :v0 AND (attribute_not_exists(#n1) OR #n1 <> :v1)',
    );
  });

  it('puts parentheses where they are needed and nowhere else', () => {
    const condition = allOf(allOf(equals('a', 1)), anyOf(equals('b', 2), allOf(equals('c', 3), equals('d', 4))));
    expect(written(condition).text).toBe('#n0 = :v0 AND (#n1 = :v1 OR (#n2 = :v2 AND #n3 = :v3))');
  });

  it('is always true without parts to hold, and never without parts to choose from', () => {
    expect(written(allOf()).text).toBe('attribute_exists(#n0) OR attribute_not_exists(#n0)');
    expect(written(anyOf()).text).toBe('attribute_exists(#n0) AND attribute_not_exists(#n0)');
  });
});

describe('changes', () => {
  it('set, remove and add in one expression', () => {
    const expressions = new Expressions();
    const text = expressions.update({ set: { 'limits.BTC': '1', status: '' }, remove: ['until'], add: { count: 2 } });
    expect({ text, ...expressions.placeholders() }).toEqual({
      text: 'SET #n0.#n1 = :v0, #n2 = :v1 REMOVE #n3 ADD #n4 :v2',
      ExpressionAttributeNames: { '#n0': 'limits', '#n1': 'BTC', '#n2': 'status', '#n3': 'until', '#n4': 'count' },
      ExpressionAttributeValues: { ':v0': '1', ':v1': '', ':v2': 2 },
    });
  });

  it('leave no expression behind when there are none', () => {
    const expressions = new Expressions();
    expect(expressions.update({ set: {}, remove: [] })).toBeUndefined();
    expect(expressions.placeholders()).toEqual({});
  });
});

describe('a key range', () => {
  it.each<[NonNullable<Query['sk']>, string]>([
    [{ prefix: 'x' }, '#n0 = :v0 AND begins_with(#n1, :v1)'],
    [{ between: ['x', 'y'] }, '#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2'],
    [{ after: 'x' }, '#n0 = :v0 AND #n1 > :v1'],
    [{ before: 'x' }, '#n0 = :v0 AND #n1 < :v1'],
    [{ between: ['', 'y'] }, '#n0 = :v0 AND #n1 <= :v1'],
  ])('of %j is a key condition', (sk, text) => {
    expect(range(sk).text).toBe(text);
  });

  it.each([{ prefix: '' }, { after: '' }])('of %j is the whole partition', (sk) => {
    expect(range(sk)).toEqual({
      text: '#n0 = :v0',
      ExpressionAttributeNames: { '#n0': 'pk' },
      ExpressionAttributeValues: { ':v0': 'a' },
    });
  });

  it.each<NonNullable<Query['sk']>>([{ before: '' }, { between: ['b', 'a'] }, { between: ['a', ''] }])(
    'of %j holds no key',
    (sk) => {
      expect(range(sk).text).toBeUndefined();
    },
  );

  it('compares its bounds by their bytes, not by UTF-16', () => {
    expect(range({ between: ['\uffff', '\u{1f600}'] }).text).toBeDefined();
  });
});
