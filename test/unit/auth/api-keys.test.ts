import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditOrigin } from '#shared/audit/entry';
import { apiKeyHash, newApiKey } from '#shared/auth/api-key-format';
import { API_KEYS_PER_USER_MAX, ApiKeys } from '#shared/auth/api-keys';
import { SessionEnded } from '#shared/auth/refusals';
import { API_KEY_KEYS } from '#shared/auth/stored-api-key';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import { systemRandom } from '#shared/platform/system';
import { every, type Item, type Table } from '#shared/platform/table';
import { type ClientRequest, httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { DEPLOYED, type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
let bob: UserId;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user('ada@example.com');
  bob = await system.user('bob@example.com');
  token = await tokenOf(system.platform, bob, 'trader');
});

const create = (fields: object = {}, as = token) =>
  http.request('POST', '/api/user/api-keys', {
    token: as,
    body: { name: 'a program', scopes: ['alerts:read', 'market:read'], ...fields },
  });
const made = async (fields: object = {}): Promise<{ id: string; key: string; expiresAt: number }> =>
  (await create(fields)).body;
const keys = async () => (await http.request('GET', '/api/user/api-keys', { token })).body.items;
const use = (key: string, path = '/api/alerts/list', more: ClientRequest = {}) =>
  http.request('GET', path, { ...more, headers: { 'x-api-key': key, ...more.headers } });
const statusOf = async (key: string, path?: string, more?: ClientRequest) => (await use(key, path, more)).status;
const changeUser = async (change: object) =>
  http.request('PUT', `/api/users/${bob}`, { token: await tokenOf(system.platform, ada, 'admin'), body: change });

