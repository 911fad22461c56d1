import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { call } from '../support/client.ts';
import { target } from './target.ts';
import { newUser } from './user.ts';

const condition = {
  type: 'price',
  venue: 'binance',
  symbol: 'BTC/USDT',
  operator: 'crosses_above',
  value: '1000000',
} as const;

describe('an alert', () => {
  it('is listed as it was created', async () => {
    const { client } = await newUser();
    const created = await client.createAlert({ name: 'to the moon', condition, channels: ['email'] });
    expect(created).toMatchObject({
      name: 'to the moon',
      condition,
      channels: ['email'],
      status: 'active',
      version: 1,
    });
    expect(await client.alerts()).toEqual([created]);
  });

  it('is read by its id', async () => {
    const { client } = await newUser();
    const created = await client.createAlert({ condition });
    expect(await client.get(`/api/alerts/${created.alertId}`)).toEqual(created);
    expect(await client.send('GET', `/api/alerts/${randomUUID()}`)).toMatchObject({ status: 404 });
  });

  it('is listed newest first, page by page', async () => {
    const { client } = await newUser();
    const created = [];
    for (const name of ['1', '2', '3']) created.push(await client.createAlert({ name, condition }));
    const first = await client.get<{ items: unknown[]; nextCursor: string }>('/api/alerts/list?limit=2');
    expect(first.items).toEqual([created[2], created[1]]);
    const cursor = encodeURIComponent(first.nextCursor);
    expect(await client.get(`/api/alerts/list?limit=2&cursor=${cursor}`)).toEqual({
      items: [created[0]],
      nextCursor: null,
    });
  });

  it('is listed by its symbol and status', async () => {
    const { client } = await newUser();
    const bitcoin = await client.createAlert({ condition });
    await client.createAlert({ condition: { ...condition, symbol: 'ETH/USDT' } });
    expect(await client.get('/api/alerts/list?symbol=BTC/USDT&status=active')).toMatchObject({ items: [bitcoin] });
    expect(await client.get('/api/alerts/list?status=triggered')).toMatchObject({ items: [] });
  });

  it('is changed in the fields that are given', async () => {
    const { client } = await newUser();
    const { alertId } = await client.createAlert({ condition });
    const { status, body } = await client.send('PUT', '/api/alerts/update', {
      alertId,
      severity: 'critical',
      version: 1,
    });
    expect([status, body]).toMatchObject([200, { alertId, severity: 'critical', condition, version: 2 }]);
    expect(await client.alerts()).toEqual([body]);
  });

  it('is not changed by somebody who read an older version', async () => {
    const { client } = await newUser();
    const { alertId } = await client.createAlert({ condition });
    await client.send('PUT', '/api/alerts/update', { alertId, name: 'first', version: 1 });
    expect(await client.send('PUT', '/api/alerts/update', { alertId, name: 'second', version: 1 })).toMatchObject({
      status: 409,
    });
  });

  it('is gone when it was deleted', async () => {
    const { client } = await newUser();
    const { alertId } = await client.createAlert({ condition });
    expect(await client.send('DELETE', `/api/alerts/${alertId}`)).toMatchObject({ status: 204, body: '' });
    expect(await client.alerts()).toEqual([]);
    expect(await client.send('DELETE', `/api/alerts/${alertId}`)).toMatchObject({ status: 404 });
  });
});

describe('an idempotency key', () => {
  const createOnce = (token: string, key: string, body: object) =>
    call(`${target.url}/api/alerts/create`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });

  it('makes one alert of a request that is sent again, with the same answer', async () => {
    const { client, token } = await newUser();
    const key = randomUUID();
    const [first, second] = [await createOnce(token, key, { condition }), await createOnce(token, key, { condition })];
    expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await client.alerts()).toHaveLength(1);
  });

  it('makes one alert of requests that come at the same time', async () => {
    const { client, token } = await newUser();
    const key = randomUUID();
    const answers = await Promise.all([1, 2, 3].map(() => createOnce(token, key, { condition })));
    expect(answers.map(({ status }) => status).every((status) => status === 201 || status === 409)).toBe(true);
    expect(await client.alerts()).toHaveLength(1);
  });

  it('is refused with another body', async () => {
    const { token } = await newUser();
    const key = randomUUID();
    await createOnce(token, key, { condition });
    expect(await createOnce(token, key, { condition, name: 'other' })).toMatchObject({ status: 409 });
  });

  it('belongs to its user', async () => {
    const [one, other] = [await newUser(), await newUser()];
    const key = randomUUID();
    await createOnce(one.token, key, { condition });
    await createOnce(other.token, key, { condition, name: 'other' });
    expect(await other.client.alerts()).toMatchObject([{ name: 'other' }]);
  });
});

describe("another user's alert", () => {
  it('is not listed, and can be neither changed nor deleted', async () => {
    const [owner, stranger] = [await newUser(), await newUser()];
    const alert = await owner.client.createAlert({ condition });
    const { alertId } = alert;
    expect(await stranger.client.alerts()).toEqual([]);
    const attempts = await Promise.all([
      stranger.client.send('PUT', '/api/alerts/update', { alertId, name: 'mine' }),
      stranger.client.send('DELETE', `/api/alerts/${alertId}`),
      stranger.client.send('GET', `/api/alerts/${alertId}`),
    ]);
    expect(attempts.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(await owner.client.alerts()).toEqual([alert]);
  });

  it("can't be reached by a cursor of its owner", async () => {
    const [owner, stranger] = [await newUser(), await newUser()];
    for (const name of ['1', '2']) await owner.client.createAlert({ name, condition });
    const { nextCursor } = await owner.client.get<{ nextCursor: string }>('/api/alerts/list?limit=1');
    const stolen = await stranger.client.send('GET', `/api/alerts/list?cursor=${encodeURIComponent(nextCursor)}`);
    expect(stolen.status === 400 || (stolen.body as { items: unknown[] }).items.length === 0).toBe(true);
  });
});
