import { beforeAll, describe, expect, it } from 'vitest';
import { listApiKeys } from '#functions/api/api-keys.routes';
import { getProfile } from '#functions/api/users.routes';
import { on } from '#functions/http/binding';
import { ok } from '#functions/http/reply';
import type { Route } from '#functions/http/route';
import { apiKeyHash } from '#shared/auth/api-key-format';
import { apiKeyOwnerKey } from '#shared/auth/stored-api-key';
import { SCOPES, SCOPES_OF_ROLE, type Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import {
  type ClientRequest,
  httpApi,
  logInAs,
  namedRoutes,
  pathOf,
  type TestHttpApi,
} from '../../support/http-events.ts';
import { partitionOf } from '../../support/partition.ts';
import { type SettledUser, settledUser } from '../../support/settled-user.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

/** Valid bodies for the routes that name a resource in their body or path. */
const bodies: Readonly<Record<string, (victim: SettledUser) => object>> = {
  'PUT /api/alerts/update': ({ alertId }) => ({ alertId, name: 'mine' }),
  'PUT /api/exchange/accounts/{accountId}': () => ({ label: 'mine' }),
  'PUT /api/users/{id}': () => ({ role: 'viewer' }),
};

/** Routes where an id filters the caller's own list: another user's finds nothing there. */
const filtering: readonly string[] = ['GET /api/alerts/history'];

let system: TestPlatform;
let http: TestHttpApi;
let admin: SettledUser;
let victim: SettledUser;
let stranger: SettledUser;
/** Owns the keys that exceed the admin's limit. */
let second: SettledUser;
let viewer: { userId: UserId; token: string };
beforeAll(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  await system.tick('BTC/USDT', '60000');
  http = await httpApi(system.platform);
  admin = await settledUser(system, http, 'ada@example.com');
  victim = await settledUser(system, http, 'bob@example.com');
  stranger = await settledUser(system, http, 'eve@example.com');
  second = await settledUser(system, http, 'ann@example.com');
  const userId = await system.user('vic@example.com');
  viewer = { userId, token: (await logInAs(system.platform, userId)).accessToken };
  const becomes = (id: UserId, role: string) =>
    http.request('PUT', `/api/users/${id}`, { token: admin.token, body: { role } });
  await becomes(userId, 'viewer');
  await becomes(second.userId, 'admin');
});

/** API keys by owner and scopes, reused because a user may have only a few. */
const keys = new Map<string, string>();
const keyOf = async (token: string, scopes: readonly Scope[]): Promise<ClientRequest> => {
  const name = `${token} ${scopes}`;
  // Powerful scopes need an address list.
  const request = { token, body: { name: 'a program', scopes, addresses: ['203.0.113.0/24'] } };
  const key = keys.get(name) ?? (await http.request('POST', '/api/user/api-keys', request)).body.key;
  keys.set(name, key);
  return { headers: { 'x-api-key': key } };
};
const everythingOf = async ({ userId, apiKey }: SettledUser) => [
  ...(await partitionOf(system.table, userId)),
  await system.table.get(apiKeyOwnerKey(apiKeyHash(apiKey))),
];

const names = (route: Route): string[] => [
  ...Object.keys(route.params?.shape ?? {}),
  ...Object.keys(route.query?.shape ?? {}),
  ...(route.body !== undefined && 'shape' in route.body ? Object.keys(route.body.shape as object) : []),
];
const isId = (name: string): boolean => name === 'id' || /Id$/.test(name);
const naming = namedRoutes.filter(({ route }) => route.scope !== 'public' && names(route).some(isId));

