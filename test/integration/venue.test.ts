import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notification } from '#shared/notifications/notification';
import { ApiClient } from '../support/client.ts';
import { type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.ts';
import { SocketClient } from '../support/socket-client.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';

const syncMs = 200;
const rounds = 9;

const folder = await temporaryFolder();
let venue: BinanceDouble;
let server: ServerProcess;
let client: ApiClient;
let socket: SocketClient;

beforeAll(async () => {
  venue = await startBinance();
  server = await startServerProcess(folder.path, ['--venue', 'binance', '--symbols', 'BTC/USDT,SHIB/USDT'], {
    ALPHAPULSE_VENUE_URLS: JSON.stringify({ binance: venue.url }),
    ALPHAPULSE_SYNC_SECONDS: String(syncMs / 1000),
  });
  client = await ApiClient.of(server, folder.path);
  await client.priceIs('BTC/USDT', '65000');
  socket = await SocketClient.open(server.webSocketUrl, client.token);
  await socket.subscribe(['alerts', 'prices:binance:BTC/USDT']);
});
afterAll(async () => {
  socket?.end();
  await server?.end('SIGKILL');
  await venue?.close();
  await folder.remove();
});

describe('a change of price at the venue', () => {
  const prices = Array.from({ length: rounds }, (_, round) => `${65_010 + round * 10}.${'12345678'.slice(0, round)}`);
  const exact = prices.map((price) => price.replace(/\.$/, ''));

  beforeAll(async () => {
    for (const price of exact) {
      const value = String(Math.floor(Number(price)) - 5);
      const { alertId } = await client.createAlert({
        condition: { type: 'price', venue: 'binance', symbol: 'BTC/USDT', operator: 'crosses_above', value },
      });
      venue.setPrice('BTC/USDT', price);
      await socket.next(
        'the alert',
        ({ type, data }) => type === 'update' && (data as Notification).alertId === alertId,
      );
      await socket.next(
        'the price',
        ({ type, data }) => type === 'update' && (data as { last?: string }).last === price,
      );
    }
  });

  it('arrives to the last digit, in the order of the changes', () => {
    const told = (channel: string, field: 'last' | 'value') =>
      socket.updates(channel).map(({ data }) => (data as Record<string, string>)[field]);
    expect(told('prices:binance:BTC/USDT', 'last')).toEqual(exact);
    expect(told('alerts', 'value')).toEqual(exact);
  });

  it('is told over HTTP without an exponent, however small the price', async () => {
    venue.setPrice('SHIB/USDT', '0.00000751');
    expect(await client.priceIs('SHIB/USDT', '0.00000751')).toMatchObject({ source: 'live', stale: false });
  });
});

describe('a venue that asks for patience', () => {
  it('is left alone for the time that it names, and asked again then', async () => {
    const [before, retryAfterSeconds] = [venue.requests.length, 1];
    const body = { code: -1003, msg: 'Too much request weight used.' };
    venue.fail({ status: 429, headers: { 'retry-after': String(retryAfterSeconds) }, body });
    const [refused, next] = await until('another request', () => {
      const [first, second] = venue.requests.slice(before);
      return first !== undefined && second !== undefined && [first.at, second.at];
    });
    expect((next ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(retryAfterSeconds * 1000);
    venue.setPrice('BTC/USDT', '66000');
    await client.priceIs('BTC/USDT', '66000');
  });
});
