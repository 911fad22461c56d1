import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpReply } from '../support/client.ts';
import { call } from '../support/client.ts';
import { send, target } from './target.ts';
import { newUser } from './user.ts';

let token = '';
beforeAll(async () => {
  ({ token } = await newUser());
});

/** Sends as a user. */
const request = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
  call(target.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
const asJson = { 'content-type': 'application/json' };
const create = (body: string, headers: Record<string, string> = asJson) =>
  request('POST', '/api/alerts/create', body, headers);

const expectProblem = ({ status, headers, body }: HttpReply, wanted: number, code: string, instance: string): void => {
  expect([status, body]).toMatchObject([
    wanted,
    { type: `/problems/${code}`, status: wanted, title: expect.any(String), detail: expect.any(String), instance },
  ]);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect((body as { requestId: string }).requestId).toBe(headers.get('x-request-id'));
};

describe('a problem document tells of', () => {
  it('a caller who is not logged in', async () =>
    expectProblem(await send('GET', '/api/alerts/list'), 401, 'unauthenticated', '/api/alerts/list'));

  it('a path where nothing stands', async () =>
    expectProblem(await request('GET', '/api/nothing'), 404, 'not-found', '/api/nothing'));

  it('an id that nothing has', async () => {
    const path = '/api/alerts/0198a000-0000-7000-8000-000000000000';
    expectProblem(await request('DELETE', path), 404, 'not-found', path);
  });

  it('a method that the path does not offer, and what it offers', async () => {
    const answer = await request('PATCH', '/api/alerts/list');
    expectProblem(answer, 405, 'method-not-allowed', '/api/alerts/list');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('a body that is too large', async () =>
    expectProblem(await create(`{"name":"${'x'.repeat(70_000)}"}`), 413, 'payload-too-large', '/api/alerts/create'));

  it('a body that is no JSON by its type', async () => {
    const answer = await create('a=1', { 'content-type': 'application/x-www-form-urlencoded' });
    expectProblem(answer, 415, 'unsupported-media-type', '/api/alerts/create');
  });

  it('a body that is no JSON in fact', async () =>
    expectProblem(await create('{"a":'), 400, 'malformed-request', '/api/alerts/create'));

  it('a body that is not valid, and every place where it is not', async () => {
    const answer = await create('{"condition":{"type":"price","venue":"binance","symbol":"BTC"},"extra":1}');
    expectProblem(answer, 422, 'invalid-input', '/api/alerts/create');
    const paths = (answer.body as { errors: { path: string }[] }).errors.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['condition.symbol', 'condition.operator', 'condition.value', 'body']),
    );
  });

  it('a query that is not valid', async () =>
    expectProblem(await request('GET', '/api/alerts/list?limit=0'), 422, 'invalid-input', '/api/alerts/list'));

  it('a cursor that was made up', async () =>
    expectProblem(await request('GET', '/api/alerts/list?cursor=abc'), 400, 'invalid-cursor', '/api/alerts/list'));
});

it('the type of a problem is explained at its address', async () => {
  const { type } = (await request('GET', '/api/nothing')).body as { type: string };
  expect(await request('GET', type)).toMatchObject({ status: 200, body: { type, status: 404 } });
});
