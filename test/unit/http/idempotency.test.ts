import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Table } from '#shared/platform/table';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const eve = '01890000-0000-7000-8000-00000000e4e0' as UserId;
const hourMs = 3_600_000;
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' };

let system: TestPlatform;
let http: TestHttpApi;
beforeEach(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  http = await httpApi(system.platform);
});

const create = async (key: string | undefined, more: object = {}, userId = ada, api = http) =>
  api.request('POST', '/api/alerts/create', {
    token: await tokenOf(system.platform, userId, 'trader'),
    body: { condition, ...more },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });
const count = async (userId = ada): Promise<number> =>
  (await http.request('GET', '/api/alerts/list', { token: await tokenOf(system.platform, userId, 'trader') })).body
    .items.length;
const apiWith = (methods: Partial<Table>) =>
  httpApi({ ...system.platform, table: tableWith(system.table, methods) } satisfies Platform);

describe('the same Idempotency-Key', () => {
  it('gets the same answer, and there is one effect', async () => {
    const first = await create('k');
    const second = await create('k');
    expect(second).toMatchObject({ status: 201, text: first.text, headers: { 'idempotent-replayed': 'true' } });
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(await count()).toBe(1);
  });

  it('has one entry in the audit log, one after the other and at once', async () => {
    await create('k');
    await create('k');
    await Promise.all([1, 2, 3].map(() => create('other')));
    const { items } = await new AuditReader(system.platform).ofUser(ada, {}, { limit: 200 });
    expect(items.map(({ type }) => type)).toEqual(['config.alert-created', 'config.alert-created']);
  });

  it('matches a body that differs only in notation', async () => {
    const first = await create('k', { severity: 'info', name: 'x' });
    const second = await create('k', { name: ' x ', channels: ['websocket'] });
    expect(second.text).toBe(first.text);
  });

  it('with another body is a conflict', async () => {
    await create('k');
    const { status, body } = await create('k', { name: 'other' });
    expect({ status, detail: body.detail }).toEqual({
      status: 409,
      detail: 'This Idempotency-Key was used with another body.',
    });
    expect(await count()).toBe(1);
  });

  it('of another user is another key', async () => {
    const first = await create('k');
    const other = await create('k', { name: 'mine' }, eve);
    expect(other.status).toBe(201);
    expect(other.body.alertId).not.toBe(first.body.alertId);
    expect([await count(), await count(eve)]).toEqual([1, 1]);
  });

  it('used by several at once has one effect; who does not get the answer may ask again', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => create('k')));
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 409);
    expect(made.length + refused.length).toBe(5);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const { headers } of refused) expect(headers['retry-after']).toBe('1');
    expect(await count()).toBe(1);
    expect((await create('k')).text).toBe(made[0]?.text);
  });

  it('is released when the first attempt was rejected', async () => {
    expect((await create('k', { condition: { ...condition, symbol: 'NOT/TRADED' } })).status).toBe(422);
    expect((await create('k')).status).toBe(201);
  });

  it('is released when the first attempt failed', async () => {
    const failing = await apiWith({
      transact: async () => {
        throw new Unavailable('The table does not answer.');
      },
    });
    expect((await create('k', {}, ada, failing)).status).toBe(503);
    expect((await create('k')).status).toBe(201);
    expect(await count()).toBe(1);
  });

  it('of a crashed request is held until its lease expires, then the request runs again', async () => {
    const reached = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<never>();
    const crashing = await apiWith({
      transact: () => {
        reached.resolve();
        return gone.promise;
      },
    });
    const crashed = create('k', {}, ada, crashing);
    await reached.promise;
    expect((await create('k')).status).toBe(409);
    expect((await create('k', { name: 'other' })).body.detail).toBe('This Idempotency-Key was used with another body.');
    await system.clock.advance(30_000);
    expect((await create('k')).status).toBe(201);
    expect(await count()).toBe(1);
    gone.reject(new Unavailable('The process ended.'));
    await crashed;
  });

  it('does not repeat the effect when its answer could not be stored', async () => {
    let writes = 0;
    const forgetful = await apiWith({
      put: async (item, condition) => {
        if (item.kind === 'idempotency' && ++writes > 1) throw new Unavailable('The table does not answer.');
        await system.table.put(item, condition);
      },
    });
    expect((await create('k', {}, ada, forgetful)).status).toBe(201);
    expect((await create('k')).status).toBe(409);
    expect(await count()).toBe(1);
  });

  it('reports the reason of a failure even if the key cannot be released', async () => {
    const stuck = await apiWith({
      delete: async () => {
        throw new Unavailable('The table does not answer.');
      },
    });
    expect((await create('k', { condition: { ...condition, symbol: 'NOT/TRADED' } }, ada, stuck)).status).toBe(422);
  });

  it('that was released between write and read may be retried at once', async () => {
    const racing = await apiWith({
      put: async () => {
        throw new ConditionFailed('The item is not as expected');
      },
    });
    const { status, headers } = await create('k', {}, ada, racing);
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 409, retryAfter: '1' });
  });

  it('is kept for 24 hours', async () => {
    const first = await create('k');
    await system.clock.advance(24 * hourMs - 1000);
    expect((await create('k')).text).toBe(first.text);
    await system.clock.advance(1000);
    const later = await create('k', { name: 'a new day' });
    expect(later).toMatchObject({ status: 201, body: { name: 'a new day' } });
  });
});

describe('an Idempotency-Key', () => {
  it.each([
    ['one character', 'k', 201],
    ['255 characters', 'k'.repeat(255), 201],
    ['none', '', 400],
    ['256 characters', 'k'.repeat(256), 400],
    ['characters of keys', 'USER#x\n', 201],
  ])('may have %s', async (_name, key, status) => {
    expect((await create(key)).status).toBe(status);
  });

  it('is optional', async () => {
    await create(undefined);
    await create(undefined);
    expect(await count()).toBe(2);
  });

  it('gives no access to a caller without a token', async () => {
    await create('k');
    const { status } = await http.request('POST', '/api/alerts/create', {
      body: { condition },
      headers: { 'idempotency-key': 'k' },
    });
    expect(status).toBe(401);
  });
});
