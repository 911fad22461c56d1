import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import type { AuditOrigin } from '#shared/audit/entry';
import { Sessions } from '#shared/auth/sessions';
import type { UserId } from '#shared/model/user-id';
import type { Table } from '#shared/platform/table';
import { UserAdministration } from '#shared/users/administration';
import { RegistrationClosed, Users } from '#shared/users/users';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';

interface Person {
  readonly userId: UserId;
  readonly token: string;
  readonly refreshToken: string;
}

let system: TestPlatform;
let http: TestHttpApi;
let ada: Person;
let bob: Person;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await person('ada@example.com');
  bob = await person('bob@example.com');
});

const logIn = (email: string) => http.request('POST', '/api/user/login', { body: { email, password } });
const person = async (email: string): Promise<Person> => {
  const userId = await system.user(email);
  const { accessToken: token, refreshToken } = await logInAs(system.platform, userId);
  return { userId, token, refreshToken };
};
const change = (whom: Pick<Person, 'userId'>, body: unknown, { token } = ada) =>
  http.request('PUT', `/api/users/${whom.userId}`, { token, body });
const list = async (query = '', { token } = ada) => await http.request('GET', `/api/users${query}`, { token });
const byAda = (): AuditOrigin => ({ actor: { kind: 'user', userId: ada.userId }, source: { address: '203.0.113.7' } });
const systemStatus = async ({ token }: Person) => (await http.request('GET', '/api/users', { token })).status;

