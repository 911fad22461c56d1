import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import { totpStep } from '#shared/auth/totp';
import type { UserId } from '#shared/model/user-id';
import { codeAt } from '../../support/credentials.ts';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const email = 'ada@example.com';
const stepMs = 30_000;

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user(email);
  token = await open();
});

const open = async (): Promise<string> => (await logInAs(system.platform, ada)).accessToken;
const post = (path: string, body?: object, as = token) =>
  http.request('POST', `/api/user/totp/${path}`, { token: as, ...(body && { body }) });
const profile = async (as = token) => await http.request('GET', '/api/user/profile', { token: as });
const logIn = (totp?: string) =>
  http.request('POST', '/api/user/login', { body: { email, password, ...(totp === undefined ? {} : { totp }) } });
/** A code that was not used yet. */
const nextCode = async (secret: string): Promise<string> => {
  await system.clock.advance(stepMs);
  return codeAt(secret, system.clock.now());
};
const enabled = async () => {
  const { secret } = (await post('setup')).body;
  const { recoveryCodes } = (await post('enable', { password, totp: codeAt(secret, system.clock.now()) })).body;
  return { secret: secret as string, recoveryCodes: recoveryCodes as string[] };
};
const types = async () =>
  (await new AuditReader(system.platform).ofUser(ada, { type: 'auth.' }, { limit: 50 })).items.map(({ type }) => type);

describe('setting up a second factor', () => {
  it('gives a secret to type in, and the same as a QR code', async () => {
    const { status, body } = await post('setup');
    expect(status).toBe(200);
    expect(new URL(body.uri).searchParams.get('secret')).toBe(body.secret);
    const svg = Buffer.from(body.qr.replace('data:image/svg+xml;base64,', ''), 'base64').toString();
    expect(svg).toMatch(/^<svg .*<\/svg>$/s);
  });

  it('counts for nothing until a code was shown', async () => {
    await post('setup');
    expect((await profile()).body.totpEnabled).toBe(false);
    expect((await logIn()).status).toBe(200);
  });

  it('is over after a quarter of an hour', async () => {
    const { secret } = (await post('setup')).body;
    await system.clock.advance(15 * 60_000);
    token = await open();
    expect((await post('enable', { password, totp: codeAt(secret, system.clock.now()) })).status).toBe(409);
  });

  it('takes no code of a secret that was replaced', async () => {
    const { secret } = (await post('setup')).body;
    await post('setup');
    expect((await post('enable', { password, totp: codeAt(secret, system.clock.now()) })).body.type).toBe(
      '/problems/wrong-credentials',
    );
  });

  it('keeps the secret sealed', async () => {
    const { secret } = await enabled();
    const stored = JSON.stringify(await system.changes.read('alerts', 1000));
    expect(stored).toContain('"kind":"totp"');
    expect(stored).not.toContain(secret);
  });
});