describe('a key', () => {
  it('is told once, and opens what its scopes name', async () => {
    const { id, key } = await made();
    expect(key).toMatch(/^apk_/);
    expect(await statusOf(key)).toBe(200);
    expect((await use(key, '/api/user/profile')).body.userId).toBe(bob);
    const listed = await keys();
    expect(listed).toMatchObject([{ id, name: 'a program', hint: key.slice(0, 8), addresses: null }]);
    expect(JSON.stringify(listed)).not.toContain(key);
  });

  it('is kept nowhere', async () => {
    const { key } = await made();
    const items: Item[] = [];
    for await (const item of every<Item>(system.table, { pk: `USER#${bob}` })) items.push(item);
    items.push((await system.table.get<Item>({ pk: `${API_KEY_KEYS}${apiKeyHash(key)}`, sk: 'OWNER' })) as Item);
    expect(JSON.stringify(items)).not.toContain(key.slice(8));
  });

  it('may never do more than its owner may at that moment', async () => {
    const { key } = await made({ scopes: ['alerts:write', 'alerts:read'] });
    const write = () => http.request('DELETE', `/api/alerts/${bob}`, { headers: { 'x-api-key': key } });
    expect((await write()).status).toBe(404);
    await changeUser({ role: 'viewer' });
    expect([(await write()).status, await statusOf(key)]).toEqual([403, 200]);
  });

  it.each([
    ['more than its owner may do', { scopes: ['market:read', 'users:admin'], addresses: ['203.0.113.7'] }],
    ['nothing', { scopes: [] }],
    ['what does not exist', { scopes: ['trade:all'] }],
  ])('that may do %s is not made', async (_name, fields) => {
    const { status, body } = await create(fields);
    expect({ status, path: body.errors[0].path.split('.')[0] }).toEqual({ status: 422, path: 'scopes' });
    expect(await keys()).toEqual([]);
  });

  it.each([
    { name: '' },
    { expiresInDays: 0 },
    { expiresInDays: 366 },
    { addresses: [] },
    { addresses: ['10.0.0.0/33'] },
    { addresses: ['example.com'] },
    { addresses: Array.from({ length: 21 }, () => '10.0.0.1') },
    { admin: true },
  ])('of %j is not made', async (fields) => {
    expect((await create(fields)).status).toBe(422);
  });

  it.each(['trade:write', 'system:admin', 'users:admin'])(
    'with %s needs a list of addresses and lasts for 90 days at most',
    async (scope) => {
      const as = await tokenOf(system.platform, ada, 'admin');
      const addresses = ['203.0.113.0/24'];
      const scopes = ['market:read', scope];
      const refused = [await create({ scopes }, as), await create({ scopes, addresses, expiresInDays: 91 }, as)];
      expect(refused.map(({ status, body }) => [status, body.errors[0].path])).toEqual([
        [422, 'addresses'],
        [422, 'expiresInDays'],
      ]);
      expect((await create({ scopes, addresses, expiresInDays: 90 }, as)).status).toBe(201);
    },
  );

  it('lasts for 90 days where nothing else is said', async () => {
    const { key, expiresAt } = await made();
    expect(expiresAt).toBe(system.clock.now() + 90 * dayMs);
    await system.clock.advance(90 * dayMs - 1);
    expect(await statusOf(key)).toBe(200);
    await system.clock.advance(1);
    const { status, body } = await use(key);
    expect({ status, detail: body.detail }).toEqual({ status: 401, detail: 'The API key has expired.' });
  });

  it('ends when it is deleted', async () => {
    const { id, key } = await made();
    expect((await http.request('DELETE', `/api/user/api-keys/${id}`, { token })).status).toBe(204);
    expect((await http.request('DELETE', `/api/user/api-keys/${id}`, { token })).status).toBe(404);
    expect([await statusOf(key), await keys()]).toEqual([401, []]);
  });

  it('of somebody who is disabled is refused, and is good again with its owner', async () => {
    const { key } = await made();
    await changeUser({ disabled: true });
    expect(await statusOf(key)).toBe(401);
    await changeUser({ disabled: false });
    expect(await statusOf(key)).toBe(200);
  });

  it.each([
    ['203.0.113.7', ['203.0.113.7'], 200],
    ['203.0.113.8', ['203.0.113.7'], 403],
    ['203.0.113.200', ['198.51.100.1', '203.0.113.0/24'], 200],
    ['203.0.114.1', ['203.0.113.0/24'], 403],
    ['2001:db8:1::5', ['2001:db8:1::/48'], 200],
    ['2001:db8:2::5', ['2001:db8:1::/48'], 403],
    ['203.0.113.7', ['::/0'], 403],
    ['nowhere', ['0.0.0.0/0', '::/0'], 403],
  ])('from %s, where it may be used from %j, answers %i', async (sourceAddress, addresses, status) => {
    const { key } = await made({ addresses });
    const forged = { 'x-forwarded-for': '203.0.113.7' };
    expect(await statusOf(key, undefined, { sourceAddress, headers: forged })).toBe(status);
  });

  it.each([
    ['nobody made', () => newApiKey(systemRandom)],
    ['was mistyped', () => `${newApiKey(systemRandom)}0`],
    ['is empty', () => ''],
    ['is two', () => `${newApiKey(systemRandom)},${newApiKey(systemRandom)}`],
  ])('that %s is refused', async (_name, key) => {
    expect(await statusOf(key())).toBe(401);
  });

  it('beside a token is refused: which of them counts nobody could tell', async () => {
    const { key } = await made();
    expect(await statusOf(key, undefined, { token })).toBe(401);
  });

  it('counts with its owner for limits', async () => {
    const { key } = await made();
    const byKey = (await use(key)).headers.ratelimit;
    const bySession = (await http.request('GET', '/api/alerts/list', { token })).headers.ratelimit;
    const left = (header = '') => Number(/r=(\d+)/.exec(header)?.[1]);
    expect(left(byKey) - left(bySession)).toBe(1);
  });
});

