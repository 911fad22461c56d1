import { beforeEach, describe, expect, it } from 'vitest';
import { confirmedMinutes } from '#shared/auth/confirmed-session';
import { repeatSeconds } from '#shared/auth/refresh-tokens';
import { Sessions } from '#shared/auth/sessions';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import { codeAt } from '../../support/credentials.ts';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { partitionOf } from '../../support/partition.ts';
import { DEPLOYED, type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const minuteMs = 60_000;

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user('ada@example.com');
});

const profile = async (token: string) => (await http.request('GET', '/api/user/profile', { token })).status;

describe('somebody who stole a refresh token', () => {
  const refresh = (refreshToken: string) => http.request('POST', '/api/user/refresh', { body: { refreshToken } });

  it('gets no tokens of their own by being quick, and is found out when both go on', async () => {
    const owner = await logInAs(system.platform, ada);
    const [first, stolen] = [await refresh(owner.refreshToken), await refresh(owner.refreshToken)];
    expect(stolen.body).toEqual(first.body);
    await refresh(first.body.refreshToken);
    await system.clock.advance(repeatSeconds * 1000 + 1);
    const second = await refresh(stolen.body.refreshToken);
    expect(second.body).toMatchObject({ status: 401, type: '/problems/refresh-reused' });
    expect(await profile(first.body.accessToken)).toBe(401);
  });
});

describe('somebody who stole an access token', () => {
  it.each([
    [
      'the password',
      'POST',
      '/api/user/password',
      { currentPassword: 'wrong password!', newPassword: 'staple battery horse' },
    ],
    ['in order to delete the user', 'DELETE', '/api/user', { password: 'wrong password!' }],
  ])('and guesses the password %s is not sent to the login, and has to wait', async (_what, method, path, body) => {
    const { accessToken: token } = await logInAs(system.platform, ada);
    const answers = [];
    for (let guess = 0; guess < 5; guess++) answers.push((await http.request(method, path, { token, body })).body.type);
    expect(answers).toEqual([...Array(4).fill('/problems/wrong-credentials'), '/problems/too-many-requests']);
    expect(await profile(token)).toBe(200);
  });
});

/** What a thief would do with a session: each leaves something behind, or carries something out. */
const lasting: readonly {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}[] = [
  {
    what: 'make an API key',
    method: 'POST',
    path: '/api/user/api-keys',
    body: { name: 'mine', scopes: ['market:read'] },
  },
  {
    ...{ what: 'have alerts sent elsewhere', method: 'PUT', path: '/api/user/settings' },
    body: { webhookUrl: 'https://example.com/hook' },
  },
  { what: 'take everything along', method: 'GET', path: '/api/user/export' },
  {
    ...{ what: 'connect an exchange account', method: 'POST', path: '/api/exchange/accounts' },
    body: { venue: 'sim', label: 'mine', mode: 'live', credentials: { apiKey: 'k', secret: 's' } },
  },
  { what: 'make a friend an admin', method: 'PUT', path: '/api/users/{other}', body: { role: 'admin' } },
  { what: 'delete somebody', method: 'DELETE', path: '/api/users/{other}' },
];

describe('somebody who stole a session that was confirmed a while ago', () => {
  let token: string;
  let other: UserId;
  beforeEach(async () => {
    token = (await logInAs(system.platform, ada)).accessToken;
    other = await system.user('bob@example.com');
    await system.clock.advance(confirmedMinutes * minuteMs);
  });
  const send = (method: string, path: string, body?: object) =>
    http.request(method, path.replace('{other}', other), { token, ...(body && { body }) });
  const confirm = (body: object) => http.request('POST', '/api/user/confirm', { token, body });

  it.each(lasting)('can not $what', async ({ method, path, body }) => {
    const refused = await send(method, path, body);
    expect(refused.body).toMatchObject({ status: 403, type: '/problems/confirmation-required' });
    expect((await confirm({ password: 'wrong password!' })).body.type).toBe('/problems/wrong-credentials');
    expect((await send(method, path, body)).body.type).toBe('/problems/confirmation-required');
    expect((await confirm({ password })).status).toBe(204);
    expect((await send(method, path, body)).body?.type).not.toBe('/problems/confirmation-required');
  });

  it('can still do what ends with the session', async () => {
    expect((await send('PUT', '/api/user/settings', { baseCurrency: 'EUR' })).status).toBe(200);
    const paper = { venue: 'sim', label: 'practice', mode: 'paper' };
    expect((await send('POST', '/api/exchange/accounts', paper)).status).toBe(201);
  });

  it('gains no confirmation by a refresh', async () => {
    const { refreshToken } = await logInAs(system.platform, ada);
    await system.clock.advance(confirmedMinutes * minuteMs);
    const { body } = await http.request('POST', '/api/user/refresh', { body: { refreshToken } });
    token = body.accessToken;
    expect((await send('GET', '/api/user/export')).body.type).toBe('/problems/confirmation-required');
  });

  it('gains no second confirmation by the code of the first', async () => {
    const { secret } = (await http.request('POST', '/api/user/totp/setup', { token })).body;
    const now = () => codeAt(secret, system.clock.now());
    await http.request('POST', '/api/user/totp/enable', { token, body: { password, totp: now() } });
    await system.clock.advance(30_000);
    expect((await confirm({ password })).body).toMatchObject({ status: 403, errors: [{ path: 'totp' }] });
    const totp = now();
    expect([(await confirm({ password, totp })).status, (await confirm({ password, totp })).status]).toEqual([
      204, 403,
    ]);
  });
});

