import { beforeEach, describe, expect, it } from 'vitest';
import { ordersIndex } from '#shared/accounts/stored';
import { verifyAudit } from '#shared/audit/verify';
import { apiKeyHash } from '#shared/auth/api-key-format';
import { apiKeyOwnerKey } from '#shared/auth/stored-api-key';
import { emailKey, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import type { Item, Table } from '#shared/platform/table';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { partitionOf } from '../../support/partition.ts';
import { type SettledUser, settledUser } from '../../support/settled-user.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';

let system: TestPlatform;
let http: TestHttpApi;
let admin: { userId: UserId; token: string };
let bob: SettledUser;
beforeEach(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  await system.tick('BTC/USDT', '60000');
  http = await httpApi(system.platform);
  const userId = await system.user('ada@example.com');
  admin = { userId, token: (await logInAs(system.platform, userId)).accessToken };
  bob = await settledUser(system, http, 'bob@example.com');
});

const leave = (secret = password, token = bob.token, by = http) =>
  by.request('DELETE', '/api/user', { token, body: { password: secret } });
const remove = (userId: string, by = http) => by.request('DELETE', `/api/users/${userId}`, { token: admin.token });
const get = (key: { readonly pk: string; readonly sk: string }) => system.table.get<Item>(key);

/** What is left of Bob, outside of the audit log. */
const left = async () => {
  const lookups = await Promise.all(
    [emailKey(bob.email), apiKeyOwnerKey(apiKeyHash(bob.apiKey)), ...bob.waits].map(get),
  );
  const { items } = await system.table.query<Item>(ordersIndex(bob.userId, bob.accountId));
  const found = [...(await partitionOf(system.table, bob.userId)), ...lookups, ...items];
  return found.flatMap((item) => (item === undefined ? [] : [`${item.pk} ${item.sk}`]));
};
const trail = async (): Promise<{ type: string; actor: object }[]> =>
  (await http.request('GET', `/api/system/audit?userId=${bob.userId}`, { token: admin.token })).body.items;

describe('who leaves', () => {
  it('leaves nothing behind but an audit trail without a name or address of mail', async () => {
    expect((await left()).length).toBeGreaterThan(12);
    expect((await leave()).status).toBe(204);
    expect(await left()).toEqual([]);
    const entries = await trail();
    expect(entries.slice(0, 2).map(({ type }) => type)).toEqual(['data.user-deleted', 'data.deletion-begun']);
    expect(JSON.stringify(entries)).not.toContain('bob@');
    expect((await verifyAudit(system.table)).findings).toEqual([]);
  });

  it('has no access left, and an address that is free again', async () => {
    await leave();
    const byKey = await http.request('GET', '/api/alerts/list', { headers: { 'x-api-key': bob.apiKey } });
    const bySession = await http.request('GET', '/api/user/profile', { token: bob.token });
    expect([byKey.status, bySession.status]).toEqual([401, 401]);
    const body = { email: bob.email, password };
    expect((await http.request('POST', '/api/user/login', { body })).status).toBe(401);
    expect((await http.request('POST', '/api/user/register', { body })).status).toBe(201);
  });

  it('fires no alert any more', async () => {
    await leave();
    await system.tick('BTC/USDT', '80000');
    await system.settle();
    expect(await left()).toEqual([]);
  });

  it('needs the password, and has a few tries', async () => {
    const before = await left();
    const answers = [];
    for (let count = 0; count < 6; count++) answers.push((await leave('wrong password!')).status);
    expect(answers).toEqual([403, 403, 403, 403, 429, 429]);
    expect(await left()).toEqual(before);
  });

  it('does so in person: no API key can', async () => {
    const body = { password };
    const { status } = await http.request('DELETE', '/api/user', { headers: { 'x-api-key': bob.apiKey }, body });
    expect(status).toBe(403);
  });

  it('is not the last admin', async () => {
    expect((await leave(password, admin.token)).status).toBe(409);
    expect((await http.request('GET', '/api/users', { token: admin.token })).status).toBe(200);
    await http.request('PUT', `/api/users/${bob.userId}`, { token: admin.token, body: { role: 'admin' } });
    expect((await leave(password, admin.token)).status).toBe(204);
    expect((await leave()).body.detail).toMatch(/last admin/);
  });
});

describe('an admin', () => {
  it('deletes a user with everything', async () => {
    expect((await remove(bob.userId)).status).toBe(204);
    expect(await left()).toEqual([]);
    expect((await trail())[0]).toMatchObject({
      type: 'data.user-deleted',
      actor: { userId: admin.userId, credentialId: expect.any(String) },
    });
    expect((await remove(bob.userId)).status).toBe(404);
  });

  it('does not delete themselves by the way', async () => {
    expect((await remove(admin.userId)).status).toBe(409);
  });
});

describe('a deletion that is cut short', () => {
  /** The API on a table that fails from its `writes`th write on. */
  const failing = async (writes: number): Promise<TestHttpApi> => {
    let made = 0;
    const counted =
      <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        made += 1;
        if (made > writes) throw new Error('killed');
        return await write(...args);
      };
    const { table } = system;
    const methods: Partial<Table> = {
      put: counted((...args: Parameters<Table['put']>) => table.put(...args)),
      delete: (key, condition) => counted(() => table.delete(key, condition))() as never,
      writeMany: counted((...args: Parameters<Table['writeMany']>) => table.writeMany(...args)),
      transact: counted((...args: Parameters<Table['transact']>) => table.transact(...args)),
    };
    return await httpApi({ ...system.platform, table: tableWith(table, methods) });
  };

  it('after any of its writes is finished by asking again, or by an admin', async () => {
    for (let writes = 0, status = 0; status !== 204; writes += 1) {
      const gone = await failing(writes);
      status = (await remove(bob.userId, gone)).status;
      if (status === 204) expect(writes).toBeGreaterThan(8);
      else expect((await remove(bob.userId)).status).toBe(204);
      expect(await left()).toEqual([]);
      bob = await settledUser(system, http, `bob${writes}@example.com`);
    }
    expect((await verifyAudit(system.table)).findings).toEqual([]);
  }, 20_000);

  it('leaves a user who can do nothing but ask again', async () => {
    const { accessToken: other } = await logInAs(system.platform, bob.userId);
    const { status } = await leave(password, bob.token, await failing(6));
    expect(status).toBe(500);
    const { body } = await http.request('GET', '/api/users', { token: admin.token });
    expect(body.items[1]).toMatchObject({ userId: bob.userId, removing: true, disabled: true });
    const asks = (method: string, path: string, token: string, more: object = {}) =>
      http.request(method, path, { token, body: more });
    const practice = { venue: 'sim', label: 'practice', mode: 'paper' };
    const answers = [
      await asks('GET', '/api/user/profile', other),
      await asks('POST', '/api/user/login', '', { email: bob.email, password }),
      await asks('POST', '/api/exchange/accounts', bob.token, practice),
      await asks('POST', '/api/user/api-keys', bob.token, { name: 'late', scopes: ['market:read'] }),
      await asks('PUT', '/api/user/settings', bob.token, { baseCurrency: 'GBP' }),
      await asks('PUT', `/api/users/${bob.userId}`, admin.token, { disabled: false }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 403, 404, 409, 409]);
    expect((await leave()).status).toBe(204);
    expect(await left()).toEqual([]);
    expect(await get(userKey(bob.userId))).toBeUndefined();
  });
});
