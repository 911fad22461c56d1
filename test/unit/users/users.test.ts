import { decodeJwt } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UserId } from '#shared/model/user-id';
import { Conflict } from '#shared/platform/errors';
import { every, type Item, type Key, type Table } from '#shared/platform/table';
import { UserSettings } from '#shared/users/user-settings';
import { Users } from '#shared/users/users';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const nobody = '01890000-0000-7000-8000-000000000000' as UserId;

describe('registering', () => {
  let system: TestPlatform;
  let users: Users;
  beforeEach(() => {
    system = testPlatform();
    users = new Users(system.platform);
  });

  it('makes the first user admin and the next ones traders', async () => {
    expect(await users.isEmpty()).toBe(true);
    const roles = [];
    for (const name of ['ada', 'bob', 'eve']) {
      roles.push((await users.register({ email: `${name}@example.com`, password })).role);
    }
    expect(roles).toEqual(['admin', 'trader', 'trader']);
    expect(await users.isEmpty()).toBe(false);
  });

  it('makes one admin when several come first', async () => {
    const names = ['ada', 'bob', 'eve', 'joe'];
    const many = names.map((name) => users.register({ email: `${name}@example.com`, password }));
    const profiles = await system.awake(Promise.all(many));
    expect(profiles.map(({ role }) => role).sort()).toEqual(['admin', 'trader', 'trader', 'trader']);
  });

  it('gives an address to one of those who ask at once, and that one can log in', async () => {
    const tries = await Promise.allSettled([1, 2, 3].map(() => users.register({ email: 'ada@example.com', password })));
    const made = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(made).toMatchObject([{ role: 'admin' }]);
    expect(refused).toEqual([expect.any(Conflict), expect.any(Conflict)]);
    const { status, body } = await (await httpApi(system.platform)).request('POST', '/api/user/login', {
      body: { email: 'ada@example.com', password },
    });
    expect({ status, userId: decodeJwt(body.accessToken).sub }).toEqual({ status: 200, userId: made[0]?.userId });
  });
});