describe('a session that has ended', () => {
  it('makes no key, however late its request is', async () => {
    const sessionId = (await http.request('GET', '/api/user/sessions', { token })).body.items[0].id;
    const origin: AuditOrigin = { actor: { kind: 'user', userId: bob, sessionId }, source: { address: '203.0.113.7' } };
    const wanted = { name: 'late', scopes: ['market:read' as const], expiresInDays: 1 };
    await http.request('POST', '/api/user/logout', { token });
    await expect(new ApiKeys(system.platform).create(bob, wanted, origin)).rejects.toThrow(SessionEnded);
    token = await tokenOf(system.platform, bob, 'trader');
    expect(await keys()).toEqual([]);
  });
});

describe('a user', () => {
  it('has so many keys and no more, and room again when some have expired', async () => {
    const fields = { expiresInDays: 1 };
    const answers = await Promise.all(Array.from({ length: API_KEYS_PER_USER_MAX + 2 }, () => create(fields)));
    expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(API_KEYS_PER_USER_MAX);
    while ((await create(fields)).status === 201);
    expect(await keys()).toHaveLength(API_KEYS_PER_USER_MAX);
    expect((await create()).body.type).toBe('/problems/limit-exceeded');
    await system.clock.advance(2 * dayMs);
    token = await tokenOf(system.platform, bob, 'trader');
    expect((await create()).status).toBe(201);
    expect(await keys()).toHaveLength(1);
  });

  it('sees when a key was used, to the hour', async () => {
    const { key } = await made();
    expect((await keys())[0].lastUsedAt).toBeNull();
    const first = system.clock.now();
    await use(key);
    await system.clock.advance(600_000);
    await use(key);
    expect((await keys())[0].lastUsedAt).toBe(first);
    await system.clock.advance(hourMs);
    await use(key);
    token = await tokenOf(system.platform, bob, 'trader');
    expect((await keys())[0].lastUsedAt).toBe(first + 600_000 + hourMs);
  });

  it('finds in their trail which keys were made, refused and deleted', async () => {
    const { id, key } = await made({ addresses: ['198.51.100.0/24'] });
    for (let count = 0; count < 5; count++) await use(key);
    await http.request('DELETE', `/api/user/api-keys/${id}`, { token });
    const { items } = (await http.request('GET', '/api/user/audit?type=api.', { token })).body;
    expect(items).toMatchObject([
      { type: 'api.key-revoked', target: { id }, actor: { kind: 'user', credentialId: expect.any(String) } },
      { type: 'api.key-refused', target: { id }, after: { reason: 'address' }, actor: { kind: 'anonymous' } },
      { type: 'api.key-created', after: { scopes: ['alerts:read', 'market:read'] } },
    ]);
  });

  it('finds in their trail what a key did', async () => {
    const { id, key } = await made({ scopes: ['exchange:write'] });
    const account = { venue: 'sim', label: 'practice', mode: 'paper' };
    await http.request('POST', '/api/exchange/accounts', { headers: { 'x-api-key': key }, body: account });
    const { items } = (await http.request('GET', '/api/user/audit?type=config.', { token })).body;
    expect(items[0].actor).toEqual({ kind: 'api-key', userId: bob, credentialId: id });
  });
});

describe('a table with trouble', () => {
  it('refuses nobody because a use could not be noted', async () => {
    const { key } = await made();
    const update: Table['update'] = async (at, ...rest) => {
      if (at.pk.startsWith(API_KEY_KEYS)) throw new Error('no capacity');
      return await system.table.update(at, ...rest);
    };
    http = await httpApi({ ...system.platform, table: tableWith(system.table, { update }) });
    expect(await statusOf(key)).toBe(200);
  });

  it('is asked once a minute on AWS, so that a key that was deleted ends within one', async () => {
    http = await httpApi({ ...system.platform, config: withSettings(system.platform.config, DEPLOYED) });
    const { id, key } = await made();
    expect(await statusOf(key)).toBe(200);
    await http.request('DELETE', `/api/user/api-keys/${id}`, { token });
    await system.clock.advance(60_000);
    expect(await statusOf(key)).toBe(401);
  });
});
