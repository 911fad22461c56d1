/** Pages of other sites run in the browsers of this machine's users, and reach what these reach. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ApiClient } from '../../support/client.ts';
import { type ServerHere, startServerHere } from '../../support/server-here.ts';

const webApp = 'http://localhost:5173';
const evil = [
  'https://evil.example.com',
  'http://localhost:5174',
  'https://localhost:5173',
  'http://localhost:5173.evil.example.com',
  'null',
];

let server: ServerHere;
let token: string;
beforeAll(async () => {
  server = await startServerHere();
  token = (await ApiClient.of(server, server.dataFolder)).token;
});
afterAll(() => server?.end());

const preflight = (origin: string, path = '/api/alerts/create', method = 'POST') =>
  fetch(server.url + path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  });

/** The status of a handshake that a page of this origin makes, 101 for one that is let in. */
const handshake = async (origin: string): Promise<number | undefined> => {
  const socket = new WebSocket(server.webSocketUrl, ['bearer', token], { origin });
  socket.on('error', () => undefined);
  const [, answer] = await Promise.race([once(socket, 'upgrade').then(() => []), once(socket, 'unexpected-response')]);
  socket.terminate();
  return answer === undefined ? 101 : (answer as { statusCode: number }).statusCode;
};

describe('a page of the web app under development', () => {
  it.each([
    ['/api/alerts/create', 'POST'],
    ['/api/user/settings', 'PUT'],
    ['/api/alerts/x', 'DELETE'],
    ['/api/user/profile', 'GET'],
  ])('may ask before it calls %s', async (path, method) => {
    const { status, headers } = await preflight(webApp, path, method);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, webApp]);
    expect(headers.get('access-control-allow-methods')?.split(',')).toContain(method);
    expect(headers.get('access-control-allow-headers')?.split(',')).toContain('authorization');
  });

  it('may read answers and open a socket', async () => {
    const { headers } = await fetch(`${server.url}/api/user/profile`, { headers: { origin: webApp } });
    expect(headers.get('access-control-allow-origin')).toBe(webApp);
    expect(await handshake(webApp)).toBe(101);
  });

  it('gets no cookies sent along', async () => {
    expect((await preflight(webApp)).headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe.each(evil)('a page of %s', (origin) => {
  it('may not call the API', async () => {
    const { headers } = await preflight(origin);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('access-control-allow-methods')).toBeNull();
  });

  it('may not read answers', async () => {
    const { headers } = await fetch(`${server.url}/health`, { headers: { origin } });
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
      null,
      expect.stringContaining('Origin'),
    ]);
  });

  it('may not open a socket, although its user has a token', async () => {
    expect(await handshake(origin)).toBe(403);
  });
});
