import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, logIn } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { demoPassword } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';

const key = { apiKey: 'integrationkey0123456789', secret: 'integrationsecret0123456789' };

let binance: BinanceDouble;
let server: Awaited<ReturnType<typeof startServerHere>>;
let authorization: string;

beforeEach(async () => {
  binance = await startBinance();
  server = await startServerHere({
    market: { venues: ['sim'] },
    exchange: { venueUrls: { binance: binance.url } },
    accounts: { syncSeconds: 1 },
  });
  const { body } = await logIn(server.url, await demoPassword(server.dataFolder));
  authorization = `Bearer ${(body as { accessToken: string }).accessToken}`;
});
afterEach(async () => {
  await server.end();
  await binance.close();
});

const api = (method: string, path: string, body?: unknown) =>
  call(`${server.url}/api/exchange/${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const connect = () => api('POST', 'accounts', { venue: 'binance', label: 'main', mode: 'live', credentials: key });
const totals = async (accountId: string) => {
  const { body } = await api('GET', `balance?accountId=${accountId}`);
  const { items } = body as { items: { asset: string; total: string }[] };
  return Object.fromEntries(items.map(({ asset, total }) => [asset, Number(total)]));
};

describe('an account at Binance, on one machine', () => {
  it('is verified, synchronised with signed requests, kept up to date and deleted', async () => {
    binance.accounts.addKey(key);
    binance.accounts.setBalance(key.apiKey, 'BTC', '1.25');
    const { status, body } = await connect();
    expect(status).toBe(201);
    const { accountId } = body as { accountId: string };
    await until('the first balance', async () => (await totals(accountId)).BTC === 1.25);
    binance.accounts.setBalance(key.apiKey, 'BTC', '0');
    binance.accounts.setBalance(key.apiKey, 'ETH', '3');
    await until('the change', async () => JSON.stringify(await totals(accountId)) === '{"ETH":3}');
    expect((await api('DELETE', `accounts/${accountId}`)).status).toBe(204);
    expect((await api('GET', `balance?accountId=${accountId}`)).status).toBe(404);
  });

  it('is not connected with a key that can withdraw', async () => {
    binance.accounts.addKey({ ...key, permissions: ['read', 'trade', 'withdraw'] });
    const { status, body } = await connect();
    expect(status).toBe(422);
    expect((body as { detail: string }).detail).toMatch(/can withdraw/);
  });

  it('is read-only with a key that can only read', async () => {
    binance.accounts.addKey({ ...key, permissions: ['read'] });
    expect((await connect()).body).toMatchObject({ readOnly: true });
  });

  it('is not connected with a key that Binance does not know', async () => {
    expect((await connect()).status).toBe(422);
  });
});
