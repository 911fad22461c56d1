import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import type { UserId } from '#shared/model/user-id';
import { codeAt, tokenIn } from '../../support/credentials.ts';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const password = 'correct horse battery';
const newPassword = 'staple battery horse';
const email = 'ada@example.com';
const minuteMs = 60_000;

let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  ada = await system.user(email);
});

const open = async (): Promise<string> => (await logInAs(system.platform, ada)).accessToken;
const profile = async (token: string) => (await http.request('GET', '/api/user/profile', { token })).status;
const logIn = async (secret: string, more: object = {}) =>
  (await http.request('POST', '/api/user/login', { body: { email, password: secret, ...more } })).status;
const request = (address = email) =>
  http.request('POST', '/api/user/password/reset-request', { body: { email: address } });
const reset = (token: string, secret = newPassword) =>
  http.request('POST', '/api/user/password/reset', { body: { token, newPassword: secret } });
/** An API key of Ada, and what it can do. */
const keyOf = async (token: string) => {
  const body = { name: 'a program', scopes: ['alerts:read'] };
  const { key } = (await http.request('POST', '/api/user/api-keys', { token, body })).body;
  return async () => (await http.request('GET', '/api/alerts/list', { headers: { 'x-api-key': key } })).status;
};
const mails = async () => {
  await system.settle();
  return system.mailer.list(50);
};
const mailedToken = async () => {
  await request();
  return tokenIn(await mails(), 'appr');
};
const types = async (type = 'auth.password') =>
  (await new AuditReader(system.platform).ofUser(ada, { type }, { limit: 50 })).items.map((entry) => entry.type);

describe('a weak password', () => {
  it.each(['1q2w3e4r5t6y', 'passwordpassword', 'ada@example.com'])('such as %s is refused everywhere', async (weak) => {
    const token = await mailedToken();
    const answers = [
      await http.request('POST', '/api/user/register', { body: { email: 'ada@example.com', password: weak } }),
      await http.request('POST', '/api/user/password', {
        token: await open(),
        body: { currentPassword: password, newPassword: weak },
      }),
      await reset(token, weak),
    ];
    expect(answers.map(({ status, body }) => [status, body.errors?.[0].path])).toEqual([
      [422, 'password'],
      [422, 'newPassword'],
      [422, 'newPassword'],
    ]);
    expect((await reset(token)).status).toBe(204);
  });
});

