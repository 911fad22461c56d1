import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { until } from '../support/until.ts';
import { orderOf, tradeOf } from '../support/venues/account-fixtures.ts';
import { startBinance } from '../support/venues/binance.ts';
import { startBybit } from '../support/venues/bybit.ts';
import type { VenueAccounts } from '../support/venues/venue-accounts.ts';

const key = { apiKey: 'integrationkey0123456789', secret: 'integrationsecret0123456789' };

interface Records {
  readonly items: readonly {
    readonly orderId: string | null;
    readonly tradeId?: string;
    readonly status?: string;
    readonly symbol: string;
  }[];
  readonly nextCursor: string | null;
  readonly asOf: number | null;
  readonly stale: boolean;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server of one machine with one account at the double. */
const connected = async (
  venue: string,
  double: { readonly url: string; readonly accounts: VenueAccounts; close(): Promise<void> },
) => {
  ends.push(() => double.close());
  const server = await startServerHere({
    market: { venues: ['sim'] },
    exchange: { venueUrls: { [venue]: double.url } },
    accounts: { syncSeconds: 1 },
  });
  ends.push(() => server.end());
  const client = await ApiClient.of(server, server.dataFolder);
  const connect = async () => {
    const account = { venue, label: 'main', mode: 'live', credentials: key };
    const { status, body } = await client.send('POST', '/api/exchange/accounts', account);
    expect(status).toBe(201);
    return (body as { accountId: string }).accountId;
  };
  const records = (accountId: string, kind: 'orders' | 'trades', query = '') =>
    client.get<Records>(`/api/exchange/${kind}?accountId=${accountId}${query}`);
  return { client, connect, records };
};

describe('an account at Binance, on one machine', () => {
  it('has its orders and trades, which follow the venue and can be filtered and paged', async () => {
    const binance = await startBinance();
    binance.accounts.addKey(key);
    binance.accounts.setBalance(key.apiKey, 'BTC', '1');
    binance.accounts.setBalance(key.apiKey, 'ETH', '1');
    const now = Date.now();
    const number = binance.accounts.addOrder(key.apiKey, orderOf({ at: now - 1000, updatedAt: now - 1000 }));
    for (let trade = 0; trade < 3; trade += 1) binance.accounts.addTrade(key.apiKey, tradeOf({ at: now - trade }));
    binance.accounts.addTrade(key.apiKey, tradeOf({ symbol: 'ETH/BTC', at: now }));
    const { client, connect, records } = await connected('binance', binance);
    const accountId = await connect();

    await until('the trades', async () => (await records(accountId, 'trades')).items.length === 4);
    expect((await records(accountId, 'trades', '&symbol=ETH/BTC')).items).toMatchObject([{ symbol: 'ETH/BTC' }]);
    const first = await records(accountId, 'trades', '&limit=3');
    const rest = await records(accountId, 'trades', `&limit=3&cursor=${encodeURIComponent(first.nextCursor ?? '')}`);
    expect(new Set([...first.items, ...rest.items].map(({ tradeId }) => tradeId)).size).toBe(4);
    expect((await records(accountId, 'orders', '&status=open')).items).toMatchObject([{ status: 'open' }]);

    binance.accounts.changeOrder(key.apiKey, number, { status: 'filled', filled: '0.5', updatedAt: Date.now() });
    await until('the end of the order', async () => (await records(accountId, 'orders')).items[0]?.status === 'filled');
    const { asOf, stale } = await records(accountId, 'orders');
    expect([typeof asOf, stale]).toEqual(['number', false]);
    expect((await client.send('GET', `/api/exchange/orders?accountId=${accountId}&status=lost`)).status).toBe(422);
    expect((await client.send('DELETE', `/api/exchange/accounts/${accountId}`)).status).toBe(204);
    expect((await client.send('GET', `/api/exchange/trades?accountId=${accountId}`)).status).toBe(404);
  });
});

describe('a unified account at Bybit, on one machine', () => {
  it('has its orders', async () => {
    const bybit = await startBybit();
    bybit.accounts.addKey(key);
    bybit.accounts.addOrder(key.apiKey, orderOf());
    const { connect, records } = await connected('bybit', bybit);
    const accountId = await connect();
    const found = await until('the order', async () => {
      const { items } = await records(accountId, 'orders', '&symbol=BTC/USDT');
      return items.length > 0 && items;
    });
    expect(found).toMatchObject([{ symbol: 'BTC/USDT', status: 'open' }]);
  });
});

describe('the list of venues', () => {
  it('tells of a hundred exchanges at once', async () => {
    const { client } = await connected('binance', await startBinance());
    const { items } = await client.get<{ items: { id: string; supports: object }[] }>('/api/exchange/venues?limit=200');
    expect(items.length).toBeGreaterThan(80);
    expect(items.find(({ id }) => id === 'bybit')).toMatchObject({ supports: { positions: true, trades: true } });
  });
});
