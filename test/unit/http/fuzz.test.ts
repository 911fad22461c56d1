import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Route, routeKey } from '#functions/http/route';
import { accountKey, type StoredAccount } from '#shared/accounts/stored';
import { alertKind } from '#shared/alerts/items';
import { alertKey, type StoredAlert } from '#shared/alerts/stored';
import { refreshTokenKey, type StoredRefreshToken } from '#shared/auth/refresh-tokens';
import { type ApiKeyId, apiKeyKey, type StoredApiKey } from '#shared/auth/stored-api-key';
import { newSession, type SessionId, type StoredSession, sessionsOf } from '#shared/auth/stored-session';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { SCOPES_OF_ROLE } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { httpApi, namedRoutes, pathOf, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { inputSchemaOf, type JsonSchema, valueFor } from '../../support/json-schema.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

/** What exists in the system beforehand, so that some requests hit it. */
const known = {
  alertId: '01890000-0000-7000-8000-0000000a1e47',
  userId: '' as UserId,
  refreshToken: `aprt_${'A'.repeat(43)}`,
};
/** Requests of each route; `npm run test:fuzz` makes 10,000, with a seed of its own each time. */
const runs = Number(process.env.FUZZ_RUNS ?? 100);
/** An export covers everything that was done before, so each request costs more than the previous one. */
const exportRuns = Math.min(runs, 300);
const seed = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_RUNS === undefined ? 20_261_122 : Date.now() % 2 ** 31));
/** What an answer must not reveal: file paths, technologies, stack traces. */
const inner = /node_modules|\.ts:\d|\n\s+at |SQLITE|sqlite|DynamoDB|TypeError|RangeError|ZodError|\[object /;

let system: TestPlatform;
let http: TestHttpApi;
/** Session of the token: some requests end it. */
let session: StoredSession;
let token: string;
beforeAll(async () => {
  // Whether so many are served is not looked at here.
  system = testPlatform({ http: { requestLimitFactor: 1_000_000 } });
  await system.list('sim', ['BTC/USDT', 'ETH/USDT']);
  await system.tick('BTC/USDT', '60000');
  http = await httpApi(system.platform);
  known.userId = await system.user();
  token = await tokenOf(system.platform, known.userId, 'admin');
  const { items } = await system.table.query<StoredSession>(sessionsOf(known.userId));
  for (const item of items) session = item;
});

/** What requests meet, under one id: an alert, an account, a user, an API key, a session and its refresh token. Some of them end it. */
const standing = async (): Promise<void> => {
  const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' } as const;
  const { alertId, userId } = known;
  const alert: StoredAlert = {
    ...alertKey(userId, alertId),
    ...alertKind.stamp,
    ...{
      userId,
      alertId,
      version: 1,
      name: null,
      condition,
      channels: ['websocket'],
      severity: 'info',
      repeat: 'once',
    },
    ...{ cooldownSeconds: 0, endsAt: null, status: 'triggered', waits: [], lastFiredAt: null, firedCount: 0 },
    ...{ createdAt: system.clock.now(), updatedAt: system.clock.now() },
  };
  const account: StoredAccount = {
    ...accountKey(userId, alertId),
    kind: 'account',
    ...{ userId, accountId: alertId, version: 1, venue: 'sim', label: 'paper', mode: 'paper', readOnly: false },
    ...{ canWithdraw: false, syncSeconds: null, state: 'active', credentials: null, paper: { USDT: '1' }, steps: {} },
    ...{ statusAt: 0, servedDueAt: 0, syncVersion: 0, createdAt: system.clock.now(), updatedAt: system.clock.now() },
  };
  const other: StoredUser = {
    ...userKey(alertId as UserId),
    kind: 'user',
    ...{ userId: alertId as UserId, email: 'bob@example.com', name: null, role: 'trader', passwordHash: '' },
    ...{ createdAt: system.clock.now(), webhookUrl: null, version: 1 },
  };
  const client = { address: '203.0.113.7', userAgent: 'test' };
  const login = newSession({ userId, role: 'admin' }, alertId as SessionId, client, system.clock.now());
  const refreshToken: StoredRefreshToken = {
    ...refreshTokenKey(known.refreshToken),
    kind: 'refresh-token',
    ...{ userId, sessionId: login.sessionId },
  };
  const apiKey: StoredApiKey = {
    ...apiKeyKey(userId, alertId as ApiKeyId),
    kind: 'api-key',
    ...{ userId, apiKeyId: alertId as ApiKeyId, name: 'a program', scopes: ['market:read'], addresses: null },
    ...{ hint: 'apk_0000', hash: 'x', createdAt: system.clock.now(), endsAt: system.clock.now() + 86_400_000 },
  };
  for (const item of [alert, account, other, session, login, refreshToken, apiKey]) await system.table.put(item);
};

/** How many changes the table has seen. */
const changes = async (): Promise<number> => {
  let seen = 0;
  for (;;) {
    const batch = await system.changes.read('alerts', 1000);
    const last = batch.at(-1);
    if (last === undefined) break;
    seen += batch.length;
    await system.changes.advance('alerts', last.sequence);
  }
  return seen;
};

const nasty = fc.constantFrom<unknown>(
  '',
  '\0',
  '#',
  '\u212a',
  '😀'.repeat(70),
  '__proto__',
  '-0',
  '0',
  '1e400',
  'NaN',
  '9'.repeat(400),
  "'; DROP TABLE items; --",
  '../..',
  -0,
  Number.MAX_SAFE_INTEGER,
  1e300,
  5e-324,
  null,
  true,
  [],
  {},
  [[[[]]]],
  { $gt: '' },
);
/** Values that fields of the API hold, so that some bodies get far. */
const likely = fc.constantFrom<unknown>(
  { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' },
  { type: 'price', venue: 'sim', symbol: 'ETH/USDT', operator: 'crosses_below', value: '0.000000000000000001' },
  {
    type: 'price',
    venue: 'sim',
    symbol: 'BTC/USDT',
    operator: 'below',
    value: '999999999999999999.999999999999999999',
  },
  'sim',
  'BTC/USDT',
  ['websocket'],
  ['email', 'webhook'],
  'always',
  'critical',
  'ada@example.com',
  'https://example.com/hook',
  '01890000-0000-7000-8000-000000000000',
  known.alertId,
  4_102_444_800_000,
  1,
  60,
);
const anyValue = fc.oneof(
  { weight: 4, arbitrary: likely },
  { weight: 3, arbitrary: nasty },
  fc.jsonValue({ maxDepth: 3 }),
);

/** Bodies that are taken, to be changed a little. Without a password: hashing is slow by design, and not looked at here. */
const good: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'POST /api/alerts/create': {
    condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '70000' },
    name: 'up',
    channels: ['email'],
    repeat: 'always',
    cooldownSeconds: 60,
  },
  'PUT /api/alerts/update': { alertId: known.alertId, name: 'down', severity: 'critical' },
  'POST /api/exchange/accounts': { venue: 'sim', label: 'practice', mode: 'paper' },
  'PUT /api/exchange/accounts/{accountId}': { label: 'savings', syncSeconds: 120 },
  'PUT /api/user/settings': { webhookUrl: 'https://example.com/hook' },
  'POST /api/user/api-keys': { name: 'a program', scopes: ['market:read'], addresses: ['203.0.113.0/24'] },
  'POST /api/user/refresh': { refreshToken: known.refreshToken },
  'PUT /api/users/{id}': { role: 'viewer' },
  'POST /api/user/register': { email: 'ada@example.com' },
  'POST /api/user/login': { email: 'ada@example.com' },
  'POST /api/user/password/reset-request': { email: 'ada@example.com' },
};

