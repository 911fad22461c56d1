import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { httpApi, type TestHttpApi } from '../../support/http-events.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const code = 'kQ3yVh0bTn2cXr9mWz5jLg';
const bootstrapCodeHash = createHash('sha256').update(code).digest('hex');

const register = (http: TestHttpApi, email: string, more: object = {}) =>
  http.request('POST', '/api/user/register', { body: { email, password: 'correct horse battery', ...more } });

describe('a fresh installation with a bootstrap code', () => {
  let system: TestPlatform;
  let http: TestHttpApi;
  beforeEach(async () => {
    // Open to anybody: even then the first to come has to be its owner.
    system = testPlatform({ users: { registration: 'open', bootstrapCodeHash } });
    http = await httpApi(system.platform);
  });

  it.each([
    ['no code', {}],
    ['another code', { bootstrapCode: 'guess' }],
    ['the hash', { bootstrapCode: bootstrapCodeHash }],
  ])('is not for who comes first with %s', async (_, given) => {
    const { status, body } = await register(http, 'eve@example.com', given);
    expect([status, body.errors]).toMatchObject([422, [{ path: 'bootstrapCode' }]]);
    expect((await register(http, 'ada@example.com', { bootstrapCode: code })).body.role).toBe('admin');
  });

  it('asks nobody else for the code', async () => {
    await register(http, 'ada@example.com', { bootstrapCode: code });
    expect((await register(http, 'bob@example.com')).body.role).toBe('trader');
  });
});

it('an installation without a code needs none', async () => {
  const http = await httpApi(testPlatform().platform);
  expect((await register(http, 'ada@example.com')).body.role).toBe('admin');
});
