import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { ApiClient } from '../support/client.ts';
import { codeAt, tokenIn } from '../support/credentials.ts';
import { eventually, mailsTo, send, target } from './target.ts';
import { newAddress, newUser, password } from './user.ts';

const json = 'application/json';
const register = (fields: object) => send('POST', '/api/user/register', JSON.stringify(fields), json);
const logIn = (fields: object) => send('POST', '/api/user/login', JSON.stringify(fields), json);

describe('registration', () => {
  it('answers with the profile and without the password', async () => {
    const email = newAddress();
    const { status, body } = await register({ email, password, name: 'Ada' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ email, name: 'Ada', settings: { webhookUrl: null } });
    expect(JSON.stringify(body)).not.toContain('assword');
  });

  it('takes a mail address once, however it is spelled', async () => {
    const { email } = await newUser();
    const { status, body } = await register({ email: email.toUpperCase(), password });
    expect([status, body]).toMatchObject([409, { type: '/problems/conflict' }]);
  });

  it('lets one of many at the same time have a mail address', async () => {
    const email = newAddress();
    const answers = await Promise.all([1, 2, 3, 4].map(() => register({ email, password })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it('refuses a short password and says where it stands', async () => {
    const { status, body } = await register({ email: newAddress(), password: 'short' });
    expect([status, body]).toMatchObject([422, { errors: [{ path: 'password' }] }]);
  });
});

describe('login', () => {
  it('gives a bearer token', async () => {
    const { loggedIn } = await newUser();
    expect([loggedIn.status, loggedIn.body]).toMatchObject([
      200,
      {
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        refreshToken: expect.stringMatching(/^aprt_[\w-]{43}$/),
        tokenType: 'Bearer',
        expiresIn: 900,
      },
    ]);
  });

  it('tells a wrong password and an unknown address apart in nothing', async () => {
    const { email } = await newUser();
    const answers = await Promise.all([
      logIn({ email, password: `${password}!` }),
      logIn({ email: newAddress(), password }),
    ]);
    const [wrong, unknown] = answers.map(({ status, body }) => ({ status, ...(body as object), requestId: '' }));
    expect(wrong).toMatchObject({ status: 401, type: '/problems/invalid-credentials' });
    expect(unknown).toEqual(wrong);
  });
});

describe('a second factor', () => {
  it('is asked for at the next login, and takes a code once', async () => {
    const { email, client } = await newUser();
    const { body } = await client.send('POST', '/api/user/totp/setup');
    const { secret } = body as { secret: string };
    expect(
      (await client.send('POST', '/api/user/totp/enable', { password, totp: codeAt(secret, Date.now()) })).status,
    ).toBe(200);
    expect((await logIn({ email, password })).body).toMatchObject({ type: '/problems/totp-required' });
    // One step ahead is good as well, for clocks that differ.
    const totp = codeAt(secret, Date.now() + 30_000);
    expect((await logIn({ email, password, totp })).status).toBe(200);
    expect((await logIn({ email, password, totp })).body).toMatchObject({ type: '/problems/invalid-totp' });
  });
});

describe('a forgotten password', () => {
  it('is replaced with the token of a mail, which nobody gets for an unknown address', async () => {
    const { email } = await newUser();
    const forget = (address: string) =>
      send('POST', '/api/user/password/reset-request', JSON.stringify({ email: address }), json);
    const [known, unknown] = [await forget(email), await forget(newAddress())];
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    const token = await eventually('the mail with the token', async () => {
      const mails = (await mailsTo(email)).filter(({ text }) => text.includes('appr_'));
      return mails.length > 0 && tokenIn(mails, 'appr');
    });
    const newPassword = `${password}, another one`;
    const reset = () => send('POST', '/api/user/password/reset', JSON.stringify({ token, newPassword }), json);
    expect([(await reset()).status, (await reset()).status]).toEqual([204, 422]);
    expect((await logIn({ email, password: newPassword })).status).toBe(200);
  });
});

describe('a session', () => {
  const refresh = (refreshToken: string) =>
    send('POST', '/api/user/refresh', JSON.stringify({ refreshToken }), json) as Promise<{
      readonly status: number;
      readonly body: { readonly accessToken: string; readonly refreshToken: string };
    }>;

  it('goes on with each new refresh token, and gives the same one again to a retry', async () => {
    const { loggedIn } = await newUser();
    const { refreshToken } = loggedIn.body as { refreshToken: string };
    const second = await refresh(refreshToken);
    const client = new ApiClient(target.url, second.body.accessToken);
    expect(await client.get('/api/user/sessions')).toMatchObject({ items: [{ current: true }], nextCursor: null });
    expect((await refresh(refreshToken)).body).toEqual(second.body);
    expect((await refresh(second.body.refreshToken)).status).toBe(200);
  });

  it('ends with a logout', async () => {
    const { client, loggedIn } = await newUser();
    expect((await client.send('POST', '/api/user/logout')).status).toBe(204);
    expect((await refresh((loggedIn.body as { refreshToken: string }).refreshToken)).status).toBe(401);
  });

  it('has tokens that the published keys prove', async () => {
    const { token } = await newUser();
    const { body } = await send('GET', '/.well-known/jwks.json');
    const proven = await jwtVerify(token, createLocalJWKSet(body as JSONWebKeySet), { audience: 'alphapulse-api' });
    expect(proven.protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
  });
});

describe('the profile', () => {
  it('is the one of the token', async () => {
    const { email, client } = await newUser();
    expect(await client.get('/api/user/profile')).toMatchObject({ email });
  });

  it('shows the webhook address that was set, whose secret the answer gives', async () => {
    const { client } = await newUser();
    expect(await client.useWebhook('https://hooks.example.com/1')).toMatch(/^whsec_/);
    expect(await client.get('/api/user/profile')).toMatchObject({
      settings: { webhookUrl: 'https://hooks.example.com/1' },
    });
  });
});

describe('a program with an API key', () => {
  it('may do what the key is for, and no more; the key is in the export, and ends with its user', async () => {
    const { email, client } = await newUser();
    const made = await client.send('POST', '/api/user/api-keys', { name: 'a program', scopes: ['alerts:read'] });
    const { key, hint } = made.body as { key: string; hint: string };
    const byKey = async (path: string) => (await fetch(target.url + path, { headers: { 'x-api-key': key } })).status;
    expect([
      await byKey('/api/alerts/list'),
      await byKey('/api/market/prices'),
      await byKey('/api/user/sessions'),
    ]).toEqual([200, 403, 403]);
    const { items } = await client.get<{ items: { kind: string; hint?: string }[] }>('/api/user/export');
    expect(items.filter(({ kind }) => kind === 'api-key')).toMatchObject([{ hint }]);
    expect((await client.send('DELETE', '/api/user', { password })).status).toBe(204);
    expect((await logIn({ email, password })).status).toBe(401);
  });
});

describe('a token', () => {
  const profile = (headers: Record<string, string>) => fetch(`${target.url}/api/user/profile`, { headers });

  it.each([
    ['missing', {}, 'Bearer realm="alphapulse"'],
    ['made up', { authorization: 'Bearer abc.def.ghi' }, 'Bearer realm="alphapulse", error="invalid_token"'],
    ['of another scheme', { authorization: 'Basic YTpi' }, expect.stringContaining('Bearer')],
  ])('that is %s is refused with a challenge', async (_kind, headers, challenge) => {
    const answer = await profile(headers as Record<string, string>);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge]);
    expect(await answer.json()).toMatchObject({ type: '/problems/unauthenticated' });
  });

  it('whose signature was changed is refused', async () => {
    const { token } = await newUser();
    const [header, claims, signature = ''] = token.split('.');
    const changed = [header, claims, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.');
    expect((await profile({ authorization: `Bearer ${changed}` })).status).toBe(401);
  });
});
