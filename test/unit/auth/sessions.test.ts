import { Logger } from '@aws-lambda-powertools/logger';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import { repeatSeconds } from '#shared/auth/refresh-tokens';
import { SESSIONS_PER_USER_MAX, Sessions } from '#shared/auth/sessions';
import { sessionIdleDays, sessionLifeDays } from '#shared/auth/stored-session';
import { accessTokenSeconds } from '#shared/auth/tokens';
import { Connections } from '#shared/connections/connections';
import type { UserId } from '#shared/model/user-id';
import { every, type Item } from '#shared/platform/table';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const dayMs = 86_400_000;
const email = 'ada@example.com';

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
let lines: string[];
beforeEach(async () => {
  system = testPlatform();
  lines = [];
  const logger = new Logger({ serviceName: 'test', logLevel: 'WARN' });
  Object.assign(logger, { console: { warn: (line: unknown) => void lines.push(String(line)) } });
  http = await httpApi({ ...system.platform, logger });
  ada = await system.user(email);
});

const logIn = (userAgent = 'test', userId = ada): Promise<Tokens> => logInAs(system.platform, userId, userAgent);
const refresh = (refreshToken: unknown) => http.request('POST', '/api/user/refresh', { body: { refreshToken } });
const refreshed = async (token: Tokens): Promise<Tokens> => (await refresh(token.refreshToken)).body;
/** Until a used token gets no second answer. */
const repeatIsOver = () => system.clock.advance(repeatSeconds * 1000 + 1);
const profile = async ({ accessToken: token }: Tokens) =>
  (await http.request('GET', '/api/user/profile', { token })).status;
const idOf = ({ accessToken }: Tokens) => String(decodeJwt(accessToken).sid);
const sessions = async ({ accessToken: token }: Tokens, query = '') =>
  (await http.request('GET', `/api/user/sessions${query}`, { token })).body;

