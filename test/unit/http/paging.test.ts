import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { PageQuery } from '#functions/http/page';
import { ok } from '#functions/http/reply';
import { perMinute, type Route, route, routeKey } from '#functions/http/route';
import { testContext, testPlatform } from '../../support/test-platform.ts';

const letters = [...'abcdefg'];

const listing = (path: `/${string}`) =>
  route({
    method: 'GET',
    path,
    scope: 'self',
    throttle: perMinute(60),
    summary: 'Letters',
    params: z.strictObject({ shelf: z.string() }),
    query: z.strictObject({
      color: z.string().exactOptional(),
      sizes: z
        .string()
        .transform((list) => list.split(','))
        .exactOptional(),
      ...PageQuery,
    }),
    response: { 200: z.unknown() },
  });
const books = listing('/shelves/{shelf}/books');
const records = listing('/shelves/{shelf}/records');

/** Pages through the letters; the cursor is the last one of the page. Fields beside the page come from the handler. */
const bound = (list: typeof books) =>
  on(list, async ({ query, page }) => {
    const { limit, cursor = '' } = page.request;
    const rest = letters.filter((letter) => letter > cursor);
    const items = rest.slice(0, limit);
    return page.of({ filters: query, items, ...(rest.length > limit && { cursor: items.at(-1) ?? '' }) });
  });

/** A limit without a cursor is a query parameter like any other. */
const newest = route({
  method: 'GET',
  path: '/newest',
  scope: 'self',
  throttle: perMinute(60),
  summary: 'The newest letters',
  query: z.strictObject({ limit: PageQuery.limit }),
  response: { 200: z.unknown() },
});
const handle = api(testPlatform().platform, [
  bound(books),
  bound(records),
  on(newest, async ({ query }) => ok({ items: letters.slice(-query.limit) })),
]);

interface Where {
  readonly list?: Route;
  readonly userId?: string;
  readonly shelf?: string;
}

const get = async (query: Record<string, string>, { list = books, userId = 'ada', shelf = '1' }: Where = {}) => {
  const http = { method: 'GET', path: '/', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
  const event = {
    ...{ routeKey: routeKey(list), rawPath: '/', headers: {} },
    ...{ pathParameters: { shelf }, queryStringParameters: query },
    requestContext: { requestId: 'r', http, authorizer: { lambda: { userId, sessionId: 's', scopes: '' } } },
  };
  const { statusCode, body } = await handle(event as unknown as APIGatewayProxyEventV2, testContext);
  const answer = JSON.parse(body ?? '') as { items: string[]; nextCursor: string | null; type?: string };
  return { status: statusCode, ...answer };
};

describe('a list', () => {
  it('passes filters and page to its handler apart, and answers what the handler adds', async () => {
    expect(await get({ limit: '2', color: 'red', sizes: 's,m' })).toMatchObject({
      items: ['a', 'b'],
      filters: { color: 'red', sizes: ['s', 'm'] },
      nextCursor: expect.any(String),
    });
    expect(await get({ limit: '7' })).toEqual({ status: 200, filters: {}, items: letters, nextCursor: null });
  });

  it('continues with its cursor, also in pages of another size', async () => {
    const { nextCursor } = await get({ limit: '2' });
    const second = await get({ limit: '3', cursor: nextCursor ?? '' });
    expect(second.items).toEqual(['c', 'd', 'e']);
    expect((await get({ cursor: second.nextCursor ?? '' })).items).toEqual(['f', 'g']);
  });

  it('takes the filters of a cursor in any order', async () => {
    const { nextCursor } = await get({ color: 'red', sizes: 's,m', limit: '2' });
    expect((await get({ cursor: nextCursor ?? '', sizes: 's,m', color: 'red' })).status).toBe(200);
  });
});

it('leaves the limit in the query of a route without cursors', async () => {
  expect(await get({ limit: '2' }, { list: newest as unknown as Route })).toMatchObject({ items: ['f', 'g'] });
});

describe('a cursor is refused', () => {
  const filters = { color: 'red', sizes: 's,m' };

  it.each<[string, Record<string, string>, Where]>([
    ['by another list', filters, { list: records }],
    ['to another caller', filters, { userId: 'eve' }],
    ['under another path', filters, { shelf: '2' }],
    ['with another filter', { ...filters, color: 'blue' }, {}],
    ['with another list of a filter', { ...filters, sizes: 's' }, {}],
    ['with a filter missing', { color: 'red' }, {}],
    ['without filters', {}, {}],
  ])('%s', async (_case, query, where) => {
    const cursor = (await get({ ...filters, limit: '2' })).nextCursor ?? '';
    expect((await get({ ...filters, cursor })).status).toBe(200);
    expect(await get({ ...query, cursor }, where)).toMatchObject({ status: 400, type: '/problems/invalid-cursor' });
  });
});
