import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '#functions/http/problem';
import { ApiClient, call } from '../support/client.ts';
import { exchange, head, type RawReply, request } from '../support/raw-http.ts';
import { startServerHere } from '../support/server-here.ts';

let server: Awaited<ReturnType<typeof startServerHere>>;
let client: ApiClient;
let before: Awaited<ReturnType<typeof everything>>;

/** All that a user has. */
const everything = async () => ({
  alerts: await client.alerts(),
  history: await client.history(),
  profile: await client.get('/api/user/profile'),
});

const price = (fields: object = {}) => ({
  type: 'price',
  venue: 'sim',
  symbol: 'BTC/USDT',
  operator: 'above',
  value: '9000000',
  ...fields,
});

beforeAll(async () => {
  server = await startServerHere();
  client = await ApiClient.of(server, server.dataFolder);
  // The venue's symbols are known once the first sync has ended.
  await client.anyPrice();
  await client.createAlert({
    condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '9000000' },
  });
  before = await everything();
});
afterAll(async () => {
  await server?.end();
});

const json = 'content-type: application/json';
const authorized = () => `authorization: Bearer ${client.token}`;
const target = '/api/alerts/create';
const send = (...pieces: readonly (string | Uint8Array)[]): Promise<RawReply> => exchange(server.url, ...pieces);
const post = (body: string | Uint8Array, ...headers: string[]): Promise<RawReply> =>
  send(...request('POST', target, body, authorized(), ...(headers.length === 0 ? [json] : headers)));

/** The answer is a problem document of this status, and nothing else happened. */
const expectProblem = async ({ status, headers, body }: RawReply, expected: number): Promise<Problem> => {
  const problem = Problem.parse(JSON.parse(body));
  expect([status, problem.status, headers.get('content-type')]).toEqual([
    expected,
    expected,
    'application/problem+json',
  ]);
  expect(problem.requestId).toBe(headers.get('x-request-id'));
  expect(await everything()).toEqual(before);
  expect((await call(`${server.url}/health`)).status).toBe(200);
  return problem;
};

describe('a body that can not be read', () => {
  it.each([
    ['is broken off', '{"condition":'],
    ['is empty', ''],
    ['is two documents', '{}{}'],
    ['has a trailing comma', '{"a":1,}'],
    ['is XML', '<alert/>'],
  ])('is refused: it %s', async (_kind, body) => {
    await expectProblem(await post(body), 400);
  });

  it.each([
    ['no type', 'x-a: 1'],
    ['plain text', 'content-type: text/plain'],
    ['a form', 'content-type: application/x-www-form-urlencoded'],
    ['nearly JSON', 'content-type: application/jsonp'],
    ['two types', 'content-type: text/plain\r\ncontent-type: application/json'],
  ])('is refused: it comes as %s', async (_kind, header) => {
    await expectProblem(await post(JSON.stringify({ condition: price() }), header), 415);
  });

  it('is refused: it has a megabyte', async () => {
    await expectProblem(await post(`"${'x'.repeat(1024 * 1024)}"`), 413);
  });

  it('is refused: it has a megabyte and does not say so before', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const chunks = Array.from({ length: 16 }, () => chunk);
    const opening = head('POST', target, authorized(), json, 'transfer-encoding: chunked');
    await expectProblem(await send(opening, ...chunks, '0\r\n\r\n'), 413);
  });

  it('is refused: it is not UTF-8', async () => {
    const body = Buffer.from(JSON.stringify({ condition: price(), name: 'ä' }), 'latin1');
    await expectProblem(await post(body), 400);
  });

  it('is refused: it is nested ten thousand times', async () => {
    await expectProblem(await post('['.repeat(10_000) + ']'.repeat(10_000)), 400);
  });
});

describe('an alert that makes no sense', () => {
  it.each([
    null,
    [],
    42,
    '"text"',
    {},
    { condition: null },
    { condition: [price()] },
    { condition: price(), extra: 1 },
    { condition: price({ extra: 1 }) },
    { condition: price({ type: 'weather' }) },
    { condition: price({ operator: 'near' }) },
    ...[70_000, '-1', '0', '0.000', '1e5', 'NaN', 'Infinity', '0x10', ' 1', '1,5', '9'.repeat(19), ''].map((value) => ({
      condition: price({ value }),
    })),
    { condition: price(), channels: [] },
    { condition: price(), channels: ['sms'] },
    { condition: price(), channels: ['email', 'email'] },
    { condition: price(), channels: ['webhook'] },
    { condition: price(), cooldownSeconds: -1 },
    { condition: price(), cooldownSeconds: 1.5 },
    { condition: price(), expiresAt: 1 },
    { condition: price(), expiresAt: 'tomorrow' },
    { condition: price(), name: 'x'.repeat(101) },
    { condition: price({ symbol: 'NOPE/USDT' }) },
    { condition: price({ venue: 'kraken' }) },
  ])('is refused: %j', async (body) => {
    const problem = await expectProblem(await post(JSON.stringify(body)), 422);
    expect(problem.errors).not.toEqual([]);
    expect(problem.detail).not.toBe('');
  });
});