describe('the user API', () => {
  let system: TestPlatform;
  let http: TestHttpApi;
  let ada: string;
  beforeAll(async () => {
    system = testPlatform();
    http = await httpApi(system.platform);
    const body = { email: 'Ada@Example.com', password: `${password} café`, name: ' Ada ' };
    ada = (await http.request('POST', '/api/user/register', { body })).body.userId;
  });
  const register = (email: unknown, more: object = { password }) =>
    http.request('POST', '/api/user/register', { body: { email, ...more } });
  const login = (email: string, secret: string) =>
    http.request('POST', '/api/user/login', { body: { email, password: secret } });
  const token = () => tokenOf(system.platform, ada as UserId, 'admin');

  it('gives a token that opens the profile', async () => {
    const { status, body } = await login('ada@example.com', `${password} café`);
    expect({ status, type: body.tokenType, expiresIn: body.expiresIn }).toEqual({
      status: 200,
      type: 'Bearer',
      expiresIn: 900,
    });
    const profile = await http.request('GET', '/api/user/profile', { token: body.accessToken });
    expect(profile.body).toEqual({
      userId: ada,
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
      role: 'admin',
      totpEnabled: false,
      createdAt: expect.any(Number),
      settings: {
        baseCurrency: 'USD',
        timeZone: 'UTC',
        quietHours: null,
        notificationChannels: ['websocket'],
        costBasisMethod: 'fifo',
        riskLimits: { maxOrderValue: null, maxDailyLoss: null, maxOpenOrders: null },
        webhookUrl: null,
        version: 1,
      },
    });
  });

  it('takes the address in any case and the password in any Unicode form', async () => {
    expect((await login('ADA@EXAMPLE.COM', `${password} café`.normalize('NFD'))).status).toBe(200);
  });

  it('answers a wrong password and an unknown address alike', async () => {
    const wrong = await login('ada@example.com', 'wrong password!');
    const unknown = await login('nobody@example.com', `${password} café`);
    expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.headers['www-authenticate']).toBe('Bearer realm="alphapulse"');
  });

  it.each(['ada@example.com', 'ADA@example.COM'])('refuses the address %s a second time', async (email) => {
    const { status, body } = await register(email);
    expect({ status, type: body.type }).toEqual({ status: 409, type: '/problems/conflict' });
    expect(JSON.stringify(body)).not.toContain(ada);
  });

  it('refuses an address again whose letters Unicode writes in two ways', async () => {
    expect((await register('kelvin@example.com')).status).toBe(201);
    // The sign for degrees Kelvin is a K in every normal form.
    expect((await register('\u212aelvin@example.com')).status).toBe(409);
  });

  it.each([
    'nobody',
    'a@b',
    '@example.com',
    'a b@example.com',
    'a@example.com\n',
    'a@example.com\0',
    'a#b@example.com',
    'a@@example.com',
    '<a@example.com>',
    'a@example.com,b@example.com',
    'a@example.com\r\nBcc: b@example.com',
    `${'a'.repeat(250)}@example.com`,
    '',
    null,
    {},
    ['a@example.com'],
  ])('refuses the address %j', async (email) => {
    const { status, body } = await register(email);
    expect({ status, path: body.errors[0].path }).toEqual({ status: 422, path: 'email' });
  });

  it.each([
    ['short', 'eleven char'],
    ['long', 'x'.repeat(129)],
    ['no string', 123_456_789_012],
    ['missing', undefined],
  ])('refuses a password that is %s', async (_name, secret) => {
    const { status, body } = await register('new@example.com', { password: secret });
    expect({ status, path: body.errors[0].path }).toEqual({ status: 422, path: 'password' });
    if (typeof secret === 'string') expect(JSON.stringify(body)).not.toContain(secret);
  });

  it('lets nobody choose a role or id', async () => {
    for (const more of [{ role: 'admin' }, { userId: ada }, { version: 1 }]) {
      expect((await register('new@example.com', { password, ...more })).status).toBe(422);
    }
  });

  it('never answers with anything of a password, hash or other user', async () => {
    const bob = await register('bob@example.com');
    const bobs = await tokenOf(system.platform, bob.body.userId, 'trader');
    const answers = [
      bob,
      await register('bob@example.com'),
      await login('bob@example.com', password),
      await login('bob@example.com', 'wrong password!'),
      await http.request('GET', '/api/user/profile', { token: bobs }),
      await http.request('PUT', '/api/user/settings', { token: bobs, body: { webhookUrl: 'https://example.com/x' } }),
    ];
    for (const { text } of answers) {
      expect(text).not.toMatch(/argon2|passwordHash|correct horse/);
      expect(text).not.toContain(ada);
    }
  });

  it('stores no password', async () => {
    const items: Item[] = [];
    for await (const item of every<Item>(system.table, { pk: `USER#${ada}` })) items.push(item);
    expect(JSON.stringify(items)).not.toContain(password);
    expect(items[0]).toMatchObject({ passwordHash: expect.stringMatching(/^\$argon2id\$/) });
  });

  describe('settings', () => {
    const put = async (body: unknown) => http.request('PUT', '/api/user/settings', { token: await token(), body });

    it('give the secret that signs webhooks, the same each time and another to each user', async () => {
      const first = (await put({ webhookUrl: 'https://example.com/a' })).body;
      const second = (await put({ webhookUrl: 'https://example.com/b' })).body;
      expect(first.webhookSecret).toMatch(/^whsec_[\w-]{43}$/);
      expect(second.webhookSecret).toBe(first.webhookSecret);
      expect(second.webhookSecret).toBe(await new Users(system.platform).webhookSecret(ada as UserId));
      expect(await new Users(system.platform).webhookSecret(nobody)).not.toBe(first.webhookSecret);
      const { body } = await http.request('GET', '/api/user/profile', { token: await token() });
      expect(body.settings).toMatchObject({ webhookUrl: 'https://example.com/b' });
    });

    it('without an address have no secret', async () => {
      expect((await put({ webhookUrl: null })).body).toMatchObject({ webhookUrl: null, webhookSecret: null });
    });

    it.each([
      'example.com',
      'ftp://example.com',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'http://',
      'http:example.com',
      `https://example.com/${'x'.repeat(2048)}`,
      '',
      7,
    ])('refuse the address %j', async (webhookUrl) => {
      const { status, body } = await put({ webhookUrl });
      expect({ status, path: body.errors[0].path }).toEqual({ status: 422, path: 'webhookUrl' });
    });

    it('take no role', async () => {
      expect((await put({ webhookUrl: null, role: 'admin' })).status).toBe(422);
    });
  });

  it('of a user who is gone, there is nothing to read or change', async () => {
    const gone = await tokenOf(system.platform, nobody, 'trader');
    const read = await http.request('GET', '/api/user/profile', { token: gone });
    const changed = await http.request('PUT', '/api/user/settings', { token: gone, body: { webhookUrl: null } });
    expect([read.status, changed.status]).toEqual([404, 404]);
    expect(await system.table.get({ pk: `USER#${nobody}`, sk: 'PROFILE' })).toBeUndefined();
  });
});

describe('a table whose plain reads lag behind', () => {
  it('still shows what was just changed', async () => {
    const system = testPlatform();
    const userId = await system.user();
    const before = await system.table.get({ pk: `USER#${userId}`, sk: 'PROFILE' });
    const get: Table['get'] = async <T extends Item>(key: Key, options?: { readonly consistent?: boolean }) =>
      options?.consistent === true ? await system.table.get<T>(key) : (before as T | undefined);
    const lagging = tableWith(system.table, { get });
    const users = new Users({ ...system.platform, table: lagging });
    const settings = new UserSettings({ ...system.platform, table: lagging });
    await settings.change(userId, { webhookUrl: 'https://example.com/x' }, testOrigin);
    expect((await users.profile(userId)).settings.webhookUrl).toBe('https://example.com/x');
  });
});
