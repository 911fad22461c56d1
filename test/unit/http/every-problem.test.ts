import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '#functions/http/problem';
import type { UserId } from '#shared/model/user-id';
import { withSettings } from '#shared/platform/config/config';
import { Unavailable } from '#shared/platform/errors';
import { type ClientAnswer, type ClientRequest, httpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { DEPLOYED, type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const alert = { condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '9' } };
const inside = 'SELECT at /var/task/index.mjs:1';
const missing = '00000000-0000-7000-8000-000000000000';

interface Example extends ClientRequest {
  readonly method: string;
  readonly path: string;
}
const creating = { method: 'POST', path: '/api/alerts/create' };
const text = (body: string) => ({ ...creating, body, headers: { 'content-type': 'application/json' } });

/** One request for each status of a refusal, sent with a trader's token. */
const refusals: readonly (readonly [status: number, type: string, request: Example])[] = [
  [400, 'malformed-request', text('{')],
  [400, 'invalid-cursor', { method: 'GET', path: '/api/alerts/list?cursor=AAAA' }],
  [403, 'forbidden', { method: 'GET', path: '/api/users' }],
  [404, 'not-found', { method: 'GET', path: '/nowhere' }],
  [404, 'not-found', { method: 'DELETE', path: `/api/alerts/${missing}` }],
  [405, 'method-not-allowed', { method: 'PATCH', path: '/api/alerts/create' }],
  [413, 'payload-too-large', text(`"${'x'.repeat(70_000)}"`)],
  [415, 'unsupported-media-type', { ...creating, body: '{}', headers: { 'content-type': 'text/plain' } }],
  [422, 'invalid-input', { ...creating, body: { condition: {} } }],
];

let system: TestPlatform;
let token: string;

describe.each(['local', 'aws'] as const)('on %s', (runtime) => {
  beforeEach(async () => {
    system = testPlatform(runtime === 'aws' ? DEPLOYED : {});
    await system.list('sim', ['BTC/USDT']);
    token = await tokenOf(system.platform, ada, 'trader');
  });

  const send = async (example: Example, platform = system.platform): Promise<ClientAnswer> => {
    const { method, path, ...rest } = example;
    return await (await httpApi(platform)).request(method, path, { token, ...rest });
  };

  /** The answer is a whole problem document (RFC 9457) that reveals nothing about the implementation. */
  const expectProblem = ({ status, headers, body, text: sent }: ClientAnswer, expected: number, type: string) => {
    const problem = Problem.parse(body);
    expect({ status, inBody: problem.status, type: problem.type }).toEqual({
      ...{ status: expected, inBody: expected },
      type: `/problems/${type}`,
    });
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(problem.requestId).toBe(headers['x-request-id']);
    for (const leak of [inside, 'node:', '.ts:', '.mjs', '    at ', token]) expect(sent).not.toContain(leak);
  };

  it.each(refusals)('a %i is a problem document of the type %s', async (status, type, request) => {
    expectProblem(await send(request), status, type);
  });

  it('a 401 is one', async () => {
    expectProblem(await send({ method: 'GET', path: '/api/alerts/list', token: 'nonsense' }), 401, 'unauthenticated');
  });

  it('a 409 is one', async () => {
    const headers = { 'idempotency-key': 'one' };
    expect((await send({ ...creating, headers, body: alert })).status).toBe(201);
    expectProblem(await send({ ...creating, headers, body: { ...alert, name: 'x' } }), 409, 'conflict');
  });

  it('a 429 is one, and says when to come again', async () => {
    const { platform } = testPlatform(
      withSettings(runtime === 'aws' ? DEPLOYED : {}, { http: { requestLimitFactor: 0.000_1 } }),
    );
    const http = await httpApi(platform);
    expect((await http.request('GET', '/health')).status).toBe(200);
    const answer = await http.request('GET', '/health');
    expectProblem(answer, 429, 'too-many-requests');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([
    [500, 'internal', new TypeError(inside)],
    [503, 'unavailable', new Unavailable('The table does not answer.', { cause: new Error(inside) })],
  ])('a %i is one of the type %s, without what went wrong inside', async (status, type, error) => {
    const table = tableWith(system.table, { query: () => Promise.reject(error) });
    const answer = await send({ method: 'GET', path: '/api/alerts/list' }, { ...system.platform, table });
    expectProblem(answer, status, type);
  });
});
