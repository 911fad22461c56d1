import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, call } from '../support/client.ts';
import { codeAt, tokenIn } from '../support/credentials.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { until } from '../support/until.ts';

/** Passwords are hashed, while other tests keep the machine busy. */
const startTimeoutMs = 60_000;
const password = 'correct horse battery';
const newPassword = 'staple battery horse';
const email = 'eve@example.com';

let server: ServerHere;
let eve: ApiClient;

const send = (path: string, body: object) =>
  call(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const logIn = (secret: string, more: object = {}) => send('/api/user/login', { email, password: secret, ...more });
const mailAbout = (word: string) =>
  until(`a mail about ${word}`, async () =>
    (await eve.outbox()).find(({ to, subject }) => to === email && subject.includes(word)),
  );
const now = () => server.clock.now();

beforeAll(async () => {
  server = await startServerHere({ users: { emailVerification: 'required' } });
  await send('/api/user/register', { email, password });
  const { body } = await logIn(password);
  eve = new ApiClient(server.url, (body as { accessToken: string }).accessToken, server.dataFolder);
}, startTimeoutMs);
afterAll(() => server?.end());

describe('on one machine with a mail server', () => {
  it('a new user verifies the address with what is mailed', async () => {
    const mail = await mailAbout('Confirm');
    expect((await send('/api/user/email/verify', { token: tokenIn([mail], 'apev') })).status).toBe(204);
    expect(await eve.get('/api/user/profile')).toMatchObject({ emailVerified: true });
  });

  it('a second factor is set up, asked for, and told of by mail', async () => {
    const { secret } = (await eve.send('POST', '/api/user/totp/setup')).body as { secret: string };
    expect((await eve.send('POST', '/api/user/totp/enable', { password, totp: codeAt(secret, now()) })).status).toBe(
      200,
    );
    expect((await logIn(password)).body).toMatchObject({ type: '/problems/totp-required' });
    server.clock.leap(30_000);
    expect((await logIn(password, { totp: codeAt(secret, now()) })).status).toBe(200);
    await mailAbout('second factor was added');
    server.clock.leap(30_000);
    const gone = { password, totp: codeAt(secret, now()) };
    expect((await eve.send('POST', '/api/user/totp/disable', gone)).status).toBe(204);
  });

  it('a forgotten password is replaced, which ends the session', async () => {
    expect((await send('/api/user/password/reset-request', { email })).status).toBe(202);
    const token = tokenIn([await mailAbout('Set a new password')], 'appr');
    expect((await send('/api/user/password/reset', { token, newPassword })).status).toBe(204);
    expect((await eve.send('GET', '/api/user/profile')).status).toBe(401);
    expect((await logIn(newPassword)).status).toBe(200);
    server.clock.leap(30_000);
    await mailAbout('password of your AlphaPulse account was changed');
  });

  it('guesses have to wait', async () => {
    const answers = [];
    for (let guess = 0; guess < 5; guess++) answers.push((await logIn('wrong password!')).status);
    expect(answers).toEqual([401, 401, 401, 401, 429]);
  });
});