describe('enabling a second factor', () => {
  it('needs the password, so that a stolen token locks nobody out', async () => {
    const { secret } = (await post('setup')).body;
    const code = codeAt(secret, system.clock.now());
    expect((await post('enable', { password: 'wrong password!', totp: code })).body.type).toBe(
      '/problems/wrong-credentials',
    );
    expect((await profile()).body.totpEnabled).toBe(false);
  });

  it('gives ten recovery codes and ends the other sessions', async () => {
    const other = await open();
    const { recoveryCodes } = await enabled();
    expect(new Set(recoveryCodes).size).toBe(10);
    expect([(await profile()).body.totpEnabled, (await profile(other)).status]).toEqual([true, 401]);
  });

  it('can not be done twice, not at the same moment either', async () => {
    const { secret } = (await post('setup')).body;
    const code = codeAt(secret, system.clock.now());
    const answers = await Promise.all([
      post('enable', { password, totp: code }),
      post('enable', { password, totp: code }),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    expect((await post('setup')).status).toBe(409);
  });

  it('mails a notice, though not where it failed', async () => {
    await post('setup');
    await post('enable', { password, totp: '000000' });
    await enabled();
    await system.clock.advance(60_000);
    await system.settle();
    expect(system.mailer.list(9)).toMatchObject([{ to: email, subject: expect.stringContaining('second factor') }]);
  });
});

describe('a login with a second factor', () => {
  it('asks for the code once the password was right, and not before', async () => {
    await enabled();
    const asked = await logIn();
    expect([asked.status, asked.body.type]).toEqual([401, '/problems/totp-required']);
    const body = { email, password: 'wrong password!', totp: '123456' };
    expect((await http.request('POST', '/api/user/login', { body })).body.type).toBe('/problems/invalid-credentials');
  });

  it('is in the trail when the password was right and the code is missing', async () => {
    await enabled();
    await logIn();
    const { items } = await new AuditReader(system.platform).ofUser(ada, { type: 'auth.login-failed' }, { limit: 9 });
    expect(items).toMatchObject([{ after: { reason: 'no-code' }, outcome: 'failure' }]);
  });

  it('takes a code once', async () => {
    const { secret } = await enabled();
    const code = await nextCode(secret);
    expect((await logIn(code)).status).toBe(200);
    const again = await logIn(code);
    expect([again.status, again.body.type]).toEqual([401, '/problems/invalid-totp']);
  });

  it('takes a code of one of those who show it at the same moment', async () => {
    const { secret } = await enabled();
    const code = await nextCode(secret);
    const answers = await Promise.all([logIn(code), logIn(code), logIn(code)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
  });

  it('does not take the code that enabled it', async () => {
    const { secret } = await enabled();
    expect((await logIn(codeAt(secret, system.clock.now()))).status).toBe(401);
  });

  it('has to wait after wrong codes, also when the password was shown without one in between', async () => {
    await enabled();
    const answers: number[] = [];
    for (let guess = 0; guess < 5; guess++) {
      answers.push((await logIn('000000')).status);
      await logIn();
    }
    expect(answers).toEqual([401, 401, 401, 401, 429]);
  });

  it('is no failure when it is asked for the code', async () => {
    const { secret } = await enabled();
    for (let time = 0; time < 5; time++) expect((await logIn()).status).toBe(401);
    expect((await logIn(await nextCode(secret))).status).toBe(200);
  });

  it('takes each recovery code once, however it is typed', async () => {
    const { recoveryCodes } = await enabled();
    const [first = '', second = ''] = recoveryCodes;
    expect((await logIn(` ${first.toUpperCase().replaceAll('-', ' ')}`)).status).toBe(200);
    expect((await logIn(first)).status).toBe(401);
    expect((await logIn(second)).status).toBe(200);
  });

  it('still knows its users after the signing keys were replaced', async () => {
    const { secret } = await enabled();
    await system.platform.secrets.put('token-signing', 'replaced');
    expect((await logIn(await nextCode(secret))).status).toBe(200);
  });
});

describe('recovery codes', () => {
  it('are replaced, the old ones with them', async () => {
    const { secret, recoveryCodes } = await enabled();
    const renewed = await post('recovery-codes', { password, totp: await nextCode(secret) });
    expect(renewed.body.recoveryCodes).toHaveLength(10);
    expect((await logIn(recoveryCodes[0])).status).toBe(401);
    expect((await logIn(renewed.body.recoveryCodes[0])).status).toBe(200);
  });

  it('are not replaced without the password', async () => {
    const { secret, recoveryCodes } = await enabled();
    const refused = await post('recovery-codes', { password: 'wrong password!', totp: await nextCode(secret) });
    expect(refused.body).toMatchObject({ type: '/problems/wrong-credentials', errors: [{ path: 'password' }] });
    expect((await logIn(recoveryCodes[0])).status).toBe(200);
  });

  it('are not without a second factor', async () => {
    expect((await post('recovery-codes', { password, totp: '123456' })).status).toBe(409);
  });
});

describe('disabling a second factor', () => {
  it('needs the password and a code', async () => {
    const { secret } = await enabled();
    const wrong = await post('disable', { password: 'wrong password!', totp: await nextCode(secret) });
    expect(wrong.body).toMatchObject({
      status: 403,
      type: '/problems/wrong-credentials',
      errors: [{ path: 'password' }],
    });
    const guessed = await post('disable', { password, totp: '000000' });
    expect(guessed.body).toMatchObject({
      status: 403,
      type: '/problems/wrong-credentials',
      errors: [{ path: 'totp' }],
    });
    expect((await post('disable', { password, totp: await nextCode(secret) })).status).toBe(204);
    expect((await profile()).body.totpEnabled).toBe(false);
    expect((await logIn()).status).toBe(200);
  });

  it('lets another one be set up', async () => {
    const first = await enabled();
    await post('disable', { password, totp: await nextCode(first.secret) });
    const second = await enabled();
    expect(totpStep(second.secret, codeAt(first.secret, system.clock.now()), system.clock.now())).toBeUndefined();
    expect((await logIn(await nextCode(second.secret))).status).toBe(200);
  });

  it('is in the trail with all that was before', async () => {
    const { secret, recoveryCodes } = await enabled();
    await logIn(recoveryCodes[0]);
    await post('recovery-codes', { password, totp: await nextCode(secret) });
    await post('disable', { password, totp: await nextCode(secret) });
    expect(await types()).toEqual([
      'auth.totp-disabled',
      'auth.recovery-codes-renewed',
      'auth.login-succeeded',
      'auth.totp-enabled',
      'auth.login-succeeded',
      'auth.registered',
    ]);
  });
});
