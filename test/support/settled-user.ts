import { orderKey, orderPlaces, type StoredOrder } from '#shared/accounts/stored';
import { alertKey, type StoredAlert } from '#shared/alerts/stored';
import type { UserId } from '#shared/model/user-id';
import { logInAs, type TestHttpApi } from './http-events.ts';
import type { TestPlatform } from './test-platform.ts';

/** A user who has something of everything: what they have, by its ids. `BTC/USDT` of `sim` has a price of 60000. */
export const settledUser = async (system: TestPlatform, http: TestHttpApi, email: string) => {
  const userId = await system.user(email);
  const { accessToken: token } = await logInAs(system.platform, userId);
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const answer = await http.request('POST', path, { token, body, headers });
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
    return answer.body;
  };
  const alert = (operator: string) => ({
    condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator, value: '70000' },
    repeat: 'always',
  });
  const { alertId } = await post('/api/alerts/create', alert('above'), { 'idempotency-key': email });
  await post('/api/alerts/create', alert('below'));
  const practice = { venue: 'sim', label: 'practice', mode: 'paper' };
  const { accountId } = await post('/api/exchange/accounts', practice);
  const { id: apiKeyId, key: apiKey } = await post('/api/user/api-keys', {
    name: 'a program',
    scopes: ['alerts:read', 'alerts:write', 'exchange:read', 'exchange:write', 'market:read'],
  });
  const { items } = (await http.request('GET', '/api/user/sessions', { token })).body;
  await http.request('PUT', '/api/user/settings', { token, body: { baseCurrency: 'EUR' } });
  await system.table.put(anOrder(userId, accountId, system.clock.now()));
  await system.settle();
  const waits = (await system.table.get<StoredAlert>(alertKey(userId, alertId)))?.waits ?? [];
  return { userId, token, email, alertId, accountId, apiKeyId, apiKey, sessionId: String(items[0].id), waits };
};
export type SettledUser = Awaited<ReturnType<typeof settledUser>>;

const anOrder = (userId: UserId, accountId: string, createdAt: number): StoredOrder => ({
  ...orderKey(userId, accountId, 'BTC/USDT', '4711'),
  ...orderPlaces(userId, accountId, { symbol: 'BTC/USDT', orderId: '4711', status: 'open', createdAt }),
  kind: 'order',
  ...{ userId, accountId, orderId: '4711', clientOrderId: null, symbol: 'BTC/USDT', side: 'buy', type: 'limit' },
  ...{ status: 'open', timeInForce: null, amount: '1', filled: '0', price: '50000', stopPrice: null, average: null },
  ...{ reduceOnly: null, postOnly: null, createdAt, updatedAt: null, fetchedAt: createdAt, source: 'live' },
});
