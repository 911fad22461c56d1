import { beforeEach, describe, expect, it } from 'vitest';
import { Prices } from '#shared/market/prices';
import type { PageRequest } from '#shared/model/page';
import { InvalidCursor, InvalidInput } from '#shared/platform/errors';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const symbols = ['A/USDT', 'B/USDT'];

let system: TestPlatform;
let prices: Prices;
beforeEach(async () => {
  system = testPlatform({ market: { venues: ['sim', 'binance'] } });
  prices = new Prices(system.platform);
  for (const venue of ['sim', 'binance']) for (const symbol of symbols) await system.tick(symbol, '1', venue);
});

type Page = Awaited<ReturnType<Prices['list']>>;
const named = ({ items }: Page) => items.map(({ venue, symbol }) => `${venue} ${symbol}`);

/** The pages of a list, from the first one to the last. */
const pagesOf = async (list: (page: PageRequest) => Promise<Page>, limit: number): Promise<string[][]> => {
  const pages: string[][] = [];
  for (let cursor: string | undefined; pages.length < 20; ) {
    const page = await list({ limit, ...(cursor !== undefined && { cursor }) });
    pages.push(named(page));
    ({ cursor } = page);
    if (cursor === undefined) return pages;
  }
  throw new Error('The list has no end');
};

describe('prices of symbols', () => {
  it.each([
    [1, [['sim A/USDT'], ['sim B/USDT'], ['binance A/USDT'], ['binance B/USDT']]],
    [3, [['sim A/USDT', 'sim B/USDT', 'binance A/USDT'], ['binance B/USDT']]],
    [4, [['sim A/USDT', 'sim B/USDT', 'binance A/USDT', 'binance B/USDT']]],
  ])('come in pages of %i', async (limit, expected) => {
    expect(await pagesOf((page) => prices.ofSymbols(symbols, undefined, page), limit)).toEqual(expected);
  });

  it.each(['x', '-1', '1.5', '', '1e3', '9'.repeat(400)])('refuse the cursor %j', async (cursor) => {
    const page = prices.ofSymbols(symbols, undefined, { limit: 1, cursor });
    await expect(page).rejects.toBeInstanceOf(InvalidCursor);
  });

  it('are those of one venue where it is named', async () => {
    expect(named(await prices.ofSymbols(['A/USDT'], 'binance', { limit: 9 }))).toEqual(['binance A/USDT']);
  });
});

describe('a list of prices', () => {
  it('continues at the venue of its cursor, also when venues were added before it', async () => {
    const { cursor = '' } = await prices.list(undefined, { limit: 2 });
    const later = testPlatform({ market: { venues: ['replay', 'sim', 'binance'] } });
    const grown = new Prices({ ...later.platform, table: system.table });
    const page = await grown.list(undefined, { limit: 9, cursor });
    expect(named(page)).toEqual(['binance A/USDT', 'binance B/USDT']);
  });

  it('refuses a venue that is not watched', async () => {
    await expect(prices.list('kraken', { limit: 1 })).rejects.toBeInstanceOf(InvalidInput);
    await expect(prices.ofSymbols(symbols, 'kraken', { limit: 1 })).rejects.toBeInstanceOf(InvalidInput);
  });
});
