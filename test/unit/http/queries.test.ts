import { beforeEach, describe, expect, it } from 'vitest';
import type { UserId } from '#shared/model/user-id';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' };

let system: TestPlatform;
let http: TestHttpApi;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  http = await httpApi(system.platform);
  token = await tokenOf(system.platform, ada, 'trader');
});

const create = (body: unknown, headers: Record<string, string> = {}) =>
  http.request('POST', '/api/alerts/create', { token, body, headers });

describe('queries', () => {
  const list = (query: string, path = '/api/alerts/list') => http.request('GET', `${path}?${query}`, { token });

  it.each([
    ['limit=0', 'query.limit'],
    ['limit=201', 'query.limit'],
    ['limit=abc', 'query.limit'],
    ['limit=', 'query.limit'],
    ['limit=-1', 'query.limit'],
    ['limit=1.5', 'query.limit'],
    ['limit=Infinity', 'query.limit'],
    ['limit=1&limit=2', 'query.limit'],
    ['status=active&status=triggered', 'query.status'],
    ['status=gone', 'query.status'],
    ['symbol=%23', 'query.symbol'],
    ['surprise=1', 'query'],
    ['__proto__=1', 'query'],
    ['limit[$gt]=1', 'query'],
  ])('%s is a 422', async (query, path) => {
    const { status, body } = await list(query);
    expect({ status, path: body.errors?.[0]?.path }).toEqual({ status: 422, path });
  });

  it('goes through all alerts page by page', async () => {
    for (let index = 0; index < 7; index++) await create({ condition, name: `alert ${index}` });
    const names: string[] = [];
    let cursor = '';
    do {
      const { body } = await list(`limit=3${cursor}`);
      names.push(...body.items.map(({ name }: { name: string }) => name));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `alert ${index}`));
  });

  it('refuses a cursor that was changed, cut off, or belongs to another list or user', async () => {
    for (let index = 0; index < 3; index++) await create({ condition });
    const cursor: string = (await list('limit=2')).body.nextCursor;
    const changed = [
      'x',
      '.',
      '',
      `${cursor}x`,
      `${cursor}.x`,
      `x${cursor}`,
      cursor.slice(0, -1),
      cursor.replace('.', ''),
      cursor.toUpperCase(),
      'x'.repeat(5000),
      `${'x'.repeat(4000)}.${'x'.repeat(16)}`,
      '%00',
    ];
    for (const wrong of changed) {
      const { status, body } = await list(`limit=2&cursor=${wrong}`);
      expect({ wrong, status, type: body.type }).toEqual({ wrong, status: 400, type: '/problems/invalid-cursor' });
    }
    const eve = await tokenOf(system.platform, '01890000-0000-7000-8000-00000000e4e0' as UserId, 'trader');
    const foreign = [
      list(`cursor=${cursor}`, '/api/alerts/history'),
      list(`cursor=${cursor}`, '/api/market/prices'),
      list(`status=active&cursor=${cursor}`),
      http.request('GET', `/api/alerts/list?cursor=${cursor}`, { token: eve }),
    ];
    expect((await Promise.all(foreign)).map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });
});
