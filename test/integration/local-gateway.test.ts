import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { perMinute, route } from '#functions/http/route';
import { securityHeaders } from '#functions/http/security-headers';
import { FrontDoor } from '#local/front-door';
import { Gateway } from '#local/gateway';
import { HandlerTimedOut } from '#local/invoke';
import { outboxPage } from '#local/pages';
import { localLogger } from '#local/telemetry';
import { systemClock, systemRandom, uuidV7Ids } from '#shared/platform/system';

const declared = (method: 'GET' | 'POST' | 'DELETE', path: `/${string}`, scope: 'public' | 'self' = 'public') =>
  route({ method, path, scope, throttle: perMinute(60), summary: '', response: {} });

/** Answers with the event that it got, or as its path says. */
const echo = async (event: unknown): Promise<unknown> => {
  const { rawPath } = event as APIGatewayProxyEventV2;
  if (rawPath === '/throws') throw new Error('a secret detail');
  if (rawPath === '/hangs') throw new HandlerTimedOut({ name: 'x', memoryMb: 1, timeoutSeconds: 1 });
  if (rawPath === '/nonsense') return { statusCode: 'x' };
  if (rawPath === '/bare') return { a: 1 };
  if (rawPath === '/empty') return { statusCode: 204 };
  if (rawPath === '/full') {
    const headers = { 'X-Own': 'yes', 'Content-Type': 'text/plain' };
    return { statusCode: 201, headers, cookies: ['a=1', 'b=2'], body: 'eMO8', isBase64Encoded: true };
  }
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
};

const mail = { id: '1', to: 'ada@example.com', subject: '<b>Hi</b>', text: 'x', html: '<p title="a">Hi</p>', at: 0 };
let allows = true;
const gateway = new Gateway({
  functions: [
    {
      routes: [
        ...(['/echo', '/throws', '/hangs', '/nonsense', '/bare', '/empty', '/full'] as const).map((path) =>
          declared('GET', path),
        ),
        declared('POST', '/echo'),
        declared('GET', '/items/{id}'),
        declared('GET', '/mine', 'self'),
      ],
      invoke: echo,
    },
    { routes: [], fallback: true, invoke: async () => ({ statusCode: 404, body: 'fallback' }) },
  ],
  authorize: async (event) => {
    const { type, headers } = z
      .looseObject({ type: z.string(), headers: z.record(z.string(), z.string()) })
      .parse(event);
    return { isAuthorized: allows, context: { type, token: headers.authorization ?? '' } };
  },
  corsOrigins: ['https://app.example.com'],
  door: new FrontDoor({ host: '127.0.0.1' }),
  strictTransport: false,
  pages: new Map([['/outbox', outboxPage('token', () => [mail])]]),
  clock: systemClock,
  ids: uuidV7Ids(systemClock, systemRandom),
  logger: localLogger('SILENT'),
});

let port = 0;
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.server.listen(0, '127.0.0.1', resolve));
  port = (gateway.server.address() as AddressInfo).port;
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => gateway.server.close());

const echoed = async (path: string, init?: RequestInit) =>
  (await (await fetch(url + path, init)).json()) as APIGatewayProxyEventV2;

/** Sends bytes as they are and gives the whole answer. */
const raw = async (...bytes: string[]): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  for (const piece of bytes) socket.write(piece);
  return text(socket);
};

