import { beforeEach, describe, expect, it } from 'vitest';
import { NewAccount } from '#shared/accounts/account';
import { Accounts } from '#shared/accounts/accounts';
import type { UserId } from '#shared/model/user-id';
import { testKey, VenueOfKeys } from '../../support/account-venues.ts';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const minuteMs = 60_000;
const apiKey = { name: 'a program', scopes: ['market:read'] };

let system: TestPlatform;
let http: TestHttpApi;
let bob: UserId;
let admin: string;
let token: string;
beforeEach(async () => {
  system = testPlatform();
  http = await httpApi(system.platform);
  const ada = await system.user('ada@example.com');
  bob = await system.user('bob@example.com');
  admin = (await logInAs(system.platform, ada)).accessToken;
  token = (await logInAs(system.platform, bob)).accessToken;
});

const mails = async () => {
  await system.clock.advance(minuteMs);
  await system.settle();
  return system.mailer.list(9).map(({ to, subject, text }) => ({ to, subject, text }));
};

describe('a user', () => {
  it.each([
    ['an API key', 'POST', '/api/user/api-keys', apiKey],
    ['webhook address', 'PUT', '/api/user/settings', { webhookUrl: 'https://example.com/hook' }],
  ] as const)('is told by mail of a new %s, and from where it came', async (what, method, path, body) => {
    const sourceAddress = '198.51.100.9';
    expect((await http.request(method, path, { token, body, sourceAddress })).status).toBeLessThan(300);
    const [mail, ...others] = await mails();
    expect(others).toEqual([]);
    const subject = expect.stringMatching(new RegExp(what, 'i'));
    expect(mail).toMatchObject({ to: 'bob@example.com', subject, text: expect.stringContaining(sourceAddress) });
  });

  it('is told by mail of a new role, and not where the admin was', async () => {
    await http.request('PUT', `/api/users/${bob}`, { token: admin, body: { role: 'viewer' } });
    const [mail] = await mails();
    expect(mail).toMatchObject({ to: 'bob@example.com', subject: expect.stringContaining('role') });
    expect(mail?.text).not.toContain('203.0.113.7');
  });

  it('is told of nothing that did not change', async () => {
    await http.request('PUT', '/api/user/settings', { token, body: { baseCurrency: 'EUR' } });
    await http.request('PUT', `/api/users/${bob}`, { token: admin, body: { role: 'trader' } });
    expect(await mails()).toEqual([]);
  });

  it('is told of no change that did not come about', async () => {
    const { transact } = system.store;
    system.store.transact = async () => {
      throw new Error('The process ended');
    };
    const refused = [
      await http.request('POST', '/api/user/api-keys', { token, body: apiKey }),
      await http.request('PUT', '/api/user/settings', { token, body: { webhookUrl: 'https://example.com/hook' } }),
      await http.request('PUT', `/api/users/${bob}`, { token: admin, body: { role: 'viewer' } }),
    ];
    system.store.transact = transact;
    expect(refused.map(({ status }) => status)).toEqual([500, 500, 500]);
    expect(await mails()).toEqual([]);
  });

  it('gets none at an address that they did not verify, so that nobody has others mailed', async () => {
    system = testPlatform({ users: { emailVerification: 'required' } });
    http = await httpApi(system.platform);
    token = (await logInAs(system.platform, await system.user('eve@example.com'))).accessToken;
    expect((await http.request('POST', '/api/user/api-keys', { token, body: apiKey })).status).toBe(201);
    expect(await mails()).toEqual([]);
  });
});

describe('the owner of an exchange account', () => {
  const account = { venue: 'binance', label: 'main', mode: 'live' };
  let accounts: Accounts;
  let venue: VenueOfKeys;
  beforeEach(async () => {
    venue = new VenueOfKeys();
    venue.add();
    system = testPlatform({ market: { venues: ['sim', 'binance'] } }, venue.open);
    bob = await system.user('bob@example.com');
    accounts = new Accounts(system.platform, venue);
  });
  const add = () => system.awake(accounts.add(bob, NewAccount.parse({ ...account, credentials: testKey }), testOrigin));

  it('is told by mail of each key that is stored', async () => {
    const { accountId } = await add();
    expect(await mails()).toMatchObject([{ to: 'bob@example.com', subject: expect.stringContaining('exchange') }]);
    const credentials = { apiKey: 'AKnewkey0123456789abcdefgh', secret: 'SECRETnewsecret0123456789' };
    venue.add(credentials);
    await system.awake(accounts.change(bob, accountId, { credentials }, testOrigin));
    expect(await mails()).toHaveLength(2);
  });

  it('is told of no key that was not stored', async () => {
    const { transact } = system.store;
    system.store.transact = async (writes) => {
      if (JSON.stringify(writes).includes('keyChange')) throw new Error('The process ended');
      await transact.call(system.store, writes);
    };
    await expect(add()).rejects.toThrow('The process ended');
    system.store.transact = transact;
    expect(await mails()).toEqual([]);
  });
});
