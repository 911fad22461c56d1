import { beforeEach, describe, expect, it } from 'vitest';
import { routes } from '#functions/api/routes';
import { methodsOf } from '#functions/http/route';
import type { UserId } from '#shared/model/user-id';
import { httpApi, namedRoutes, pathOf, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' };

let system: TestPlatform;
let http: TestHttpApi;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  await system.list('sim', ['BTC/USDT']);
  http = await httpApi(system.platform);
  token = await tokenOf(system.platform, ada, 'trader');
});

const create = (body: unknown, headers: Record<string, string> = {}) =>
  http.request('POST', '/api/alerts/create', { token, body, headers });
const alerts = async () => (await http.request('GET', '/api/alerts/list', { token })).body.items;

const guarded = namedRoutes.filter(({ route }) => route.scope !== 'public');
const writing = guarded.filter(({ route }) => /:(write|admin)$/.test(route.scope));

describe('who gets in', () => {
  it.each(guarded)('$name refuses a caller without a token', async ({ route }) => {
    const { status, headers, body } = await http.request(route.method, pathOf(route));
    expect({ status, challenge: headers['www-authenticate'], type: body.type }).toEqual({
      status: 401,
      challenge: 'Bearer realm="alphapulse"',
      type: '/problems/unauthenticated',
    });
  });

  it.each(guarded)('$name refuses a token that is none', async ({ route }) => {
    const { status, headers } = await http.request(route.method, pathOf(route), { token: 'nonsense' });
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="alphapulse", error="invalid_token"');
  });

  it.each(writing)('$name refuses a viewer', async ({ route }) => {
    const viewer = await tokenOf(system.platform, ada, 'viewer');
    const { status, headers } = await http.request(route.method, pathOf(route), { token: viewer, body: {} });
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toContain(`scope="${route.scope}"`);
  });

  it.each([
    ['another scheme', 'Basic YTpi'],
    ['an empty header', ''],
    ['two tokens', 'Bearer a.b.c, Bearer d.e.f'],
    ['a token with spaces', 'Bearer a b'],
  ])('refuses %s', async (_name, authorization) => {
    const { status } = await http.request('GET', '/api/alerts/list', { headers: { authorization } });
    expect(status).toBe(401);
  });

  it('takes the scheme in any case', async () => {
    const { status } = await http.request('GET', '/api/alerts/list', { headers: { authorization: `bearer ${token}` } });
    expect(status).toBe(200);
  });

  it('distinguishes an expired token from an invalid one', async () => {
    await system.clock.advance(3_600_000);
    const { status, body } = await http.request('GET', '/api/alerts/list', { token });
    expect({ status, detail: body.detail }).toEqual({ status: 401, detail: 'The access token has expired.' });
  });
});

describe('paths and methods', () => {
  it.each(namedRoutes.filter(({ route }) => !route.path.includes('{')))(
    '$name: another method is a 405 that tells which there are',
    async ({ route }) => {
      const offered = routes.filter(({ path }) => path === route.path).flatMap(methodsOf);
      const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].filter(
        (method) =>
          !offered.some((one) => one === method) &&
          // This path is also one of /api/alerts/{alertId}, an alert that can't exist.
          !(['GET', 'HEAD', 'DELETE'].includes(method) && route.path.startsWith('/api/alerts/')),
      );
      for (const method of others) {
        const send = method === 'HEAD' ? http.send : http.request;
        const { status, headers } = await send(method as 'HEAD', route.path, { token });
        expect({ method, status, allow: headers.allow }).toEqual({ method, status: 405, allow: offered.join(', ') });
      }
    },
  );

  it('a path of an alert offers GET and DELETE only', async () => {
    const { status, headers } = await http.request('PUT', '/api/alerts/00000000-0000-7000-8000-000000000000', {
      token,
    });
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, HEAD, DELETE' });
  });

  it.each(['GET', 'DELETE'])('%s of an alert by a name that is no id is a 404', async (method) => {
    const { status } = await http.request(method, '/api/alerts/create', { token });
    expect(status).toBe(404);
  });

  it.each([
    '/',
    '/api',
    '/api/nothing',
    '/api/alerts/',
    '/problems/',
    '/health/',
    '/api/system/status/',
    '//health',
    '/x/../health',
    '/x/%2e%2e/health',
    '/HEALTH',
    '/api/alerts/%00/list',
  ])('no route matches %s', async (path) => {
    expect((await http.request('GET', path, { token })).status).toBe(404);
  });

  it.each([
    'not-an-id',
    'list',
    '%23',
    'USER%23x',
    "1'%20OR%20'1'='1",
    '%zz',
    '%E2%98%83',
    '..%2F..%2Flist',
    '%00',
    '00000000-0000-7000-8000-000000000000%20',
    '00000000-0000-7000-8000-000000000000',
    '__proto__',
    'x'.repeat(5000),
  ])('an alert of the id %s is not found', async (id) => {
    await create({ condition });
    const { status } = await http.request('DELETE', `/api/alerts/${id}`, { token });
    expect(status).toBe(404);
    expect(await alerts()).toHaveLength(1);
  });

  it("another user's alert is not found, and stays", async () => {
    const { alertId } = (await create({ condition })).body;
    const eve = await tokenOf(system.platform, '01890000-0000-7000-8000-00000000e4e0' as UserId, 'admin');
    const removed = await http.request('DELETE', `/api/alerts/${alertId}`, { token: eve });
    const changed = await http.request('PUT', '/api/alerts/update', { token: eve, body: { alertId, name: 'mine' } });
    expect([removed.status, changed.status]).toEqual([404, 404]);
    expect(await alerts()).toMatchObject([{ alertId, name: null }]);
  });

  it('a deleted alert is answered without a body', async () => {
    const { alertId } = (await create({ condition })).body;
    expect((await http.request('DELETE', `/api/alerts/${alertId}`, { token })).status).toBe(204);
    expect(await alerts()).toEqual([]);
  });

  it.each([...new Set(routes.map(({ path }) => path))])('%s answers whatever the host header says', async (path) => {
    const { status } = await http.request('GET', path, { headers: { host: 'a b', 'x-snowman': '☃' } });
    expect(status).toBeLessThan(500);
  });

  it('the body of a GET request is ignored', async () => {
    expect((await http.request('GET', '/health', { body: { x: 1 } })).status).toBe(200);
  });

  it.each(['/health', '/api/alerts/list'])(
    'HEAD %s has the status and the headers of GET, and no body',
    async (path) => {
      const [get, head] = [await http.request('GET', path, { token }), await http.send('HEAD', path, { token })];
      expect([head.status, head.headers['content-type'], head.text]).toEqual([200, get.headers['content-type'], '']);
    },
  );

  it('HEAD needs what GET needs', async () => {
    expect((await http.send('HEAD', '/api/alerts/list')).status).toBe(401);
  });
});
