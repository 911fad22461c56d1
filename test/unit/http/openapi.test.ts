import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '#functions/api/routes';
import { PROBLEMS } from '#functions/http/problem';
import { SCOPES } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { codeAt, tokenIn } from '../../support/credentials.ts';
import { httpApi, namedRoutes, tokenOf } from '../../support/http-events.ts';
import { testPlatform } from '../../support/test-platform.ts';

const Schema = z.record(z.string(), z.unknown());
const Content = z.record(z.string(), z.strictObject({ schema: Schema }));
const Parameter = z.strictObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  description: z.string().exactOptional(),
  schema: Schema,
});
const Operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z0-9]+$/),
  summary: z.string().min(1),
  tags: z.array(z.string().regex(/^[a-z]+$/)).length(1),
  security: z.array(z.record(z.string(), z.array(z.enum(SCOPES)))),
  'x-confirmation': z.union([z.literal(true), z.array(z.string()).min(1)]).exactOptional(),
  parameters: z.array(Parameter),
  requestBody: z.strictObject({ required: z.literal(true), content: Content }).exactOptional(),
  responses: z.record(
    z.string().regex(/^([1-5]\d\d|default)$/),
    z.strictObject({ description: z.string().min(1), content: Content.exactOptional() }),
  ),
});
/** What of OpenAPI 3.1 the document uses; anything else would be a mistake. */
const Document = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'put', 'delete']), Operation)),
  components: z.strictObject({
    securitySchemes: z.strictObject({
      bearer: z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer'), bearerFormat: z.literal('JWT') }),
      apiKey: z.strictObject({ type: z.literal('apiKey'), in: z.literal('header'), name: z.literal('X-Api-Key') }),
    }),
    schemas: z.record(z.string().regex(/^[\w.-]+$/), Schema),
  }),
});

/** Every object within a document. */
const objectsOf = (value: unknown): Record<string, unknown>[] => {
  if (Array.isArray(value)) return value.flatMap(objectsOf);
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(objectsOf)];
};

describe('the OpenAPI document', () => {
  let document: z.infer<typeof Document>;
  let raw: Record<string, unknown>;
  beforeAll(async () => {
    const http = await httpApi(testPlatform().platform);
    raw = (await http.request('GET', '/openapi.json')).body;
    document = Document.parse(raw);
  });
  const operation = (method: string, path: string) =>
    Operation.parse(document.paths[path]?.[method.toLowerCase() as 'get']);

  it.each(namedRoutes)('declares $name', ({ route }) => {
    const { parameters, requestBody, responses, security } = operation(route.method, route.path);
    const named = (place: string) => parameters.filter((one) => one.in === place).map(({ name }) => name);
    expect(named('path')).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    expect(parameters.filter((one) => one.in === 'path').every(({ required }) => required)).toBe(true);
    expect(named('query')).toEqual(Object.keys(route.query?.shape ?? {}));
    expect(named('header')).toEqual(route.idempotent ? ['Idempotency-Key'] : []);
    expect(requestBody === undefined).toBe(route.body === undefined);
    expect(Object.keys(responses).sort()).toEqual([...Object.keys(route.response), 'default'].sort());
    expect(operation(route.method, route.path)['x-confirmation']).toEqual(route.confirmation);
    const scopes = SCOPES.filter((scope) => scope === route.scope);
    const byKey = route.scope === 'session' || route.confirmation === true ? [] : [{ apiKey: scopes }];
    expect(security).toEqual(route.scope === 'public' ? [] : [{ bearer: scopes }, ...byKey]);
  });

  it('declares nothing else', () => {
    const declared = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(declared.sort()).toEqual(namedRoutes.map(({ name }) => name).sort());
  });

  it('gives every operation a unique id', () => {
    const ids = objectsOf(raw).flatMap(({ operationId }) => (typeof operationId === 'string' ? [operationId] : []));
    expect(new Set(ids).size).toBe(routes.length);
  });

  it('refers only to what it holds', () => {
    const references = new Set(objectsOf(raw).flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : [])));
    expect(references.size).toBeGreaterThan(3);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split('/')
        .reduce<unknown>((at, name) => (at as never)?.[name], raw);
      expect(target, reference).toBeTypeOf('object');
      expect(reference).toMatch(/^#\/components\/schemas\//);
    }
  });

  it('describes each named schema in full', () => {
    for (const schema of Object.values(document.components.schemas)) expect(schema).toHaveProperty('type');
    expect(document.components.schemas).toHaveProperty('Problem.properties.requestId');
  });

  it('has only patterns that are regular expressions with Unicode', () => {
    for (const { pattern } of objectsOf(raw)) {
      if (typeof pattern === 'string') expect(() => new RegExp(pattern, 'u')).not.toThrow();
    }
  });
});