describe("another user's things", () => {
  it('can be named on more than a few routes', () => {
    expect(naming.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(bodies)));
    expect(naming.length).toBeGreaterThan(12);
  });

  it.each(naming)('$name can not reach, with a login or a key', async ({ name, route }) => {
    const { userId, alertId, accountId, apiKeyId, sessionId } = victim;
    const before = await everythingOf(victim);
    const key = { headers: { 'x-api-key': stranger.apiKey } };
    const body = bodies[name]?.(victim);
    if (route.body !== undefined) expect(body, 'a body for this route').toBeDefined();
    for (const as of [{ token: stranger.token }, key]) {
      for (const id of [userId, alertId, accountId, apiKeyId, sessionId]) {
        const query = Object.keys(route.query?.shape ?? {})
          .filter(isId)
          .map((field) => `${field}=${id}`);
        const path = `${route.path.replaceAll(/\{\w+\}/g, id)}?${query.join('&')}`;
        const answer = await http.request(route.method, path, { ...as, ...(body && { body }) });
        if (filtering.includes(name)) expect([answer.status, answer.body.items]).toEqual([200, []]);
        else expect([403, 404], `${name} of ${id} answered ${answer.status}`).toContain(answer.status);
      }
    }
    expect(await everythingOf(victim)).toEqual(before);
  });
});

const guarded = namedRoutes.filter(({ route }) => route.scope !== 'public');
const isScope = (scope: string): scope is Scope => SCOPES.some((one) => one === scope);

describe('an API key', () => {
  it.each(guarded.filter(({ route }) => route.scope === 'session'))(
    'can not $name, whatever its scopes',
    async ({ route }) => {
      const every = await keyOf(admin.token, SCOPES);
      const before = await everythingOf(admin);
      const { status, body } = await http.request(route.method, pathOf(route), { ...every, body: {} });
      expect({ status, type: body.type }).toEqual({ status: 403, type: '/problems/forbidden' });
      const isUsed = (item: unknown) => (item as { kind?: string } | undefined)?.kind;
      expect((await everythingOf(admin)).map(isUsed)).toEqual(before.map(isUsed));
    },
  );

  it.each(guarded.filter(({ route }) => isScope(route.scope)))(
    'without the scope of $name can not do it',
    async ({ route }) => {
      const others = await keyOf(
        admin.token,
        SCOPES.filter((scope) => scope !== route.scope),
      );
      const { status, headers } = await http.request(route.method, pathOf(route), { ...others, body: {} });
      expect({ status, challenge: headers['www-authenticate'] }).toEqual({
        status: 403,
        challenge: `Bearer realm="alphapulse", error="insufficient_scope", scope="${route.scope}"`,
      });
    },
  );

  it.each(guarded.filter(({ route }) => isScope(route.scope) && route.confirmation === true))(
    'can not $name with its scope either: no key has a confirmed session',
    async ({ route }) => {
      const one = await keyOf(second.token, [route.scope as Scope]);
      const { body } = await http.request(route.method, pathOf(route), one);
      expect(body).toMatchObject({ type: '/problems/forbidden', detail: expect.stringContaining('login') });
    },
  );

  it.each(guarded.filter(({ route }) => isScope(route.scope) && route.confirmation !== true))(
    'with no scope but that of $name comes past the gate',
    async ({ route }) => {
      const one = await keyOf(second.token, [route.scope as Scope]);
      // The resource does not exist or the input is not valid, but the scopes are sufficient.
      const { status, body } = await http.request(route.method, pathOf(route), { ...one, body: {} });
      expect([401, 403], JSON.stringify(body)).not.toContain(status);
    },
  );

  it.each(SCOPES.filter((scope) => !SCOPES_OF_ROLE.trader.includes(scope)))(
    'of a trader can not have %s',
    async (scope) => {
      const body = { name: 'more', scopes: [scope] };
      expect((await http.request('POST', '/api/user/api-keys', { token: stranger.token, body })).status).toBe(422);
    },
  );
});

describe('a route that API keys may use', () => {
  it('gives its handler no session', () => {
    // @ts-expect-error a caller may be a key, which has none
    on(getProfile, async ({ caller }) => ok(caller.sessionId));
    on(listApiKeys, async ({ caller }) => ok(caller.sessionId));
  });
});

describe('a viewer', () => {
  const writing = guarded.filter(({ route }) => isScope(route.scope) && /:(write|admin)$/.test(route.scope));

  it.each(writing)('can not $name with a key either', async ({ route }) => {
    const key = await keyOf(viewer.token, SCOPES_OF_ROLE.viewer);
    expect((await http.request(route.method, pathOf(route), { ...key, body: {} })).status).toBe(403);
  });
});
