import { beforeAll, describe, expect, it } from 'vitest';
import { alertKey } from '#shared/alerts/stored';
import { declarationOf } from '#shared/personal-data/item-kinds';
import { httpApi, type TestHttpApi } from '../../support/http-events.ts';
import { failing } from '../../support/observed-table.ts';
import { partitionOf, textsOf } from '../../support/partition.ts';
import { type SettledUser, settledUser } from '../../support/settled-user.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

interface Exported {
  readonly kind: string;
  readonly [field: string]: unknown;
}

let system: TestPlatform;
let http: TestHttpApi;
let ada: SettledUser;
let bob: SettledUser;
beforeAll(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  await system.tick('BTC/USDT', '60000');
  http = await httpApi(system.platform);
  ada = await settledUser(system, http, 'ada@example.com');
  bob = await settledUser(system, http, 'bob@example.com');
});

const exported = async ({ token }: SettledUser): Promise<{ items: Exported[]; pages: number }> => {
  const items: Exported[] = [];
  for (let pages = 1, cursor = ''; ; pages += 1) {
    const { status, body } = await http.request('GET', `/api/user/export${cursor}`, { token });
    if (status !== 200) throw new Error(body.detail);
    items.push(...body.items);
    if (body.nextCursor === null) return { items, pages };
    cursor = `?cursor=${encodeURIComponent(body.nextCursor)}`;
  }
};

describe('an export', () => {
  it('holds what the user has, of every kind', async () => {
    const { items } = await exported(bob);
    const ids = (kind: string, name: string) => items.filter((item) => item.kind === kind).map((item) => item[name]);
    expect(ids('user', 'email')).toEqual(['bob@example.com']);
    expect(ids('session', 'id')).toEqual([bob.sessionId]);
    expect(ids('api-key', 'id')).toEqual([bob.apiKeyId]);
    expect(ids('account', 'accountId')).toEqual([bob.accountId]);
    expect(ids('balance', 'accountId')).toEqual([bob.accountId]);
    expect(ids('order', 'orderId')).toEqual(['4711']);
    expect(ids('alert', 'alertId')).toContain(bob.alertId);
    expect(ids('notification', 'alertId')).toHaveLength(1);
    expect(ids('audit-entry', 'type')).toContain('config.settings-changed');
    expect(items.find(({ kind }) => kind === 'user')).toMatchObject({ settings: { baseCurrency: 'EUR' } });
  });

  it('holds no secret and nothing of how it is stored', async () => {
    const stored = await partitionOf(system.table, bob.userId);
    const secrets = stored.flatMap(({ passwordHash, hash, bodyHash }) => [passwordHash, hash, bodyHash]);
    const { items } = await exported(bob);
    const own = items.filter(({ kind }) => kind !== 'audit-entry');
    expect(
      textsOf(own).filter((text) => /^(pk|sk|gsi\w+|\w*[hH]ash)$|^(USER|ACCOUNT|ALERT)#|argon2|^apk_.{5}/.test(text)),
    ).toEqual([]);
    for (const secret of secrets) if (typeof secret === 'string') expect(JSON.stringify(own)).not.toContain(secret);
  });

  it('holds nothing of another user', async () => {
    const text = JSON.stringify((await exported(bob)).items);
    for (const foreign of [ada.userId, ada.alertId, ada.accountId, ada.apiKeyId, ada.email]) {
      expect(text).not.toContain(foreign);
    }
  });

  it('is for who is logged in, and its pages for the user they belong to', async () => {
    const byKey = await http.request('GET', '/api/user/export', { headers: { 'x-api-key': bob.apiKey } });
    const forged = await http.request('GET', '/api/user/export?cursor=audit.x', { token: bob.token });
    expect([byKey.status, forged.status]).toEqual([403, 400]);
  });

  it('comes in pages where it is large, each item once', async () => {
    const [alert] = (await partitionOf(system.table, ada.userId)).filter(({ kind }) => kind === 'alert');
    const many = Array.from(
      { length: 900 },
      (_, index) => `01890000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    );
    await system.table.writeMany(
      many.map((alertId) => ({
        put: { kind: 'alert', ...alert, ...alertKey(ada.userId, alertId), alertId, name: 'x'.repeat(5000) },
      })),
    );
    const { items, pages } = await exported(ada);
    const ids = items.filter(({ kind }) => kind === 'alert').map(({ alertId }) => alertId);
    expect(pages).toBeGreaterThan(1);
    expect(pages).toBeLessThan(6);
    expect(ids).toHaveLength(new Set(ids).size);
    expect(ids).toHaveLength(902);
  });

  it('is written down', async () => {
    await exported(bob);
    const { body } = await http.request('GET', '/api/user/audit?type=data.', { token: bob.token });
    expect(body.items[0]).toMatchObject({ type: 'data.exported', after: { items: expect.any(Number) } });
  });

  it('is not given where it can not be written down', async () => {
    system.table.before = failing(({ name }) => name === 'transact');
    const { status, body } = await http.request('GET', '/api/user/export', { token: bob.token });
    system.table.before = () => {};
    expect([status, body.items]).toEqual([503, undefined]);
  });
});

describe('each kind of item', () => {
  it('in a user partition is exported, or left out for a reason', async () => {
    const kinds = new Set((await partitionOf(system.table, bob.userId)).map(({ kind }) => kind));
    expect(kinds.size).toBeGreaterThan(10);
    expect([...kinds].filter((kind) => declarationOf(kind)?.owner !== 'user')).toEqual([]);
  });
});