const isPassword = (name: string): boolean => /password/i.test(name);

/** A body that fits its schema, without a password as well. */
const fitting = (route: Route): fc.Arbitrary<unknown> => {
  const { properties = {}, ...schema }: JsonSchema = route.body === undefined ? {} : inputSchemaOf(route.body);
  const others = Object.fromEntries(Object.entries(properties).filter(([name]) => !isPassword(name)));
  const required = (schema.required ?? []).filter((name) => !isPassword(name));
  return valueFor({ ...schema, properties: others, required });
};

const nearly = (route: Route): fc.Arbitrary<Record<string, unknown>> => {
  const fields = route.body !== undefined && 'shape' in route.body ? Object.keys(route.body.shape as object) : [];
  const field = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...fields.filter((name) => !isPassword(name)), 'surprise') },
    fc.string({ maxLength: 8 }),
  );
  const changes = fc.array(fc.tuple(field, anyValue), { maxLength: 2 });
  return changes.map((changed) => ({ ...good[routeKey(route)], ...Object.fromEntries(changed) }));
};

/** Parameters without which nothing is taken. */
const goodQuery: Readonly<Record<string, string[]>> = {
  'GET /api/exchange/balance': [`accountId=${known.alertId}`],
  'GET /api/exchange/orders': [`accountId=${known.alertId}`],
  'GET /api/exchange/trades': [`accountId=${known.alertId}`],
};

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), likely.map(String), nasty.map(String));
const queryOf = (route: Route): fc.Arbitrary<string> => {
  const names = [...Object.keys(route.query?.shape ?? {}), 'x'];
  const pair = fc.tuple(fc.constantFrom(...names), text);
  const written = ([name, value]: [string, string]) => `${name}=${encodeURIComponent(value.toWellFormed())}`;
  return fc
    .tuple(fc.constantFrom(goodQuery[routeKey(route)] ?? [], []), fc.array(pair, { maxLength: 3 }))
    .map(([needed, pairs]) => [...needed, ...pairs.map(written)].join('&'));
};
const targetOf = (route: Route): fc.Arbitrary<string> =>
  fc.tuple(fc.oneof(text, fc.constantFrom('', 'internal')), queryOf(route)).map(([id, query]) => {
    const path = route.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(id.toWellFormed()) || known.alertId);
    return query === '' ? path : `${path}?${query}`;
  });
