import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, call } from '../support/client.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';

const password = 'correct horse battery';
const startTimeoutMs = 60_000;
let server: ServerHere;
let bob: ApiClient;
let bobId: string;

const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

beforeAll(async () => {
  server = await startServerHere();
  const person = { email: 'bob@example.com', password };
  const registered = await call(`${server.url}/api/user/register`, json('POST', person));
  bobId = (registered.body as { userId: string }).userId;
  const login = await call(`${server.url}/api/user/login`, json('POST', person));
  bob = new ApiClient(server.url, (login.body as { accessToken: string }).accessToken);
}, startTimeoutMs);
afterAll(async () => void (await server?.end()));

const newKey = async (fields: object) => {
  const asked = { name: 'a program', scopes: ['market:read', 'exchange:write'], ...fields };
  return (await bob.send('POST', '/api/user/api-keys', asked)).body as { id: string; key: string };
};
const byKey = (key: string, path: string) => call(`${server.url}${path}`, { headers: { 'x-api-key': key } });

describe('a program with an API key', () => {
  it('reads what the key opens, from where it may, until the key is deleted', async () => {
    const here = await newKey({ addresses: ['127.0.0.0/8', '::1'] });
    const elsewhere = await newKey({ addresses: ['198.51.100.0/24'] });
    const prices = '/api/market/prices';
    const answers = [
      await byKey(here.key, prices),
      await byKey(here.key, '/api/alerts/list'),
      await byKey(here.key, '/api/user/export'),
      await byKey(elsewhere.key, prices),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403, 403]);
    expect((await bob.send('DELETE', `/api/user/api-keys/${here.id}`)).status).toBe(204);
    expect((await byKey(here.key, prices)).status).toBe(401);
  });

  it('is in the lists of what was used and of what was refused', async () => {
    const { key, id } = await newKey({});
    await byKey(key, '/api/market/prices');
    const { items } = await bob.get<{ items: { id: string; lastUsedAt: number | null }[] }>('/api/user/api-keys');
    expect(items.find((one) => one.id === id)?.lastUsedAt).toBeGreaterThan(0);
    const audit = await bob.get<{ items: { type: string }[] }>('/api/user/audit?type=api.key-refused');
    expect(audit.items.length).toBeGreaterThan(0);
  });
});

describe('who leaves', () => {
  it('is in the database nowhere any more but in the audit log and what ends by itself', async () => {
    await bob.send('POST', '/api/exchange/accounts', { venue: 'sim', label: 'practice', mode: 'paper' });
    await bob.anyPrice();
    await bob.createAlert({
      condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '9000000' },
    });
    const { status } = await bob.send('DELETE', '/api/user', { password });
    expect(status).toBe(204);
    const store = new DatabaseSync(join(server.dataFolder, 'alphapulse.db'), { readOnly: true });
    const rows = store
      .prepare(
        "SELECT pk, sk FROM items WHERE (pk || sk || item) LIKE '%' || ? || '%' OR item LIKE '%bob@example.com%'",
      )
      .all(bobId) as { pk: string; sk: string }[];
    store.close();
    const kinds = new Set(rows.map(({ pk }) => pk.split('#')[0]));
    // Counts of requests go with their minute.
    kinds.delete('LIMIT');
    expect([...kinds].toSorted()).toEqual(['AUDIT', 'REFRESH']);
  });
});