const hostile = [
  'BTC/USDT#x',
  '#',
  "' OR '1'='1",
  "x'; DROP TABLE items; --",
  '💥/USDT',
  'ＢＴＣ/USDT',
  'BTC/USDT\u0000',
  'BTC/USDT\r\nx-injected: 1',
  '%23%2F%00',
  '../../../etc/passwd',
  '__proto__',
  'x'.repeat(5_000),
];

describe.each(hostile)('%j', (text) => {
  const encoded = encodeURIComponent(text);

  it('is no symbol, venue or alert of a body', async () => {
    await expectProblem(await post(JSON.stringify({ condition: price({ symbol: text }) })), 422);
    await expectProblem(await post(JSON.stringify({ condition: price({ venue: text }) })), 422);
    const change = request('PUT', '/api/alerts/update', JSON.stringify({ alertId: text }), authorized(), json);
    await expectProblem(await send(...change), 422);
  });

  it('is no symbol, venue or cursor of a query', async () => {
    const get = (query: string) => send(head('GET', query, authorized()));
    await expectProblem(await get(`/api/market/prices?symbols=${encoded}`), 422);
    await expectProblem(await get(`/api/market/prices?venue=${encoded}`), 422);
    await expectProblem(await get(`/api/alerts/list?limit=${encoded}`), 422);
    const { status } = await get(`/api/alerts/list?cursor=${encoded}`);
    expect([400, 422]).toContain(status);
  });

  it('is no alert of a path', async () => {
    await expectProblem(await send(head('DELETE', `/api/alerts/${encoded}`, authorized())), 404);
  });
});

describe('a request that leads nowhere', () => {
  it.each([
    ['an unknown path', 'GET', '/api/nothing', 404],
    ['a path that climbs', 'GET', '/../../../etc/passwd', 404],
    ['a path that climbs in disguise', 'GET', '/api/%2e%2e/%2e%2e/etc/passwd', 404],
    ['a broken percent-encoding', 'GET', '/api/%zz', 400],
    ['an overlong encoding', 'GET', '/api/%c0%af', 400],
    ['a path with a fragment', 'DELETE', '/api/alerts/a#b', 404],
    ['two slashes', 'GET', '//evil.example.com/', 400],
    ['another server', 'GET', 'http://evil.example.com/', 400],
    ['a method that the path does not offer', 'POST', '/api/alerts/list', 405],
    ['a method that nothing offers', 'PATCH', '/api/alerts/update', 405],
    ['an unknown query parameter', 'GET', '/api/alerts/list?all=1', 422],
    ['a parameter twice', 'GET', '/api/alerts/list?limit=1&limit=2', 422],
  ])('is refused: %s', async (_kind, method, path, expected) => {
    await expectProblem(await send(head(method, path, authorized())), expected);
  });

  it('learns which methods there are', async () => {
    expect((await send(head('POST', '/api/market/prices', authorized()))).headers.get('allow')).toBe('GET, HEAD');
  });

  it('can look up what its problem means', async () => {
    const { type } = await expectProblem(await send(head('GET', '/api/nothing')), 404);
    expect((await call(new URL(type, server.url).href)).body).toMatchObject({ type, status: 404 });
  });
});

describe('headers', () => {
  it('of 20 kB are too large', async () => {
    await expectProblem(await send(head('GET', '/health', `x-huge: ${'x'.repeat(20 * 1024)}`)), 431);
  });

  it.each([
    ['two lengths', ['content-length: 2', 'content-length: 3']],
    ['a length and chunks', ['content-length: 2', 'transfer-encoding: chunked']],
    ['a line without a name', [': x']],
    ['a negative length', ['content-length: -1']],
  ])('with %s are refused', async (_kind, headers) => {
    await expectProblem(await send(head('POST', target, ...headers)), 400);
  });

  it('with two tokens are refused', async () => {
    await expectProblem(await send(head('GET', '/api/alerts/list', authorized(), authorized())), 401);
  });

  it('of another host are refused', async () => {
    await expectProblem(
      await send('GET /api/alerts/list HTTP/1.1\r\nhost: evil.example.com\r\nconnection: close\r\n\r\n'),
      421,
    );
  });

  it('that are not HTTP are refused', async () => {
    await expectProblem(await send('\u0016\u0003\u0001 hello\r\n\r\n'), 400);
  });
});