describe('changing a password', () => {
  const change = (token: string, body: object = {}) =>
    http.request('POST', '/api/user/password', { token, body: { currentPassword: password, newPassword, ...body } });

  it('takes the new one from then on, and keeps the session that asked', async () => {
    const [mine, other] = [await open(), await open()];
    expect((await change(mine)).status).toBe(204);
    expect([await profile(mine), await profile(other)]).toEqual([200, 401]);
    expect([await logIn(newPassword), await logIn(password)]).toEqual([200, 401]);
  });

  it('deletes the API keys, which somebody else may have made', async () => {
    const token = await open();
    const key = await keyOf(token);
    expect([await key(), (await change(token)).status, await key()]).toEqual([200, 204, 401]);
    expect((await http.request('GET', '/api/user/api-keys', { token })).body.items).toEqual([]);
  });

  it('keeps the API keys where that is wanted', async () => {
    const token = await open();
    const key = await keyOf(token);
    expect([(await change(token, { keepApiKeys: true })).status, await key()]).toEqual([204, 200]);
  });

  it('mails a notice once it is done, and none where it was refused', async () => {
    const token = await open();
    await change(token, { currentPassword: 'wrong password!' });
    await change(token);
    await system.clock.advance(minuteMs);
    expect(await mails()).toMatchObject([{ to: email, subject: expect.stringContaining('password') }]);
  });

  it('mails no notice of a change that did not come about', async () => {
    const token = await open();
    const { transact } = system.store;
    system.store.transact = async (writes) => {
      if (JSON.stringify(writes).includes('passwordChange')) throw new Error('The process ended');
      await transact.call(system.store, writes);
    };
    expect((await change(token)).status).toBe(500);
    system.store.transact = transact;
    await system.clock.advance(minuteMs);
    expect(await mails()).toEqual([]);
    expect(await logIn(password)).toBe(200);
  });

  it('has to wait after wrong guesses at the present one', async () => {
    const token = await open();
    const guess = () => change(token, { currentPassword: 'wrong password!' });
    for (let time = 0; time < 4; time++) expect((await guess()).body.type).toBe('/problems/wrong-credentials');
    expect((await guess()).status).toBe(429);
  });

  it('needs another one than the present one', async () => {
    expect((await change(await open(), { newPassword: password })).body.errors[0].path).toBe('newPassword');
  });

  it('needs a code where there is a second factor', async () => {
    const token = await open();
    const { secret } = (await http.request('POST', '/api/user/totp/setup', { token })).body;
    await http.request('POST', '/api/user/totp/enable', {
      token,
      body: { password, totp: codeAt(secret, system.clock.now()) },
    });
    await system.clock.advance(30_000);
    expect((await change(token)).body).toMatchObject({
      ...{ status: 403, type: '/problems/wrong-credentials', errors: [{ path: 'totp' }] },
    });
    expect((await change(token, { totp: codeAt(secret, system.clock.now()) })).status).toBe(204);
  });

  it('by two at the same moment is done by one of them', async () => {
    const [one, other] = [await open(), await open()];
    const answers = await Promise.all([change(one), change(other, { newPassword: `${newPassword}!` })]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(await types()).toEqual(['auth.password-changed']);
  });
});

describe('asking for a reset', () => {
  it('is answered alike with and without a user, and mails only to a user', async () => {
    const [known, unknown] = [await request(), await request('nobody@example.com')];
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    expect(known.status).toBe(202);
    expect((await mails()).map(({ to }) => to)).toEqual([email]);
  });

  it('does nothing to the table before the answer, so that its time tells nothing', async () => {
    const before = (await system.changes.read('alerts', 1000)).length;
    await request();
    expect((await system.changes.read('alerts', 1000)).length).toBe(before);
  });

  it('mails once a minute at most', async () => {
    for (let time = 0; time < 3; time++) await request();
    expect(await mails()).toHaveLength(1);
    await system.clock.advance(minuteMs);
    await request();
    expect(await mails()).toHaveLength(2);
  });

  it('mails five times a day at most', async () => {
    for (let hour = 0; hour < 8; hour++) {
      await request();
      await mails();
      await system.clock.advance(60 * minuteMs);
    }
    expect(await mails()).toHaveLength(5);
    await system.clock.advance(16 * 60 * minuteMs);
    await request();
    expect(await mails()).toHaveLength(6);
  });

  it('mails nothing to somebody who is disabled', async () => {
    await system.table.update({ pk: `USER#${ada}`, sk: 'PROFILE' }, { set: { disabled: true } });
    await request();
    expect(await mails()).toEqual([]);
  });

  it('that is delivered twice mails once, and the token stays the same', async () => {
    await request();
    const [message] = await system.queue('deliveries').receive(1, 1);
    const { body = '' } = message ?? {};
    await system.queue('deliveries').send([{ body }, { body }]);
    await system.clock.advance(2000);
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    expect((await reset(tokenIn(mail ? [mail] : [], 'appr'))).status).toBe(204);
    await system.queue('deliveries').send([{ body }]);
    expect((await reset(tokenIn(await mails(), 'appr'))).status).toBe(422);
  });

  it('whose mail could not be sent at first mails a token that is good', async () => {
    const { send } = system.mailer;
    system.mailer.send = async () => {
      system.mailer.send = send;
      throw new Error('The process ended');
    };
    await request();
    await system.settle();
    await system.clock.advance(minuteMs);
    expect((await reset(tokenIn(await mails(), 'appr'))).status).toBe(204);
  });

  it('keeps no token that could be used', async () => {
    const token = await mailedToken();
    const stored = JSON.stringify((await system.table.query({ pk: `USER#${ada}` })).items);
    expect(stored).toContain('mailed-token');
    expect(stored).not.toContain(token.slice(5));
  });
});

describe('a reset', () => {
  it('sets the password and ends every session', async () => {
    const session = await open();
    expect((await reset(await mailedToken())).status).toBe(204);
    expect([await profile(session), await logIn(password), await logIn(newPassword)]).toEqual([401, 401, 200]);
    expect(await types()).toEqual(['auth.password-reset', 'auth.password-reset-requested']);
  });

  it('deletes the API keys', async () => {
    const key = await keyOf(await open());
    expect([await key(), (await reset(await mailedToken())).status, await key()]).toEqual([200, 204, 401]);
  });

  it('takes a token once, also at the same moment', async () => {
    const token = await mailedToken();
    const answers = await Promise.all([reset(token), reset(token, `${newPassword}!`)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 422]);
    expect((await reset(token)).body.type).toBe('/problems/invalid-mailed-token');
  });

  it('takes no token after half an hour', async () => {
    const token = await mailedToken();
    await system.clock.advance(30 * minuteMs);
    expect((await reset(token)).status).toBe(422);
  });

  it('takes one of the last three tokens, so that strangers who ask for more do not keep the user out', async () => {
    const tokens = [];
    for (let mail = 0; mail < 4; mail++) {
      await system.clock.advance(minuteMs);
      tokens.push(await mailedToken());
    }
    const [first = '', second = '', , latest = ''] = tokens;
    expect([(await reset(first)).status, (await reset(second)).status]).toEqual([422, 204]);
    expect((await reset(latest)).body.type).toBe('/problems/invalid-mailed-token');
  });

  it('takes no token of before the last reset', async () => {
    const first = await mailedToken();
    await reset(first);
    await system.clock.advance(minuteMs);
    const second = await mailedToken();
    expect([(await reset(first)).status, (await reset(second)).status]).toEqual([422, 204]);
  });

  it.each(['', 'appr_', `appr_${'A'.repeat(64)}`, `apev_${'A'.repeat(64)}`, 'let me in'])(
    'takes no token such as %j',
    async (token) => {
      expect((await reset(token)).body.type).toBe('/problems/invalid-mailed-token');
    },
  );

  it('does not spare the second factor', async () => {
    const token = await open();
    const { secret } = (await http.request('POST', '/api/user/totp/setup', { token })).body;
    await http.request('POST', '/api/user/totp/enable', {
      token,
      body: { password, totp: codeAt(secret, system.clock.now()) },
    });
    await reset(await mailedToken());
    expect(await logIn(newPassword)).toBe(401);
    await system.clock.advance(30_000);
    expect(await logIn(newPassword, { totp: codeAt(secret, system.clock.now()) })).toBe(200);
  });

  it('has a link in its mail where there is a web app', async () => {
    const withApp = testPlatform({ mail: { appUrl: 'https://app.example.com/' } });
    await withApp.user(email);
    const own = await httpApi(withApp.platform);
    await own.request('POST', '/api/user/password/reset-request', { body: { email } });
    await withApp.settle();
    const [mail] = withApp.mailer.list(1);
    expect(mail?.text).toContain(`https://app.example.com/reset-password#token=${tokenIn(mail ? [mail] : [], 'appr')}`);
  });
});