describe('routes', () => {
  it('each need a scope that exists, a throttle, and an answer', () => {
    for (const { scope, throttle, response, summary } of routes) {
      expect(['public', 'self', 'session', ...SCOPES]).toContain(scope);
      expect(throttle.requestsPerMinute).toBeGreaterThan(0);
      expect(Object.keys(response).length).toBeGreaterThan(0);
      expect(summary).not.toBe('');
    }
  });

  it('are public only where nobody can be logged in yet, or nothing is private', () => {
    const open = namedRoutes.filter(({ route }) => route.scope === 'public').map(({ name }) => name);
    expect(open.sort()).toEqual([
      'GET /.well-known/jwks.json',
      'GET /health',
      'GET /openapi.json',
      'GET /problems/{code}',
      'POST /api/user/email/verify',
      'POST /api/user/login',
      'POST /api/user/password/reset',
      'POST /api/user/password/reset-request',
      'POST /api/user/refresh',
      'POST /api/user/register',
    ]);
  });

  it('are open to API keys of any scope only if they reveal no more than the owner of the key', () => {
    const open = namedRoutes.filter(({ route }) => route.scope === 'self').map(({ name }) => name);
    expect(open).toEqual(['GET /api/user/profile']);
  });

  it('that outlive a session or reach the outside need a confirmed one', () => {
    const confirmed = namedRoutes.filter(({ route }) => route.confirmation !== undefined);
    expect(confirmed.map(({ name, route }) => [name, route.confirmation])).toEqual(
      expect.arrayContaining([
        ['POST /api/user/api-keys', true],
        ['GET /api/user/export', true],
        ['PUT /api/user/settings', ['webhookUrl']],
        ['PUT /api/users/{id}', ['role']],
        ['DELETE /api/users/{id}', true],
        ['POST /api/exchange/accounts', ['credentials']],
        ['PUT /api/exchange/accounts/{accountId}', ['credentials']],
      ]),
    );
  });

  it('that need a confirmation for fields have these fields', () => {
    for (const { confirmation, body } of routes) {
      if (confirmation === undefined || confirmation === true) continue;
      const fields = Object.keys((body as { shape?: object } | undefined)?.shape ?? {});
      expect(fields).toEqual(expect.arrayContaining([...confirmation]));
    }
  });

  it('that change something are none of a viewer', () => {
    const own = ['public', 'self', 'session'];
    const changing = routes.filter(({ method, scope }) => method !== 'GET' && !own.includes(scope));
    for (const { scope } of changing) expect(scope).toMatch(/:(write|admin)$/);
  });

  it('never answer a problem with a status other than its own', () => {
    for (const { status, title } of Object.values(PROBLEMS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe('');
    }
  });
});

describe('real answers', () => {
  it('of every route are as it declares', async () => {
    const system = testPlatform();
    await system.list('sim', ['BTC/USDT']);
    await system.tick('BTC/USDT', '60000');
    const http = await httpApi(system.platform);
    const seen = new Set<string>();
    const call = async (method: string, target: string, name: string, request: object = {}) => {
      const answer = await http.request(method, target, request);
      expect(answer.status, `${name} ${answer.text}`).toBeLessThan(300);
      seen.add(name);
      return answer.body;
    };
    const person = { email: 'ada@example.com', password: 'correct horse battery' };
    const { userId } = await call('POST', '/api/user/register', 'POST /api/user/register', { body: person });
    const { accessToken, refreshToken } = await call('POST', '/api/user/login', 'POST /api/user/login', {
      body: person,
    });
    const token = await tokenOf(system.platform, userId as UserId, 'admin');
    expect(accessToken.length).toBe(token.length);
    const body = (more: object) => ({ token, body: more });
    const scopes = ['market:read'];
    await call('PUT', '/api/user/settings', 'PUT /api/user/settings', body({ webhookUrl: 'https://example.com/hook' }));
    await call('GET', '/api/user/profile', 'GET /api/user/profile', { token });
    const confirmed = body({ password: person.password });
    await call('POST', '/api/user/confirm', 'POST /api/user/confirm', confirmed);
    await call('POST', '/api/user/refresh', 'POST /api/user/refresh', { body: { refreshToken } });
    const { items } = await call('GET', '/api/user/sessions', 'GET /api/user/sessions', { token });
    const other = items.find(({ current }: { current: boolean }) => !current);
    await call('DELETE', `/api/user/sessions/${other.id}`, 'DELETE /api/user/sessions/{id}', { token });
    await call('DELETE', '/api/user/sessions', 'DELETE /api/user/sessions', { token });
    await call('GET', '/api/users', 'GET /api/users', { token });
    await call('PUT', `/api/users/${userId}`, 'PUT /api/users/{id}', body({ disabled: false }));
    const { id } = await call('POST', '/api/user/api-keys', 'POST /api/user/api-keys', body({ name: 'a', scopes }));
    await call('GET', '/api/user/api-keys', 'GET /api/user/api-keys', { token });
    await call('DELETE', `/api/user/api-keys/${id}`, 'DELETE /api/user/api-keys/{id}', { token });
    await call('GET', '/api/user/export', 'GET /api/user/export', { token });
    const bob = await system.user('bob@example.com');
    await call('DELETE', `/api/users/${bob}`, 'DELETE /api/users/{id}', { token });
    await call('GET', '/.well-known/jwks.json', 'GET /.well-known/jwks.json');
    const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '50000' };
    const alert = { condition, name: 'up', channels: ['websocket', 'email', 'webhook'], severity: 'critical' };
    const { alertId } = await call('POST', '/api/alerts/create', 'POST /api/alerts/create', body(alert));
    await call(
      'PUT',
      '/api/alerts/update',
      'PUT /api/alerts/update',
      body({ alertId, expiresAt: null, repeat: 'always' }),
    );
    await system.settle();
    const history = await call('GET', '/api/alerts/history', 'GET /api/alerts/history', { token });
    expect(history.items.length).toBeGreaterThan(0);
    await call('GET', '/api/alerts/list?symbol=BTC/USDT', 'GET /api/alerts/list', { token });
    await call('GET', `/api/alerts/${alertId}`, 'GET /api/alerts/{alertId}', { token });
    await call('DELETE', `/api/alerts/${alertId}`, 'DELETE /api/alerts/{alertId}', { token });
    await call('GET', '/api/market/prices', 'GET /api/market/prices', { token });
    await call('GET', '/api/market/prices?symbols=BTC/USDT', 'GET /api/market/prices', { token });
    const practice = { venue: 'sim', label: 'practice', mode: 'paper' };
    const accounts = '/api/exchange/accounts';
    const { accountId } = await call('POST', accounts, 'POST /api/exchange/accounts', body(practice));
    await call('POST', `${accounts}/${accountId}/sync`, 'POST /api/exchange/accounts/{accountId}/sync', { token });
    await system.settle();
    const change = body({ label: 'still practice' });
    await call('PUT', `${accounts}/${accountId}`, 'PUT /api/exchange/accounts/{accountId}', change);
    await call('GET', accounts, 'GET /api/exchange/accounts', { token });
    for (const records of ['balance', 'orders', 'trades']) {
      const path = `/api/exchange/${records}`;
      await call('GET', `${path}?accountId=${accountId}`, `GET ${path}`, { token });
    }
    await call('GET', '/api/exchange/venues?limit=3', 'GET /api/exchange/venues', { token });
    await call('DELETE', `${accounts}/${accountId}`, 'DELETE /api/exchange/accounts/{accountId}', { token });
    await call('GET', '/api/system/status', 'GET /api/system/status', { token });
    const audit = await call('GET', '/api/system/audit', 'GET /api/system/audit', { token });
    expect(audit.items.length).toBeGreaterThan(0);
    await call('GET', '/api/user/audit?type=config.', 'GET /api/user/audit', { token });
    const cat = await tokenOf(system.platform, await system.user('cat@example.com'), 'trader');
    const goodbye = { token: cat, body: { password: person.password } };
    await call('DELETE', '/api/user', 'DELETE /api/user', goodbye);
    await call('GET', '/health', 'GET /health');
    await call('GET', '/openapi.json', 'GET /openapi.json');
    await call('GET', '/problems/internal', 'GET /problems/{code}');
    const post = async (path: string, request: object) => await call('POST', path, `POST ${path}`, request);
    const totp = '/api/user/totp';
    const { secret } = await post(`${totp}/setup`, { token });
    const code = async () => {
      await system.clock.advance(30_000);
      return codeAt(secret, system.clock.now());
    };
    await post(`${totp}/enable`, body({ password: person.password, totp: await code() }));
    await post(`${totp}/recovery-codes`, body({ password: person.password, totp: await code() }));
    await post(`${totp}/disable`, body({ password: person.password, totp: await code() }));
    const newPassword = 'staple battery horse';
    await post('/api/user/password', body({ currentPassword: person.password, newPassword }));
    const mailed = async (name: string) => {
      await system.settle();
      return tokenIn(system.mailer.list(1), name);
    };
    await post('/api/user/email/verify-request', { token });
    await post('/api/user/email/verify', { body: { token: await mailed('apev') } });
    await post('/api/user/password/reset-request', { body: { email: person.email } });
    await post('/api/user/logout', { token });
    await post('/api/user/password/reset', { body: { token: await mailed('appr'), newPassword: person.password } });
    expect([...seen].sort()).toEqual(namedRoutes.map(({ name }) => name).sort());
  });
});
