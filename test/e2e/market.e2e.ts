import { beforeAll, describe, expect, it } from 'vitest';
import type { PriceQuote } from '#shared/market/price-quote';
import type { ApiClient } from '../support/client.ts';
import { eventually, setPrice } from './target.ts';
import { newUser } from './user.ts';

let client: ApiClient;
beforeAll(async () => {
  ({ client } = await newUser());
});

const price = async (symbol: string): Promise<PriceQuote | undefined> =>
  (await client.prices()).find((ticker) => ticker.symbol === symbol);

describe('prices', () => {
  it('are those of the venue, and say where they come from', async () => {
    const bitcoin = await eventually('a price', () => price('BTC/USDT'));
    expect(bitcoin).toMatchObject({
      venue: 'binance',
      symbol: 'BTC/USDT',
      last: expect.stringMatching(/^\d+(\.\d+)?$/),
      source: 'live',
      stale: false,
    });
    expect(Math.abs(Date.now() - bitcoin.timestamp)).toBeLessThan(120_000);
  });

  it('follow the venue', async () => {
    await setPrice('SOL/USDT', '151.25');
    await eventually('the new price', async () => (await price('SOL/USDT'))?.last === '151.25');
    await setPrice('SOL/USDT', '149.5');
    await eventually('the next price', async () => (await price('SOL/USDT'))?.last === '149.5');
  });

  it('can be had of some symbols, by page', async () => {
    await eventually('three prices', async () => (await client.prices()).length === 3);
    const path = '/api/market/prices?venue=binance&symbols=BTC/USDT,ETH/USDT&limit=1';
    const first = await client.get<{ items: PriceQuote[]; nextCursor: string }>(path);
    const cursor = encodeURIComponent(first.nextCursor);
    const second = await client.get<{ items: PriceQuote[]; nextCursor: string | null }>(`${path}&cursor=${cursor}`);
    const symbols = [...first.items, ...second.items].map(({ symbol }) => symbol);
    expect(symbols.sort()).toEqual(['BTC/USDT', 'ETH/USDT']);
  });
});