describe('a refresh token', () => {
  it('is random, recognisable, and gives an access token of a quarter of an hour', async () => {
    const first = (await http.request('POST', '/api/user/login', { body: { email, password } })).body;
    expect(first.refreshToken).toMatch(/^aprt_[\w-]{43}$/);
    await system.clock.advance(accessTokenSeconds * 1000);
    expect(await profile(first)).toBe(401);
    const { status, body } = await refresh(first.refreshToken);
    expect({ status, ...body }).toMatchObject({ status: 200, tokenType: 'Bearer', expiresIn: 900 });
    expect(await profile(body)).toBe(200);
    expect(body.refreshToken).not.toBe(first.refreshToken);
  });

  it('goes on with the same session', async () => {
    const first = await logIn();
    expect(idOf(await refreshed(first))).toBe(idOf(first));
  });

  it('that comes back ends its session, with every token of it', async () => {
    const first = await logIn();
    const second = await refreshed(first);
    await repeatIsOver();
    const { status, body } = await refresh(first.refreshToken);
    expect({ status, type: body.type }).toEqual({ status: 401, type: '/problems/refresh-reused' });
    expect((await refresh(second.refreshToken)).status).toBe(401);
    expect([await profile(first), await profile(second)]).toEqual([401, 401]);
  });

  it('that comes back after many others ends its session too', async () => {
    const first = await logIn();
    let latest = first;
    for (let round = 0; round < 5; round++) {
      await system.clock.advance(20 * dayMs - 1);
      if (round < 4) latest = await refreshed(latest);
    }
    await refresh(first.refreshToken);
    expect((await refresh(latest.refreshToken)).status).toBe(401);
  });

  it('that comes back leaves the other sessions of its user alone', async () => {
    const [first, other] = [await logIn(), await logIn()];
    await refreshed(first);
    await repeatIsOver();
    await refresh(first.refreshToken);
    expect([await profile(first), await profile(other)]).toEqual([401, 200]);
  });

  it('that comes back is written down once, without any token', async () => {
    const first = await logIn();
    const second = await refreshed(first);
    await repeatIsOver();
    for (let index = 0; index < 3; index++) await refresh(first.refreshToken);
    const { items } = await new AuditReader(system.platform).ofUser(ada, { type: 'auth.refresh' }, { limit: 9 });
    expect(items).toMatchObject([
      { type: 'auth.refresh-reused', outcome: 'failure', target: { kind: 'session', id: idOf(first) } },
    ]);
    const told = JSON.stringify(items) + lines.join('\n');
    for (const { refreshToken, accessToken } of [first, second]) {
      expect(told).not.toContain(refreshToken.slice(5));
      expect(told).not.toContain(accessToken.split('.')[2]);
    }
  });

  it('used by several at the same moment gives all of them the same tokens', async () => {
    const first = await logIn();
    const answers = await Promise.all([1, 2, 3].map(() => refresh(first.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [winner, ...others] = answers.map(({ body }) => body);
    expect(others).toEqual([winner, winner]);
    expect(await profile(winner)).toBe(200);
  });

  it('that comes back within 10 s gets the same answer, and its session goes on', async () => {
    const first = await logIn();
    const second = await refreshed(first);
    await system.clock.advance(repeatSeconds * 1000);
    expect(await refreshed(first)).toEqual(second);
    const third = await refreshed(second);
    expect(await profile(third)).toBe(200);
    expect(third.refreshToken).not.toBe(second.refreshToken);
  });

  it('that comes back within 10 s opens no session that has ended', async () => {
    const first = await logIn();
    const { accessToken } = await refreshed(first);
    await http.request('POST', '/api/user/logout', { token: accessToken });
    expect((await refresh(first.refreshToken)).body.type).toBe('/problems/invalid-refresh-token');
  });

  it('is not used up while there is no key to sign with', async () => {
    const first = await logIn();
    const get = () => Promise.reject(new Error('no secrets now'));
    const broken = await httpApi({ ...system.platform, secrets: { ...system.platform.secrets, get } });
    const body = { refreshToken: first.refreshToken };
    expect((await broken.request('POST', '/api/user/refresh', { body })).status).toBe(500);
    expect((await refresh(first.refreshToken)).status).toBe(200);
  });

  it('is stored as a hash alone, its successor too', async () => {
    const first = await logIn();
    const second = await refreshed(first);
    const stored = JSON.stringify(await system.changes.read('alerts', 1000));
    expect(stored).toContain('refresh-token');
    for (const { refreshToken } of [first, second]) expect(stored).not.toContain(refreshToken.slice(5));
  });

  it.each([
    ['made up', `aprt_${'A'.repeat(43)}`],
    ['of another form', 'let me in'],
    ['empty', ''],
    ['an access token', 'eyJhbGciOiJFZERTQSJ9.e30.AAAA'],
  ])('that is %s is refused', async (_kind, token) => {
    const { status, body } = await refresh(token);
    expect({ status, type: body.type }).toEqual({ status: 401, type: '/problems/invalid-refresh-token' });
  });

  it.each([[7], [null], ['x'.repeat(201)], [undefined]])('that is %j is not valid', async (token) => {
    expect((await refresh(token)).status).toBe(422);
  });
});

describe('a session', () => {
  it('lasts as long as it is used, up to its whole life', async () => {
    let latest = await logIn();
    for (let days = sessionIdleDays - 1; days < sessionLifeDays; days += sessionIdleDays - 1) {
      await system.clock.advance((sessionIdleDays - 1) * dayMs);
      latest = await refreshed(latest);
    }
    expect(await profile(latest)).toBe(200);
    await system.clock.advance((sessionLifeDays % (sessionIdleDays - 1)) * dayMs);
    expect((await refresh(latest.refreshToken)).status).toBe(401);
  });

  it('ends when nobody used it for long', async () => {
    const first = await logIn();
    await system.clock.advance(sessionIdleDays * dayMs);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    const { accessToken } = await logIn();
    expect((await sessions({ accessToken, refreshToken: '' })).items).toHaveLength(1);
  });

  it('leaves nothing behind for ever', async () => {
    const first = await logIn();
    await refreshed(first);
    const changes = await system.changes.read('alerts', 1000);
    const kept = changes.filter(({ after }) => after?.kind === 'session' || after?.kind === 'refresh-token');
    const latest = Math.floor(system.clock.now() / 1000) + sessionLifeDays * 86_400;
    expect(kept.length).toBeGreaterThan(3);
    for (const { after } of kept) expect(after?.expiresAt).toBeLessThanOrEqual(latest);
  });

  it('ends with a logout, at once', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    const { status } = await http.request('POST', '/api/user/logout', { token: mine.accessToken });
    expect(status).toBe(204);
    expect([await profile(mine), (await refresh(mine.refreshToken)).status]).toEqual([401, 401]);
    expect(await profile(other)).toBe(200);
  });

  it('that ended says so, with a challenge', async () => {
    const { accessToken: token } = await logIn();
    await http.request('POST', '/api/user/logout', { token });
    const { headers, body } = await http.request('GET', '/api/user/profile', { token });
    expect(headers['www-authenticate']).toBe('Bearer realm="alphapulse", error="invalid_token"');
    expect(body.detail).toContain('session');
  });

  it('that ends hangs up the sockets it opened, and no others', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    const expiresAt = system.clock.now() + 900_000;
    for (const [connectionId, tokens] of [['mine', mine] as const, ['other', other] as const]) {
      system.sockets.open(connectionId);
      await new Connections(system.platform).open(connectionId, { userId: ada, sessionId: idOf(tokens), expiresAt });
    }
    await http.request('POST', '/api/user/logout', { token: mine.accessToken });
    expect(system.sockets.frames.map(({ connectionId, frame }) => [connectionId, JSON.parse(frame)])).toEqual([
      ['mine', { type: 'goodbye', reason: 'session-ended', reconnect: false }],
    ]);
    expect(await system.sockets.send('mine', '{}')).toBe('gone');
    expect(await system.sockets.send('other', '{}')).toBe('sent');
  });

  it('is one of few: the one that was not used for the longest time makes room', async () => {
    const first = await logIn();
    const ids: string[] = [];
    for (let count = 1; count < SESSIONS_PER_USER_MAX; count++) {
      await system.clock.advance(1000);
      ids.push((await new Sessions(system.platform).open(ada, { address: '', userAgent: '' })).session.sessionId);
    }
    const used = await refreshed(first);
    const latest = await logIn();
    const { items } = await sessions(latest, '?limit=200');
    expect(items).toHaveLength(SESSIONS_PER_USER_MAX);
    expect(items.map(({ id }: { id: string }) => id)).not.toContain(ids[0]);
    expect(await profile(used)).toBe(200);
  });

  it('opened by many logins at once is still one of few', async () => {
    const opened = await system.awake(
      Promise.allSettled(
        Array.from({ length: 5 }, () => new Sessions(system.platform).open(ada, { address: '', userAgent: '' })),
      ),
    );
    expect(opened.map(({ status }) => status)).toEqual(Array(5).fill('fulfilled'));
    const items: Item[] = [];
    for await (const item of every<Item>(system.table, { pk: `USER#${ada}`, sk: { prefix: 'SESSION#' } }))
      items.push(item);
    expect(items).toHaveLength(5);
  });
});

describe('the list of sessions', () => {
  it('tells where each comes from, the newest first, page by page', async () => {
    const phone = await logIn('Phone');
    await system.clock.advance(5000);
    const laptop = await logIn('Laptop');
    const first = await sessions(laptop, '?limit=1');
    const now = system.clock.now();
    expect(first.items).toEqual([
      { id: idOf(laptop), device: 'Laptop', address: '203.0.113.7', createdAt: now, lastUsedAt: now, current: true },
    ]);
    const second = await sessions(laptop, `?limit=1&cursor=${encodeURIComponent(first.nextCursor)}`);
    expect(second.items).toMatchObject([{ id: idOf(phone), createdAt: now - 5000, current: false }]);
  });

  it('shows when one was refreshed, and nothing of its tokens', async () => {
    const first = await logIn();
    await system.clock.advance(600_000);
    const second = await refreshed(first);
    const list = await sessions(second);
    expect(list.items[0].lastUsedAt - list.items[0].createdAt).toBe(600_000);
    expect(JSON.stringify(list)).not.toMatch(/hash|aprt_/i);
  });

  it.each([
    ['\ud83dPhone\r\n\0injected', '\ufffdPhone injected'],
    ['x'.repeat(10_000), 'x'.repeat(200)],
  ])('has only a bounded line of text of a device', async (userAgent, device) => {
    await new Sessions(system.platform).open(ada, { address: '', userAgent });
    const { items } = await sessions(await logIn());
    expect(items[1].device).toBe(device);
  });
});

describe('ending sessions', () => {
  const end = ({ accessToken: token }: Tokens, path = '') =>
    http.request('DELETE', `/api/user/sessions${path}`, { token });

  it('ends one of them', async () => {
    const [mine, other] = [await logIn(), await logIn()];
    expect((await end(mine, `/${idOf(other)}`)).status).toBe(204);
    expect([await profile(mine), await profile(other)]).toEqual([200, 401]);
    expect((await end(mine, `/${idOf(other)}`)).status).toBe(404);
  });

  it('ends all but the one that asks', async () => {
    const [mine, ...others] = [await logIn(), await logIn(), await logIn()];
    expect((await end(mine as Tokens)).status).toBe(204);
    expect(await Promise.all(others.map(profile))).toEqual([401, 401]);
    expect(await profile(mine as Tokens)).toBe(200);
  });

  it('does not reach those of somebody else', async () => {
    const [mine, eve] = [await logIn(), await logIn('test', await system.user('eve@example.com'))];
    expect((await end(eve, `/${idOf(mine)}`)).status).toBe(404);
    await end(eve);
    expect(await profile(mine)).toBe(200);
  });
});
