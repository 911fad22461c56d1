import { beforeEach, describe, expect, it } from 'vitest';
import { AuditReader } from '#shared/audit/audit-reader';
import type { UserId } from '#shared/model/user-id';
import { tokenIn } from '../../support/credentials.ts';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const email = 'ada@example.com';
let system: TestPlatform;
let http: TestHttpApi;
let ada: UserId;
let token: string;
beforeEach(async () => {
  system = testPlatform({ users: { emailVerification: 'required' } });
  http = await httpApi(system.platform);
  const body = { email, password: 'correct horse battery' };
  ada = (await http.request('POST', '/api/user/register', { body })).body.userId;
  token = (await logInAs(system.platform, ada)).accessToken;
});

const mails = async () => {
  await system.settle();
  return system.mailer.list(50);
};
const request = () => http.request('POST', '/api/user/email/verify-request', { token });
const verify = async (mailed: string) =>
  (await http.request('POST', '/api/user/email/verify', { body: { token: mailed } })).status;
const isVerified = async () => (await http.request('GET', '/api/user/profile', { token })).body.emailVerified;

describe('a new user', () => {
  it('gets a mail whose token verifies the address, once', async () => {
    expect(await isVerified()).toBe(false);
    const mailed = tokenIn(await mails(), 'apev');
    expect([await verify(mailed), await isVerified(), await verify(mailed)]).toEqual([204, true, 422]);
    const { items } = await new AuditReader(system.platform).ofUser(ada, { type: 'auth.email' }, { limit: 9 });
    expect(items).toMatchObject([{ type: 'auth.email-verified', target: { id: ada } }]);
  });

  it('is there even when the mail could not be ordered', async () => {
    const broken = await httpApi({
      ...system.platform,
      queue: () => {
        throw new Error('The queue does not answer');
      },
    });
    const body = { email: 'bob@example.com', password: 'correct horse battery' };
    expect((await broken.request('POST', '/api/user/register', { body })).status).toBe(201);
  });
});

describe('asking for another mail', () => {
  it('replaces the token, once a minute at most', async () => {
    const first = tokenIn(await mails(), 'apev');
    await request();
    expect(await mails()).toHaveLength(1);
    await system.clock.advance(60_000);
    expect((await request()).status).toBe(202);
    const second = tokenIn(await mails(), 'apev');
    expect([await verify(first), await verify(second)]).toEqual([422, 204]);
  });

  it('mails nothing once the address is verified', async () => {
    await verify(tokenIn(await mails(), 'apev'));
    await system.clock.advance(60_000);
    await request();
    expect(await mails()).toHaveLength(1);
  });
});

describe('alerts by mail', () => {
  const fire = async () => {
    await system.list('sim', ['BTC/USDT']);
    await system.tick('BTC/USDT', '60000');
    const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '50000' };
    await http.request('POST', '/api/alerts/create', { token, body: { condition, channels: ['email'] } });
    const sent = (await mails()).filter(({ subject }) => subject.includes('BTC/USDT'));
    const { items } = (await http.request('GET', '/api/alerts/history', { token })).body;
    return { sent, deliveries: items[0].deliveries };
  };

  it('go to a verified address', async () => {
    await verify(tokenIn(await mails(), 'apev'));
    const { sent, deliveries } = await fire();
    expect(sent).toHaveLength(1);
    expect(deliveries).toMatchObject([{ channel: 'email', status: 'delivered' }]);
  });

  it('do not go to another one: the delivery says why, and is not tried again', async () => {
    const { sent, deliveries } = await fire();
    expect(sent).toEqual([]);
    expect(deliveries).toMatchObject([
      { channel: 'email', status: 'failed', error: 'The mail address is not verified.' },
    ]);
    expect(await system.queue('deliveries').depth()).toMatchObject({ waiting: 0, delayed: 0, inFlight: 0 });
  });

  it('go anywhere where mails stay on the machine', async () => {
    system = testPlatform();
    http = await httpApi(system.platform);
    token = (await logInAs(system.platform, await system.user())).accessToken;
    expect((await fire()).deliveries).toMatchObject([{ status: 'delivered' }]);
  });
});
