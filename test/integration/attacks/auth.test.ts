import { beforeEach, describe, expect, it } from 'vitest';
import { repeatSeconds } from '#shared/auth/refresh-tokens';
import type { UserId } from '#shared/model/user-id';
import { httpApi, logInAs, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

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
