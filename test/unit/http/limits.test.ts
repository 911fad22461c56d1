import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '#functions/http/problem';
import type { UserId } from '#shared/model/user-id';
import { type ClientRequest, httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const eve = '01890000-0000-7000-8000-00000000e4e0' as UserId;

let system: TestPlatform;
let http: TestHttpApi;
beforeEach(async () => {
  system = testPlatform({ http: { requestLimitFactor: 1 } });
  http = await httpApi(system.platform);
});

const times = async (count: number, ask: () => Promise<{ readonly status: number }>): Promise<number[]> => {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent++) statuses.push((await ask()).status);
  return statuses;
};
const credentials = { email: 'ada@example.com' };
const login = (options: ClientRequest = {}) =>
  http.request('POST', '/api/user/login', { body: credentials, ...options });

describe('a caller over the limit', () => {
  it('gets a 429 problem that says when to come again', async () => {
    await system.clock.advance(20_000);
    await times(30, login);
    const { status, headers, body } = await login();
    expect({ status, type: Problem.parse(body).type }).toEqual({ status: 429, type: '/problems/too-many-requests' });
    expect(headers['retry-after']).toBe('40');
    await system.clock.advance(40_000);
    expect((await login()).status).toBe(422);
  });

  it('sees on every answer how it stands, be it of success or not', async () => {
    const token = await tokenOf(system.platform, ada, 'trader');
    const good = await http.request('GET', '/api/alerts/list', { token });
    const bad = await http.request('GET', '/api/alerts/list?limit=0', { token });
    expect([good, bad].map(({ headers }) => [headers['ratelimit-policy'], headers.ratelimit])).toEqual([
      ['"route";q=1200;w=60', '"route";r=1199;t=60'],
      ['"route";q=1200;w=60', '"route";r=1198;t=60'],
    ]);
  });

  it('does not use up the quota of others', async () => {
    const [one, other] = [await tokenOf(system.platform, ada, 'trader'), await tokenOf(system.platform, eve, 'trader')];
    await times(1300, () => http.request('GET', '/api/alerts/list', { token: one }));
    expect((await http.request('GET', '/api/alerts/list', { token: other })).status).toBe(200);
  });

  it('is known by the address, without an account', async () => {
    await times(31, () => login({ sourceAddress: '192.0.2.1' }));
    expect((await login({ sourceAddress: '192.0.2.1' })).status).toBe(429);
    expect((await login({ sourceAddress: '192.0.2.2' })).status).toBe(422);
  });

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'true-client-ip', 'cf-connecting-ip', 'via'])(
    'can not hide behind the header %s',
    async (name) => {
      let sent = 0;
      const statuses = await times(31, () => login({ headers: { [name]: `198.51.100.${sent++}` } }));
      expect(statuses.at(-1)).toBe(429);
    },
  );

  it('cannot hide within its IPv6 network', async () => {
    let sent = 0;
    const statuses = await times(31, () => login({ sourceAddress: `2001:db8:1:2::${(sent++).toString(16)}` }));
    expect(statuses.at(-1)).toBe(429);
    expect((await login({ sourceAddress: '2001:db8:1:3::1' })).status).toBe(422);
  });

  it('is counted by its address while its token is rejected', async () => {
    const guess = () => http.request('GET', '/api/alerts/list', { token: 'x.y.z' });
    const statuses = await times(1201, guess);
    expect([...new Set(statuses)]).toEqual([401, 429]);
    expect(statuses.indexOf(429)).toBe(1200);
  });

  it('is counted even without the required scope', async () => {
    const token = await tokenOf(system.platform, ada, 'viewer');
    const statuses = await times(301, () => http.request('POST', '/api/alerts/create', { token, body: {} }));
    expect([statuses[299], statuses[300]]).toEqual([403, 429]);
  });
});

describe('while the table cannot be written', () => {
  beforeEach(() => {
    system.table.before = failing(({ writes }) => writes);
  });

  it('nobody can log in or register', async () => {
    expect((await login()).status).toBe(503);
    expect((await http.request('POST', '/api/user/register', { body: credentials })).status).toBe(503);
  });

  it('the rest is served', async () => {
    const statuses = await times(100, () => http.request('GET', '/health'));
    expect([...new Set(statuses)]).toEqual([200]);
  });
});

describe('what a request costs', () => {
  it('is no write for an occasional caller', async () => {
    const token = await tokenOf(system.platform, ada, 'trader');
    system.table.takeWritten();
    await times(6, () => http.request('GET', '/api/alerts/list', { token }));
    expect(system.table.takeWritten()).toEqual([]);
  });
});
