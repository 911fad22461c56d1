import { beforeEach, describe, expect, it } from 'vitest';
import { httpApi, type TestHttpApi } from '../../support/http-events.ts';
import { DEPLOYED, testPlatform } from '../../support/test-platform.ts';

const always = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
const requests = [
  ['an answer', 'GET', '/health', 200],
  ['a document', 'GET', '/openapi.json', 200],
  ['a refusal', 'GET', '/api/alerts/list', 401],
  ['a problem with the input', 'POST', '/api/user/login', 415],
  ['a path that leads nowhere', 'GET', '/nowhere', 404],
] as const;

describe.each(['local', 'aws'] as const)('on %s', (runtime) => {
  let http: TestHttpApi;
  beforeEach(async () => {
    http = await httpApi(testPlatform(runtime === 'aws' ? DEPLOYED : {}).platform);
  });

  it.each(requests)(
    '%s forbids a browser to show, frame, guess, refer and keep it',
    async (_, method, path, status) => {
      const answer = await http.request(method, path);
      expect(answer).toMatchObject({ status, headers: always });
    },
  );

  it.each(requests)('%s tells nothing of the server', async (_, method, path) => {
    const { headers } = await http.request(method, path);
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it.each(requests)('%s insists on TLS where there is TLS', async (_, method, path) => {
    const { headers } = await http.request(method, path);
    expect(headers['strict-transport-security']).toBe(
      runtime === 'aws' ? 'max-age=63072000; includeSubDomains' : undefined,
    );
  });
});