const bodyOf = (route: Route): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: nearly(route) },
    { weight: 4, arbitrary: fitting(route) },
    anyValue,
    fc.json(),
    fc.string({ unit: 'binary' }),
  );

describe.each(namedRoutes)('$name', ({ route }) => {
  it('refuses or takes whatever it gets, and what it refuses changes nothing', async () => {
    let taken = 0;
    const sent = fc.record({
      target: targetOf(route),
      body: route.body === undefined ? fc.constant(undefined) : bodyOf(route),
      key: fc.option(fc.string({ minLength: 0, maxLength: 3 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(sent, async ({ target, body, key }) => {
        await standing();
        await changes();
        const headers = {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        };
        const { status, text: answer } = await http.request(route.method, target, { token, body, headers });
        expect(status, answer).toBeLessThan(500);
        if (status >= 400) expect(answer).not.toMatch(inner);
        if (status < 300) taken += 1;
        const changed = await changes();
        // A key that is taken and given back leaves two changes and nothing behind.
        if (status >= 400) expect([0, 2].slice(0, key === undefined ? 1 : 2)).toContain(changed);
      }),
      { numRuns: route.path.endsWith('/export') ? exportRuns : runs, seed },
    );
    // Else nothing would have come past the gate.
    const isSecretNeeded =
      /login|register|confirm|user$|password(\/reset)?$|verify$|totp\/(enable|disable|recovery)/.test(route.path);
    if (!isSecretNeeded) expect(taken).toBeGreaterThan(0);
  });
});

describe.each(namedRoutes.filter(({ route }) => route.scope !== 'public'))('$name without rights', ({ route }) => {
  it('changes nothing', async () => {
    const viewer = await tokenOf(system.platform, known.userId, 'viewer');
    await changes();
    await fc.assert(
      fc.asyncProperty(bodyOf(route), async (body) => {
        const bare = await http.request(route.method, pathOf(route), { body });
        expect(bare.status).toBe(401);
        if (
          !SCOPES_OF_ROLE.viewer.some((scope) => scope === route.scope) &&
          !['self', 'session'].includes(route.scope)
        ) {
          expect((await http.request(route.method, pathOf(route), { body, token: viewer })).status).toBe(403);
        }
        expect(await changes()).toBe(0);
      }),
      { numRuns: 25, seed },
    );
  });
});
