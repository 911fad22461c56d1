import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import { verifyAudit } from '#shared/audit/verify';
import type { UserId } from '#shared/model/user-id';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

let system: TestPlatform;
let http: TestHttpApi;
let admin: UserId;
let bob: UserId;
let eve: UserId;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  admin = await system.user('ada@example.com');
  bob = await system.user('bob@example.com');
  eve = await system.user('eve@example.com');
  token = (await logInAs(system.platform, admin)).accessToken;
});

const read = (query = '', by = token) => http.request('GET', `/api/system/audit?${query}`, { token: by });
const readings = async (of = admin) =>
  (await new AuditReader(system.platform).ofUser(of, { type: 'data.audit-read' }, { limit: 200 })).items;

describe('who reads the audit log', () => {
  it('of everybody is in it, in their own trail, with the session and from where', async () => {
    const { body } = await read();
    expect(JSON.stringify(body)).not.toContain('data.audit-read');
    expect(await readings()).toMatchObject([
      {
        trail: admin,
        outcome: 'success',
        actor: { kind: 'user', userId: admin, credentialId: expect.any(String) },
        source: { address: '203.0.113.7', userAgent: 'test' },
        target: null,
        after: null,
      },
    ]);
    expect((await verifyAudit(system.store)).findings).toEqual([]);
  });

  it('of somebody else is named with whose it was, and not in the trail of that one', async () => {
    await read(`userId=${bob}`);
    expect((await readings()).map(({ target }) => target)).toEqual([{ kind: 'user', id: bob }]);
    expect(await readings(bob)).toEqual([]);
  });

  it('of themselves is not, whichever way they ask', async () => {
    await read(`userId=${admin}`);
    await http.request('GET', '/api/user/audit', { token });
    expect(await readings()).toEqual([]);
  });

  it('page by page is counted, each page once', async () => {
    const { body } = await read(`limit=1&userId=${bob}`);
    for (let page = 2; page <= 16; page += 1) {
      await read(`limit=1&userId=${bob}&cursor=${encodeURIComponent(body.nextCursor)}`);
    }
    expect((await readings()).map(({ occurrences }) => occurrences)).toEqual([8, 4, 1, 1, 1, 1]);
  });

  it('of one person very often does not hide that they read that of another', async () => {
    for (let count = 0; count < 6; count += 1) await read(`userId=${bob}`);
    await read(`userId=${eve}`);
    expect((await readings())[0]?.target?.id).toBe(eve);
  });

  it('is not said to have, where nothing was shown', async () => {
    const trader = (await logInAs(system.platform, bob)).accessToken;
    const answers = [await read('', trader), await read('cursor=x.y'), await read('type=AUTH')];
    expect(answers.map(({ status }) => status)).toEqual([403, 400, 422]);
    expect([await readings(), await readings(bob)]).toEqual([[], []]);
  });

  it('is shown nothing that can not be written down', async () => {
    system.table.before = failing(({ name }) => name === 'transact');
    const { status, text } = await read();
    expect([status, text]).toEqual([503, expect.not.stringContaining('auth.registered')]);
  });
});
