import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';

/** Prices are stale when nobody confirmed them for so long. */
const staleMs = 15_000;
/** A venue is down when it has not answered for so long. */
const downMs = 60_000;
/** Longer than any pause that the sync makes after failures. */
const longPauseMs = 61_000;

let venue: BinanceDouble;
let server: Awaited<ReturnType<typeof startServerHere>>;
let client: ApiClient;

beforeAll(async () => {
  venue = await startBinance();
  const settings = {
    market: { venues: ['binance'], symbols: ['BTC/USDT'] },
    exchange: { venueUrls: { binance: venue.url } },
  };
  server = await startServerHere(settings);
  client = await ApiClient.of(server, server.dataFolder);
  await client.priceIs('BTC/USDT', '65000');
});
afterAll(async () => {
  await server?.end();
  await venue?.close();
});

const venueStatus = async () => {
  const { status, components } = await client.status();
  const { status: ofVenue, detail } = components.find(({ name }) => name === 'venue:binance') ?? {};
  return { system: status, venue: ofVenue, detail: detail ?? '' };
};
const statusWhere = (what: string, wanted: (status: Awaited<ReturnType<typeof venueStatus>>) => boolean) =>
  until(what, async () => {
    const status = await venueStatus();
    return wanted(status) && status;
  });
const bitcoin = async () => (await client.prices()).find(({ symbol }) => symbol === 'BTC/USDT');

const manyTimes = 3;
const outages: readonly (readonly [kind: string, begin: () => void, told: string])[] = [
  ['answers 500', () => venue.fail({ status: 500, body: 'oops', times: manyTimes }), 'is not available right now'],
  ['sends broken JSON', () => venue.malformed(manyTimes), 'gave an answer that could not be understood'],
  ['cuts the connection', () => venue.drop(manyTimes), 'could not be reached'],
  ['is under maintenance', () => venue.maintenance(true), 'is under maintenance'],
];

const wellAgain = () => statusWhere('the venue is well again', ({ venue: status }) => status === 'ok');

describe.each(outages)('while the venue %s', (_kind, begin, told) => {
  afterEach(async () => {
    venue.maintenance(false);
    server.clock.leap(longPauseMs);
    await wellAgain();
  });

  it('the status says what fails, and prices stay', async () => {
    const before = await bitcoin();
    begin();
    const { system, detail } = await statusWhere('a failure', ({ detail: why }) => why.includes(told));
    expect(system).toBe('degraded');
    expect(detail).toContain('live prices of 1 symbols');
    expect(await bitcoin()).toMatchObject({ last: before?.last, stale: false });
  });
});

describe('a venue that hangs', () => {
  // A price is stored before the status that tells of the sync.
  afterEach(wellAgain);

  it('is given up after a while, and then asked again', async () => {
    const before = venue.requests.length;
    venue.hang();
    await until('the request', () => venue.requests.length > before);
    server.clock.leap(downMs / 2 + 1_000);
    venue.setPrice('BTC/USDT', '64000.5');
    expect(await client.priceIs('BTC/USDT', '64000.5')).toMatchObject({ stale: false });
  });
});

describe('a long outage', () => {
  it('makes prices stale after 15 s, not sooner, the venue down after a minute, and ends with the next answer', async () => {
    venue.maintenance(true);
    await statusWhere('a failure', ({ venue: status }) => status === 'degraded');
    server.clock.leap(staleMs - 10_000);
    expect(await bitcoin()).toMatchObject({ last: '64000.5', stale: false });
    server.clock.leap(10_000);
    expect(await bitcoin()).toMatchObject({ last: '64000.5', stale: true });
    server.clock.leap(downMs - staleMs);
    expect(await venueStatus()).toMatchObject({ system: 'degraded', venue: 'down' });

    venue.maintenance(false);
    venue.setPrice('BTC/USDT', '64321');
    server.clock.leap(longPauseMs);
    expect(await client.priceIs('BTC/USDT', '64321')).toMatchObject({ stale: false });
    expect(await wellAgain()).toMatchObject({ system: 'ok' });
  });
});
