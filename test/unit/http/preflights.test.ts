import { expect, it } from 'vitest';
import { CORS } from '#functions/http/cors';
import { httpApi } from '../../support/http-events.ts';
import { testPlatform } from '../../support/test-platform.ts';

const origin = 'https://app.example.com';
const asking = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

const given = async (corsOrigins: readonly string[] = [origin]) => {
  const { platform } = testPlatform();
  const config = { ...platform.config, http: { ...platform.config.http, corsOrigins } };
  const http = await httpApi({ ...platform, config });
  return (headers: Record<string, string>) => http.send('OPTIONS', '/api/alerts/create', { headers });
};

it('a preflight of a configured origin is a 204 that says what its pages may send', async () => {
  const { status, headers, text } = await (await given())(asking);
  expect([status, text]).toEqual([204, '']);
  expect(headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': CORS.methods.join(),
    'access-control-allow-headers': CORS.requestHeaders.join(),
  });
});

it('a preflight of another origin is allowed nothing', async () => {
  const { status, headers } = await (await given())({ ...asking, origin: 'https://evil.example.com' });
  expect(status).toBe(204);
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
});

it.each([
  ['without an origin', [origin], { 'access-control-request-method': 'POST' }],
  ['that is no preflight', [origin], { origin }],
  ['where no origin is configured', [], asking],
])('OPTIONS %s is a 405 like any other method', async (_, corsOrigins, headers) => {
  expect((await (await given(corsOrigins))(headers)).status).toBe(405);
});
