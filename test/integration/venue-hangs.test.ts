import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PriceQuote } from '#shared/market/price-quote';
import { ApiClient } from '../support/client.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';

/** More requests than the test makes. */
const always = 10_000;
const leapMs = 2_000;

let venue: BinanceDouble;
let server: ServerHere;
let client: ApiClient;

beforeAll(async () => {
  venue = await startBinance();
  server = await startServerHere({
    market: { venues: ['binance', 'sim'] },
    exchange: { venueUrls: { binance: venue.url } },
  });
  client = await ApiClient.of(server, server.dataFolder);
  await client.priceIs('BTC/USDT', '65000');
});
afterAll(async () => {
  // First the venue: a call that hangs would hold the server up.
  await venue?.close();
  await server?.end();
});

const component = async (name: string) =>
  (await client.status()).components.find((candidate) => candidate.name === name);
const newestSimulated = async (): Promise<number> => {
  const { items } = await client.get<{ items: PriceQuote[] }>('/api/market/prices?venue=sim');
  return Math.max(...items.map(({ timestamp }) => timestamp));
};

it('a venue that hangs is told, while the prices of the others go on', async () => {
  venue.hang(always);
  const before = venue.requests.length;
  await until('a request that hangs', () => venue.requests.length > before);
  const newest = await until('simulated prices', async () => {
    const found = await newestSimulated();
    return Number.isFinite(found) && found;
  });
  const told = await until('the failure', async () => {
    const found = await component('venue:binance');
    if (found !== undefined && found.status !== 'ok') return found;
    server.clock.leap(leapMs);
    return undefined;
  });
  expect(told.detail).toMatch(/1 failures in a row: binance did not answer in time/);
  await until('newer prices of the other venue', async () => (await newestSimulated()) > newest + leapMs);
  expect(await component('venue:sim')).toMatchObject({ status: 'ok' });
  expect(await component('stream:alerts')).toMatchObject({ status: 'ok' });
});
