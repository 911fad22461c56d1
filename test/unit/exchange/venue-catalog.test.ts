import { describe, expect, it } from 'vitest';
import type { VenueProfile } from '#shared/exchange/account-venue';
import { VenueCatalog } from '#shared/exchange/venue-catalog';
import { testConfig } from '../../support/test-platform.ts';

const supports: VenueProfile['supports'] = {
  balances: true,
  positions: true,
  openOrders: true,
  closedOrders: true,
  trades: true,
  transfers: false,
};
const profiles = new Map<string, VenueProfile>([
  ['binance', { id: 'binance', name: 'Binance', credentials: ['apiKey', 'secret'], supports }],
  ['tickers', { id: 'tickers', name: 'Tickers', credentials: [], supports: { ...supports, balances: false } }],
]);

const catalogOf = (...venues: string[]) =>
  new VenueCatalog(
    { market: { ...testConfig.market, venues } },
    { ids: async () => ['unknown', 'tickers', 'binance'], profile: async (id) => profiles.get(id) },
  );

describe('the catalog of venues', () => {
  it('lists those with a profile, and the built-in ones that are watched, by id', async () => {
    const { items, cursor } = await catalogOf('sim', 'binance').list({ limit: 50 });
    expect(items.map(({ id }) => id)).toEqual(['binance', 'sim', 'tickers']);
    expect(cursor).toBeUndefined();
  });

  it('offers paper accounts where prices are watched, and live ones where balances can be read', async () => {
    const { items } = await catalogOf('sim', 'tickers').list({ limit: 50 });
    expect(items.map(({ id, paper, live }) => ({ id, paper, live }))).toEqual([
      { id: 'binance', paper: false, live: true },
      { id: 'sim', paper: true, live: false },
      { id: 'tickers', paper: true, live: false },
    ]);
  });

  it('names the parts of keys and what is supported', async () => {
    expect((await catalogOf('replay').list({ limit: 2 })).items).toMatchObject([
      { name: 'Binance', credentials: ['apiKey', 'secret'], supports },
      { name: 'Recorded candles', credentials: [], supports: { balances: false, trades: false } },
    ]);
  });

  it('continues after its cursor, whatever the venue of the cursor has become', async () => {
    const first = await catalogOf('sim').list({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(['binance', 'sim']);
    const second = await catalogOf().list({ limit: 2, cursor: first.cursor ?? '' });
    expect(second).toMatchObject({ items: [{ id: 'tickers' }] });
    expect(second.cursor).toBeUndefined();
  });
});
