import { argon2Sync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import type { AuditEntry, Trail } from '#shared/audit/entry';
import { LoginDelays } from '#shared/auth/login-delays';
import { refusalMs } from '#shared/auth/logins';
import { Sessions } from '#shared/auth/sessions';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import type { Table } from '#shared/platform/table';
import { type ClientRequest, httpApi, type TestHttpApi } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const email = 'ada@example.com';

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user(email);
});

const logIn = (body: object = {}, asked: ClientRequest = {}) =>
  http.request('POST', '/api/user/login', { body: { email, password, ...body }, ...asked });
const wrong = (asked: ClientRequest = {}) => logIn({ password: 'wrong password!' }, asked);
const entries = async (trail: Trail, type: string): Promise<readonly AuditEntry[]> =>
  (await new AuditReader(system.platform).ofUser(trail as UserId, { type }, { limit: 50 })).items;

describe('guessing at a password', () => {
  it('has to wait after a few failures, and is told how long', async () => {
    for (let guess = 0; guess < 4; guess++) expect((await wrong()).status).toBe(401);
    const { status, body, headers } = await wrong();
    expect([status, body.type, headers['retry-after']]).toEqual([429, '/problems/too-many-requests', '1']);
  });

  it('has to wait with the right password too, and not longer than it is told', async () => {
    for (let guess = 0; guess < 4; guess++) await wrong();
    expect((await logIn()).status).toBe(429);
    await system.clock.advance(1000);
    expect((await logIn()).status).toBe(200);
  });

  it('waits alike where nobody has the address', async () => {
    const nobody = { email: 'nobody@example.com' };
    const answers = [];
    for (let guess = 0; guess < 5; guess++) answers.push((await logIn(nobody)).status);
    expect(answers).toEqual([401, 401, 401, 401, 429]);
  });

  it('does not keep the owner out, who comes from where they were before', async () => {
    await logIn();
    for (let guess = 0; guess < 6; guess++) await wrong({ sourceAddress: '198.51.100.9' });
    expect((await logIn()).status).toBe(200);
  });

  it('goes on no faster with all addresses of an IPv6 network', async () => {
    const delays = new LoginDelays(system.platform);
    for (let guess = 0; guess < 20; guess++) await delays.attempt(`${guess}@example.com`, '2001:db8:0:0::/64');
    expect((await logIn({}, { sourceAddress: '2001:db8::7' })).status).toBe(429);
  });
});

describe('a refused login', () => {
  it.each([
    ['an unknown address', { email: 'nobody@example.com' }],
    ['a wrong password', { password: 'wrong password!' }],
  ])('for %s is answered when its time has come', async (_why, body) => {
    const before = system.clock.now();
    expect((await logIn(body)).status).toBe(401);
    expect(system.clock.now() - before).toBeGreaterThanOrEqual(refusalMs);
  });

  it('makes as many reads for an unknown address as for a wrong password', async () => {
    const reads: string[] = [];
    const get: Table['get'] = async (key, options) => {
      reads.push(key.sk);
      return await system.table.get(key, options);
    };
    http = await httpApi({ ...system.platform, table: tableWith(system.table, { get }) });
    const made: number[] = [];
    for (const body of [{ email: 'nobody@example.com' }, { password: 'wrong password!' }]) {
      await logIn(body);
      reads.length = 0;
      await logIn(body);
      made.push(reads.length);
    }
    expect(made[0]).toBeGreaterThan(3);
    expect(made[1]).toBe(made[0]);
  });

  it('is in the trail of its user with the reason, and the address of nobody is written nowhere', async () => {
    await wrong();
    await logIn({ email: 'typed-into-the-wrong-field@example.com' });
    expect(await entries(ada, 'auth.login-failed')).toMatchObject([
      { actor: { kind: 'anonymous' }, outcome: 'failure', target: { id: ada }, after: { reason: 'password' } },
    ]);
    const unknown = await entries('system', 'auth.login-failed');
    expect(unknown).toMatchObject([{ target: null, after: { reason: 'unknown-user' } }]);
    expect(JSON.stringify(unknown)).not.toContain('typed-into');
  });
});

describe('a login', () => {
  it('is in the trail with its session, and from where', async () => {
    await logIn({}, { sourceAddress: '198.51.100.9', userAgent: 'Phone' });
    const { sessions } = await new Sessions(system.platform).hold(ada);
    expect(await entries(ada, 'auth.login-succeeded')).toMatchObject([
      {
        actor: { kind: 'user', userId: ada, credentialId: sessions[0]?.sessionId },
        source: { address: '198.51.100.9', userAgent: 'Phone' },
        target: { kind: 'session', id: sessions[0]?.sessionId },
        after: { method: 'password' },
      },
    ]);
  });

  it('opens nothing when the password was changed after it was checked', async () => {
    const user = await system.table.get<StoredUser>(userKey(ada));
    await system.table.update(userKey(ada), { set: { passwordChange: 'another' } });
    const proof = { method: 'password', writes: [], ...(user && { user }) } as const;
    const opening = new Sessions(system.platform).open(ada, { address: '', userAgent: '' }, proof);
    await expect(opening).rejects.toMatchObject({ code: 'invalid-credentials' });
  });

  it('hashes a password anew whose hash has weaker parameters, and another login still works', async () => {
    const nonce = Buffer.from('0123456789abcdef');
    const weak = { message: password, nonce, memory: 64, passes: 1, parallelism: 1, tagLength: 32 };
    const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
    const old = `$argon2id$v=19$m=64,t=1,p=1$${text(nonce)}$${text(argon2Sync('argon2id', weak))}`;
    await system.table.update(userKey(ada), { set: { passwordHash: old } });
    expect((await logIn()).status).toBe(200);
    const after = await system.table.get<StoredUser>(userKey(ada));
    expect(after?.passwordHash).toMatch(/\$m=19456,t=2,p=1\$/);
    expect((await logIn()).status).toBe(200);
  });
});

describe('the end of sessions', () => {
  const token = async () => (await logIn()).body.accessToken as string;

  it('is in the trail: by a logout, of another one, and of all others', async () => {
    const [first, second] = [await token(), await token()];
    await token();
    const { items } = (await http.request('GET', '/api/user/sessions', { token: first })).body;
    const other = items.find(({ current }: { readonly current: boolean }) => !current);
    await http.request('DELETE', `/api/user/sessions/${other.id}`, { token: first });
    await http.request('DELETE', '/api/user/sessions', { token: first });
    await http.request('POST', '/api/user/logout', { token: first });
    expect((await http.request('GET', '/api/user/profile', { token: second })).status).toBe(401);
    const told = [...(await entries(ada, 'auth.session')), ...(await entries(ada, 'auth.logged-out'))];
    expect(told.map(({ type, after }) => [type, after])).toEqual([
      ['auth.sessions-revoked', { sessions: 1 }],
      ['auth.session-revoked', null],
      ['auth.logged-out', null],
    ]);
  });
});
