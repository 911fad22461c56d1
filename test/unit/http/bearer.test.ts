import { beforeEach, describe, expect, it } from 'vitest';
import type { UserId } from '#shared/model/user-id';
import { Unavailable } from '#shared/platform/errors';
import { type ClientRequest, httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const realm = 'Bearer realm="alphapulse"';

let system: TestPlatform;
let http: TestHttpApi;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  token = await tokenOf(system.platform, ada, 'trader');
});

const getProfile = async (request: ClientRequest, query = '') => {
  const { status, headers } = await http.request('GET', `/api/user/profile${query}`, request);
  return { status, challenge: headers['www-authenticate'] };
};

describe('a challenge', () => {
  it('names no error where nothing was sent', async () => {
    expect(await getProfile({})).toEqual({ status: 401, challenge: realm });
  });

  it.each([
    ['can not be read', async () => 'nonsense'],
    ['was changed', async () => `${token.slice(0, -4)}AAAA`],
    [
      'has expired',
      async () => {
        await system.clock.advance(3_600_000);
        return token;
      },
    ],
  ])('says that the token is not valid where it %s', async (_what, sent) => {
    expect(await getProfile({ token: await sent() })).toEqual({
      status: 401,
      challenge: `${realm}, error="invalid_token"`,
    });
  });

  it('names the scope that is missing', async () => {
    const { status, headers } = await http.request('GET', '/api/users', { token });
    expect({ status, challenge: headers['www-authenticate'] }).toEqual({
      status: 403,
      challenge: `${realm}, error="insufficient_scope", scope="users:admin"`,
    });
  });

  it('is none where the token could not be checked: it may be good', async () => {
    const unavailable = () => Promise.reject(new Unavailable('The table does not answer.'));
    http = await httpApi({ ...system.platform, table: tableWith(system.table, { get: unavailable }) });
    expect(await getProfile({ token })).toEqual({ status: 503, challenge: undefined });
  });
});

describe('a token', () => {
  it.each(['access_token', 'token', 'authorization'])('counts for nothing in the query as %s', async (name) => {
    expect((await getProfile({}, `?${name}=${token}`)).status).toBe(401);
  });

  it('counts for nothing in a form', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `access_token=${token}`;
    const { status } = await http.request('PUT', '/api/user/settings', { headers, body });
    expect(status).toBe(401);
  });

  it('counts for nothing in a cookie', async () => {
    expect(
      (await getProfile({ headers: { cookie: `access_token=${token}; authorization=Bearer ${token}` } })).status,
    ).toBe(401);
  });
});
