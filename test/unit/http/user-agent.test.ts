import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { ok } from '#functions/http/reply';
import { perMinute, route } from '#functions/http/route';
import { testContext, testPlatform } from '../../support/test-platform.ts';

const echo = route({
  method: 'GET',
  path: '/echo',
  scope: 'public',
  throttle: perMinute(60),
  summary: 'The user agent of the client',
  response: { 200: z.string() },
});
const handle = api(testPlatform().platform, [on(echo, async ({ origin }) => ok(origin.source))]);

const seen = async (userAgent: string): Promise<string> => {
  const http = { method: 'GET', path: '/echo', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent };
  const event = { routeKey: 'GET /echo', rawPath: '/echo', headers: {}, requestContext: { requestId: 'r', http } };
  const { body } = await handle(event as unknown as APIGatewayProxyEventV2, testContext);
  return (JSON.parse(body ?? '') as { userAgent: string }).userAgent;
};

describe('a user agent', () => {
  it('stays on one line, in its order', async () => {
    expect(await seen('curl/8\r\nset-cookie: a=1\u2028\u202emoc.live\0')).toBe('curl/8  set-cookie: a=1  moc.live ');
  });

  it('is kept up to 256 characters', async () => {
    expect(await seen('Mozilla/5.0 (Ünïx; 😀)')).toBe('Mozilla/5.0 (Ünïx; 😀)');
    expect(await seen('x'.repeat(5000))).toHaveLength(256);
  });
});