describe('the event', () => {
  it('is one of payload format 2.0', async () => {
    const event = await echoed('/echo?a=1&b=x%20y&a=2', { headers: { 'X-Upper': 'Kept', cookie: 'c=1; d=2' } });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /echo',
      rawPath: '/echo',
      rawQueryString: 'a=1&b=x%20y&a=2',
      queryStringParameters: { a: '1,2', b: 'x y' },
      cookies: ['c=1', 'd=2'],
      headers: { 'x-upper': 'Kept', host: `127.0.0.1:${port}` },
      isBase64Encoded: false,
      requestContext: {
        routeKey: 'GET /echo',
        stage: '$default',
        http: { method: 'GET', path: '/echo', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
      },
    });
    expect(event.requestContext.time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
  });

  it('has the text of a JSON body', async () => {
    const event = await echoed('/echo', {
      method: 'POST',
      body: '{"ä":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(event).toMatchObject({ body: '{"ä":1}', isBase64Encoded: false });
  });

  it('has any other body in base64', async () => {
    const body = new Uint8Array([0xff, 0]);
    expect(await echoed('/echo', { method: 'POST', body })).toMatchObject({ body: '/wA=', isBase64Encoded: true });
  });

  it('has decoded path parameters and the path as it was sent', async () => {
    expect(await echoed('/items/a%2Fb%20c')).toMatchObject({
      rawPath: '/items/a%2Fb%20c',
      pathParameters: { id: 'a/b c' },
    });
  });

  it('joins a header that was sent twice', async () => {
    const answer = await raw('GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: 1\r\nx-a: 2\r\n\r\n');
    expect(answer).toContain('"x-a":"1,2"');
  });

  it('takes no harm from headers named like parts of objects', async () => {
    const event = await echoed('/echo?__proto__=1&constructor=2', { headers: { constructor: 'x' } });
    expect(event.headers.constructor).toBe('x');
  });

  it('tells what the authorizer found, for routes that are not public', async () => {
    const event = await echoed('/mine', { headers: { authorization: 'Bearer t' } });
    expect(event.requestContext).toMatchObject({ authorizer: { lambda: { type: 'REQUEST', token: 'Bearer t' } } });
  });
});

describe('the answer', () => {
  it('is 403 when the authorizer refuses', async () => {
    allows = false;
    const { status } = await fetch(`${url}/mine`);
    allows = true;
    expect(status).toBe(403);
  });

  it('has the status, headers, cookies and body of the handler', async () => {
    const answer = await fetch(`${url}/full`);
    expect([answer.status, answer.headers.get('x-own'), answer.headers.getSetCookie(), await answer.text()]).toEqual([
      201,
      'yes',
      ['a=1', 'b=2'],
      'xü',
    ]);
  });

  it('is the JSON of what a handler returns without a status', async () => {
    expect(await (await fetch(`${url}/bare`)).json()).toEqual({ a: 1 });
  });

  it('has no length when it is 204', async () => {
    const answer = await fetch(`${url}/empty`);
    expect([answer.status, answer.headers.get('content-length')]).toEqual([204, null]);
  });

  it.each([
    ['/throws', 500],
    ['/nonsense', 500],
    ['/hangs', 504],
  ])('is a problem document when the handler fails: %s', async (path, status) => {
    const answer = await fetch(url + path);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({
      status,
      instance: path,
      requestId: answer.headers.get('x-request-id'),
    });
  });

  it('tells nothing of an error that nobody foresaw', async () => {
    expect(await (await fetch(`${url}/throws`)).text()).not.toContain('secret detail');
  });

  it.each(['/nowhere', '/items/', '/items/1/2'])('comes from the fallback where no route matches: %s', async (path) => {
    expect(await (await fetch(url + path)).text()).toBe('fallback');
  });

  it('to HEAD is that to GET without its body', async () => {
    const sent = await raw('HEAD /full HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(sent).toMatch(/^HTTP\/1.1 201 /);
    expect(sent).toContain('content-length: 3\r\n');
    expect(sent).toMatch(/\r\n\r\n$/);
  });

  it('to HEAD comes from the fallback where there is no GET', async () => {
    const { status } = await fetch(`${url}/nowhere`, { method: 'HEAD' });
    expect(status).toBe(404);
  });

  it('to HEAD is that of GET without the body', async () => {
    const answer = await fetch(`${url}/bare`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'application/json',
      '',
    ]);
  });

  it('forbids browsers to guess types and to run anything', async () => {
    const { headers } = await fetch(`${url}/echo`);
    expect(Object.fromEntries(headers)).toMatchObject(securityHeaders({ strictTransport: false }));
  });

  it('also where the gateway itself answers', async () => {
    const misdirected = await raw('GET /echo HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n');
    const unreadable = await raw('nonsense\r\n\r\n');
    for (const [name, value] of Object.entries(securityHeaders({ strictTransport: false }))) {
      expect(misdirected).toContain(`${name}: ${value}\r\n`);
      expect(unreadable).toContain(`${name}: ${value}\r\n`);
    }
  });

  it('without telling what answers', async () => {
    const { headers } = await fetch(`${url}/echo`);
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
  });
});

describe('requests that are refused', () => {
  it.each(['/items/%zz', '/echo?a=%zz'])('%s, whose percent-encoding is wrong', async (path) => {
    const answer = await fetch(url + path);
    expect([answer.status, await answer.json()]).toMatchObject([400, { type: '/problems/malformed-request' }]);
  });

  it('a path that begins with two slashes', async () => expect((await fetch(`${url}//echo`)).status).toBe(400));

  it.each(['evil.example.com', 'localhost.evil.example.com', ''])('the Host header %j', async (host) => {
    expect(await raw(`GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 421 /);
  });

  it.each(['localhost', '127.0.0.1:80', '[::1]:3000', 'LOCALHOST'])('but not the Host header %s', async (host) => {
    expect(await raw(`GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('a body that says it is too large, and its sender gets to read so', async () => {
    const answer = await fetch(`${url}/echo`, { method: 'POST', body: 'x'.repeat(2_000_000) });
    expect([answer.status, await answer.json()]).toMatchObject([413, { type: '/problems/payload-too-large' }]);
  });

  it('a body that turns out to be too large', async () => {
    const status = await new Promise((resolve, reject) => {
      const sending = httpRequest(`${url}/echo`, { method: 'POST' }, (answer) => resolve(answer.resume().statusCode));
      sending.on('error', reject);
      for (let piece = 0; piece < 20; piece++) sending.write('x'.repeat(50_000));
      sending.end();
    });
    expect(status).toBe(413);
  });

  it('what is no HTTP', async () => {
    const answer = await raw('nonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request.*"status":400/s);
  });

  it('headers that are too long', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    fetch(`${url}/echo`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

  it('may ask beforehand, from a configured origin', async () => {
    const { status, headers } = await preflight('https://app.example.com');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
  });

  it('may read answers and their request ids, from a configured origin', async () => {
    const { headers } = await fetch(`${url}/echo`, { headers: { origin: 'https://app.example.com' } });
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(headers.get('access-control-expose-headers')).toContain('x-request-id');
    expect(headers.get('vary')).toContain('Origin');
  });

  it('may do nothing from another origin', async () => {
    const answers = [
      await preflight('https://evil.example.com'),
      await fetch(`${url}/echo`, { headers: { origin: 'https://evil.example.com' } }),
    ];
    expect(answers.map(({ headers }) => headers.get('access-control-allow-origin'))).toEqual([null, null]);
  });
});

describe('the outbox', () => {
  it('gives mails as JSON', async () => {
    expect(await (await fetch(`${url}/outbox?token=token`)).json()).toEqual({ items: [mail], nextCursor: null });
  });

  it('shows mails to people, whose markup can do nothing to the page', async () => {
    const page = await (await fetch(`${url}/outbox?token=token`, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('&lt;b&gt;Hi&lt;/b&gt;');
    expect(page).toContain('&lt;p title=&quot;a&quot;&gt;Hi&lt;/p&gt;');
    expect(page).toMatch(/<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc=/);
  });
});
