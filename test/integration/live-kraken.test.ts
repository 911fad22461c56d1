import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, logIn } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { demoPassword } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { type KrakenDouble, startKraken } from '../support/venues/kraken.ts';

const key = { apiKey: 'integrationkey0123456789', secret: Buffer.from('integrationsecret').toString('base64') };

let kraken: KrakenDouble;
let server: Awaited<ReturnType<typeof startServerHere>>;
let headers: Record<string, string>;

beforeEach(async () => {
  kraken = await startKraken();
  server = await startServerHere({
    market: { venues: ['sim'] },
    exchange: { venueUrls: { kraken: kraken.url } },
    accounts: { syncSeconds: 1 },
  });
  const { body } = await logIn(server.url, await demoPassword(server.dataFolder));
  const { accessToken } = body as { accessToken: string };
  headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
});
afterEach(async () => {
  await server.end();
  await kraken.close();
});

const connect = () =>
  call(`${server.url}/api/exchange/accounts`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ venue: 'kraken', label: 'main', mode: 'live', credentials: key }),
  });

describe('an account at Kraken, on one machine', () => {
  it('is verified and synchronised', async () => {
    kraken.accounts.addKey({ ...key, permissions: ['read'] });
    kraken.accounts.setBalance(key.apiKey, 'BTC', '1.25');
    kraken.accounts.setBalance(key.apiKey, 'BTC', '2', '0', 'earn');
    const { status, body } = await connect();
    expect(status).toBe(201);
    expect(body).toMatchObject({ readOnly: true });
    const { accountId } = body as { accountId: string };
    await until('both balances', async () => {
      const answer = await call(`${server.url}/api/exchange/balance?accountId=${accountId}`, { headers });
      const { items } = answer.body as { items: { wallet: string; asset: string; total: string }[] };
      const told = items.map(({ wallet, asset, total }) => `${wallet} ${asset} ${Number(total)}`);
      return told.toSorted().join() === 'earn BTC 2,spot BTC 1.25';
    });
  });

  it('is not connected with a key that can withdraw', async () => {
    kraken.accounts.addKey({ ...key, permissions: ['read', 'withdraw'] });
    const { status, body } = await connect();
    expect(status).toBe(422);
    expect((body as { detail: string }).detail).toMatch(/can withdraw/);
  });
});