describe('somebody whose stolen session was ended, where the gateway on AWS accepts it for up to a minute', () => {
  let token: string;
  let bob: UserId;
  let secret: string;
  const code = () => codeAt(secret, system.clock.now());
  beforeEach(async () => {
    http = await httpApi({ ...system.platform, config: withSettings(system.platform.config, DEPLOYED) });
    bob = await system.user('bob@example.com');
    const stolen = await logInAs(system.platform, ada);
    token = stolen.accessToken;
    secret = (await http.request('POST', '/api/user/totp/setup', { token })).body.secret;
    await http.request('POST', '/api/user/totp/enable', { token, body: { password, totp: code() } });
    await system.clock.advance(30_000);
    await profile(token);
    const sessions = new Sessions(system.platform);
    await sessions.endWith(ada, undefined, [], () => ({
      ...{ type: 'auth.sessions-revoked', actor: { kind: 'system' }, trail: ada, target: ada },
    }));
  });

  it('is still accepted where something is read', async () => {
    expect(await profile(token)).toBe(200);
  });

  it.each<readonly [what: string, method: string, path: string, body: () => object]>([
    ['an API key', 'POST', '/api/user/api-keys', () => ({ name: 'mine', scopes: ['market:read'] })],
    ['a setting', 'PUT', '/api/user/settings', () => ({ baseCurrency: 'EUR' })],
    ['the password', 'POST', '/api/user/password', () => ({ ...changed, totp: code() })],
    ['no second factor', 'POST', '/api/user/totp/disable', () => ({ password, totp: code() })],
    ['recovery codes', 'POST', '/api/user/totp/recovery-codes', () => ({ password, totp: code() })],
    ['somebody disabled', 'PUT', '/api/users/{bob}', () => ({ disabled: true })],
    ['themselves disabled', 'PUT', '/api/users/{ada}', () => ({ disabled: true })],
    ['a confirmation', 'POST', '/api/user/confirm', () => ({ password, totp: code() })],
  ])('gets %s no more', async (_what, method, path, body) => {
    const before = await stored();
    const target = path.replace('{bob}', bob).replace('{ada}', ada);
    const { status, headers } = await http.request(method, target, { token, body: body() });
    expect({ status, challenge: headers['www-authenticate'] }).toMatchObject({
      ...{ status: 401, challenge: expect.stringContaining('invalid_token') },
    });
    expect(await stored()).toEqual(before);
  });

  const changed = { currentPassword: password, newPassword: 'staple battery horse' };
  /** The users and what belongs to them, without their audit trails. */
  const stored = async () => [...(await partitionOf(system.table, ada)), ...(await partitionOf(system.table, bob))];
});

describe('somebody with a whole /56 of IPv6 addresses', () => {
  /** Addresses of different /64 networks of one site, or of sites next to each other. */
  const within = (index: number) => `2001:db8:0:ab${index.toString(16).padStart(2, '0')}::1`;
  const guess = (sourceAddress: string, email: string) =>
    http.request('POST', '/api/user/login', { sourceAddress, body: { email, password: 'wrong password!' } });

  it('has to wait like anybody else, whichever network of it they use', async () => {
    const answers = [];
    for (let index = 0; index < 41; index++) answers.push((await guess(within(index), `u${index}@example.com`)).status);
    expect(answers).toEqual([...Array(40).fill(401), 429]);
    expect((await guess('2001:db8:0:ac00::1', 'other@example.com')).status).toBe(401);
  });

  it('is served four times the limit of one network, and no more', async () => {
    system = testPlatform({ http: { requestLimitFactor: 1 } });
    http = await httpApi(system.platform);
    const reset = (index: number) =>
      http.request('POST', '/api/user/password/reset-request', {
        ...{ sourceAddress: within(index), body: { email: 'ada@example.com' } },
      });
    const answers = [];
    for (let index = 0; index < 41; index++) answers.push((await reset(index)).status);
    expect(answers).toEqual([...Array(40).fill(202), 429]);
  });
});
