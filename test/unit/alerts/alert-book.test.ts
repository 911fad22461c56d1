import { beforeEach, describe, expect, it } from 'vitest';
import { NewAlert } from '#shared/alerts/alert';
import { AlertBook } from '#shared/alerts/alert-book';
import type { UserId } from '#shared/users/user';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

let given: TestPlatform;
let book: AlertBook;
let ada: UserId;

beforeEach(async () => {
  given = testPlatform();
  book = new AlertBook(given.platform);
  await given.list('sim', ['BTC/USDT', 'ETH/USDT']);
  ada = await given.user();
});

type Operator = 'above' | 'below' | 'crosses_above' | 'crosses_below';
const alert = (operator: Operator, value: string, more: object = {}) =>
  NewAlert.parse({ condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator, value }, ...more });

const tick = async (...prices: string[]) => {
  for (const price of prices) {
    await given.tick('BTC/USDT', price);
    await given.settle();
    await given.clock.advance(1000);
  }
};
const firings = async () => (await book.history(ada, { limit: 100 })).items.map(({ value }) => value).reverse();

describe('an alert that fires once', () => {
  it('fires when the price passes its level, and not when it comes back', async () => {
    await tick('69990');
    await book.add(ada, alert('crosses_above', '70000'));
    await tick('70010', '69990', '70010');
    expect(await firings()).toEqual(['70010']);
  });

  it.each([
    ['crosses_above', ['99', '100'], ['100']],
    ['crosses_above', ['101', '102'], []],
    ['crosses_below', ['101', '100'], ['100']],
    ['crosses_below', ['99', '98'], []],
    ['above', ['99', '99.5', '100.5'], ['100.5']],
    ['below', ['101', '100.5', '99.5'], ['99.5']],
    ['above', ['101'], ['101']],
    ['below', ['99'], ['99']],
    ['above', ['100'], ['100']],
    ['crosses_above', ['100', '100', '101'], []],
    ['crosses_above', ['100', '99', '101'], ['101']],
  ] as const)('%s 100, made before the first price, through %j fires at %j', async (operator, prices, expected) => {
    await book.add(ada, alert(operator, '100'));
    await tick(...prices);
    expect(await firings()).toEqual(expected);
  });

  it('above fires at once when it holds at creation', async () => {
    await tick('101');
    const made = await book.add(ada, alert('above', '100'));
    expect(made.status).toBe('triggered');
    await tick('99', '101');
    expect(await firings()).toEqual(['101']);
  });
});

describe('an alert that repeats', () => {
  it('fires again only after the price went back through the level by the hysteresis', async () => {
    await tick('99');
    await book.add(ada, alert('crosses_above', '100', { repeat: 'always' }));
    await tick('100.5', '99.95', '100.5', '99.9', '100.7');
    expect(await firings()).toEqual(['100.5', '100.7']);
  });

  it('keeps quiet during its cooldown', async () => {
    await tick('99');
    await book.add(ada, alert('above', '100', { repeat: 'always', cooldownSeconds: 60 }));
    await tick('101', '99', '102', '99');
    expect(await firings()).toEqual(['101']);
    await given.clock.advance(60_000);
    await tick('103');
    expect(await firings()).toEqual(['101', '103']);
  });
});