describe('the list of users', () => {
  it('has everybody, page by page, without anything secret', async () => {
    const first = await list('?limit=1');
    expect(first.body.items).toMatchObject([{ userId: ada.userId, email: 'ada@example.com', role: 'admin' }]);
    const second = await list(`?limit=1&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    expect(second.body.items).toMatchObject([{ userId: bob.userId, role: 'trader', disabled: false }]);
    expect(first.text + second.text).not.toMatch(/argon2|passwordHash/);
  });

  it('is for admins alone', async () => {
    expect((await list('', bob)).status).toBe(403);
    expect((await change(ada, { disabled: true }, bob)).status).toBe(403);
  });
});

describe('a change of role', () => {
  it('counts at once for the sessions that the user has', async () => {
    expect(await systemStatus(bob)).toBe(403);
    expect((await change(bob, { role: 'admin' })).body).toMatchObject({ role: 'admin', disabled: false });
    expect(await systemStatus(bob)).toBe(200);
    await change(bob, { role: 'viewer' });
    expect(await systemStatus(bob)).toBe(403);
  });

  it('that changes nothing writes nothing', async () => {
    const before = await system.changes.read('alerts', 1000);
    expect((await change(bob, { role: 'trader', disabled: false })).status).toBe(200);
    expect((await change(bob, {})).status).toBe(200);
    expect(await system.changes.read('alerts', 1000)).toHaveLength(before.length);
  });

  it.each([{ role: 'root' }, { disabled: 'yes' }, { userId: '1' }, { version: 1 }])(
    'to %j is refused',
    async (body) => {
      expect((await change(bob, body)).status).toBe(422);
    },
  );

  it('of nobody is a 404', async () => {
    expect(
      (await change({ userId: '01890000-0000-7000-8000-000000000000' as UserId }, { role: 'viewer' })).status,
    ).toBe(404);
  });

  it('also reaches a session that is opened while it is made', async () => {
    const sessions = new Sessions(system.platform);
    let isFirst = true;
    const transact: Table['transact'] = async (writes) => {
      if (isFirst) await sessions.open(bob.userId, { address: '', userAgent: '' });
      isFirst = false;
      await system.table.transact(writes);
    };
    const platform = { ...system.platform, table: tableWith(system.table, { transact }) };
    const administration = new UserAdministration(platform, sessions);
    await system.awake(administration.change(bob.userId, { role: 'viewer' }, byAda()));
    const { sessions: stored } = await sessions.hold(bob.userId);
    expect(stored.map(({ role }) => role)).toEqual(['viewer', 'viewer']);
  });

  it('also reaches a session that is opened when it was made in between', async () => {
    let isFirst = true;
    const transact: Table['transact'] = async (writes) => {
      if (isFirst) await change(bob, { role: 'viewer' });
      isFirst = false;
      await system.table.transact(writes);
    };
    const sessions = new Sessions({ ...system.platform, table: tableWith(system.table, { transact }) });
    const { session } = await system.awake(sessions.open(bob.userId, { address: '', userAgent: '' }));
    expect(session.role).toBe('viewer');
  });
});

describe('what an admin does to a user', () => {
  it('is in the trail of that user, with the admin who did it', async () => {
    await change(bob, { role: 'viewer' });
    await change(bob, { disabled: true });
    await change(bob, { disabled: false });
    const page = await new AuditReader(system.platform).ofUser(bob.userId, { type: 'auth.' }, { limit: 3 });
    const told = page.items.map(({ type, actor, before, after }) => [type, actor.userId, before, after]);
    const [on, off] = [false, true].map((disabled) => ({ role: 'viewer', disabled }));
    expect(told).toEqual([
      ['auth.user-enabled', ada.userId, off, on],
      ['auth.user-disabled', ada.userId, on, off],
      ['auth.role-changed', ada.userId, { role: 'trader', disabled: false }, on],
    ]);
  });
});

describe('a disabled user', () => {
  it('is out at once and can neither log in nor refresh', async () => {
    expect((await change(bob, { disabled: true })).body).toMatchObject({ disabled: true });
    expect((await http.request('GET', '/api/user/profile', { token: bob.token })).status).toBe(401);
    const body = { refreshToken: bob.refreshToken };
    expect((await http.request('POST', '/api/user/refresh', { body })).status).toBe(401);
    expect((await logIn('bob@example.com')).status).toBe(401);
  });

  it('looks like one with a wrong password', async () => {
    await change(bob, { disabled: true });
    const nobody = await logIn('nobody@example.com');
    expect({ ...(await logIn('bob@example.com')).body, requestId: '' }).toEqual({ ...nobody.body, requestId: '' });
  });

  it('can log in again when enabled, and has none of the old sessions', async () => {
    await change(bob, { disabled: true });
    await change(bob, { disabled: false });
    expect((await logIn('bob@example.com')).status).toBe(200);
    expect((await http.request('GET', '/api/user/profile', { token: bob.token })).status).toBe(401);
  });
});

describe('the last admin', () => {
  it.each([{ role: 'trader' }, { disabled: true }])('can not be made %j', async (body) => {
    const { status, body: problem } = await change(ada, body);
    expect({ status, type: problem.type }).toEqual({ status: 409, type: '/problems/conflict' });
    expect(await systemStatus(ada)).toBe(200);
  });

  it('can when somebody else is', async () => {
    await change(bob, { role: 'admin' });
    expect((await change(ada, { role: 'trader' })).status).toBe(200);
    expect((await change(bob, { disabled: true }, bob)).status).toBe(409);
  });

  it('is left when two admins resign at once', async () => {
    await change(bob, { role: 'admin' });
    const answers = await Promise.all([change(ada, { role: 'viewer' }), change(bob, { role: 'viewer' }, bob)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it('is not one who is disabled', async () => {
    await change(bob, { role: 'admin' });
    await change(bob, { disabled: true });
    expect((await change(ada, { role: 'trader' })).status).toBe(409);
  });
});

describe('closed registration', () => {
  const closed = () => testPlatform({ users: { registration: 'first-user' } });
  const body = (email: string) => ({ body: { email, password } });

  it('takes the first user and no other', async () => {
    const own = await httpApi(closed().platform);
    expect((await own.request('POST', '/api/user/register', body('ada@example.com'))).body.role).toBe('admin');
    const second = await own.request('POST', '/api/user/register', body('bob@example.com'));
    expect([second.status, second.body.type]).toEqual([403, '/problems/registration-closed']);
  });

  it('does not tell which addresses are registered', async () => {
    const own = await httpApi(closed().platform);
    await own.request('POST', '/api/user/register', body('ada@example.com'));
    expect((await own.request('POST', '/api/user/register', body('ada@example.com'))).status).toBe(403);
  });

  it('takes one of several who come first', async () => {
    const users = new Users(closed().platform);
    const tries = await Promise.allSettled(
      ['ada', 'bob', 'eve'].map((name) => users.register({ email: `${name}@example.com`, password })),
    );
    const refused = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused).toEqual([expect.any(RegistrationClosed), expect.any(RegistrationClosed)]);
  });
});
