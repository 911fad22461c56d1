import { Logger } from '@aws-lambda-powertools/logger';
import { beforeEach, describe, expect, it } from 'vitest';
import { PROBLEMS, problemOf } from '#functions/http/problem';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import {
  ConditionFailed,
  Conflict,
  InvalidCursor,
  InvalidInput,
  LimitExceeded,
  NotFound,
  TimedOut,
  TransactionCanceled,
  Unavailable,
} from '#shared/platform/errors';
import { httpApi, tokenOf } from '../../support/http-events.ts';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const secret = 'hunter2-in-a-connection-string';
const password = 'correct horse battery';

/** A logger that keeps its lines. */
const recordedLogger = () => {
  const lines: string[] = [];
  const keep = (line: unknown) => void lines.push(String(line));
  const logger = new Logger({ serviceName: 'test', logLevel: 'DEBUG' });
  Object.assign(logger, { console: { debug: keep, info: keep, log: keep, warn: keep, error: keep } });
  return { lines, logger };
};

describe('the errors of the domain', () => {
  it.each([
    [new ConditionFailed('x'), 409],
    [new TransactionCanceled([0]), 409],
    [new Conflict('x'), 409],
    [new LimitExceeded('x'), 409],
    [new NotFound('x'), 404],
    [new InvalidInput('field', 'x'), 422],
    [new InvalidCursor('x'), 400],
    [new Unavailable('x'), 503],
    [new TimedOut('x'), 504],
  ])('%s has the status %i', (error, status) => {
    const { problem } = problemOf(error, '/path', 'id');
    expect(problem).toMatchObject({ status, type: `/problems/${error.code}`, instance: '/path', requestId: 'id' });
  });

  it.each<[VenueFailure, number]>([
    ['retryable', 502],
    ['rate-limited', 503],
    ['authentication', 502],
    ['permission', 502],
    ['invalid-order', 422],
    ['insufficient-funds', 422],
    ['maintenance', 503],
    ['not-supported', 422],
    ['unknown', 502],
  ])("a venue's %s has the status %i", (failure, status) => {
    expect(problemOf(new VenueError('sim', failure, 'x'), '/', 'id').problem.status).toBe(status);
  });

  it('say when to retry, in whole seconds', () => {
    const { headers } = problemOf(new VenueError('sim', 'rate-limited', 'x', { retryAfterMs: 1001 }), '/', 'id');
    expect(headers).toEqual({ 'retry-after': '2' });
  });

  it.each([new Error(secret), new TypeError(secret), secret, null, undefined, { code: 'not-found', message: secret }])(
    'are no other errors: %j tells nothing',
    (error) => {
      const { problem } = problemOf(error, '/', 'id');
      expect(problem).toMatchObject({ status: 500, type: '/problems/internal' });
      expect(JSON.stringify(problem)).not.toContain(secret);
    },
  );
});

describe('an error that nobody foresaw', () => {
  let system: TestPlatform;
  beforeEach(() => {
    system = testPlatform();
  });
  const fail = async (): Promise<never> => {
    throw new Error(`connect ${secret}`);
  };
  const failing = (lines: ReturnType<typeof recordedLogger>) => ({
    ...system.platform,
    logger: lines.logger,
    table: tableWith(system.table, { query: fail, getMany: fail, update: fail, transact: fail }),
  });

  it('is answered without what it says, and logged with it and the request id', async () => {
    const log = recordedLogger();
    const http = await httpApi(failing(log));
    const token = await tokenOf(system.platform, ada, 'trader');
    const { status, text, body } = await http.request('GET', '/api/alerts/list', { token });
    expect(status).toBe(500);
    expect(text).not.toContain(secret);
    const entry = log.lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'ERROR');
    expect(entry).toMatchObject({ requestId: body.requestId, route: 'GET /api/alerts/list' });
    expect(entry.error.message).toContain(secret);
  });

  it('leaves no token or password in the log', async () => {
    const log = recordedLogger();
    const http = await httpApi(failing(log));
    const token = await tokenOf(system.platform, await system.user('bob@example.com'), 'trader');
    const body = { email: 'ada@example.com', password };
    const answers = [
      await http.request('POST', '/api/user/register', { body }),
      await http.request('PUT', '/api/user/settings', { token, body: { webhookUrl: 'https://example.com/topsecret' } }),
      await http.request('GET', '/api/alerts/history', { token }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
    for (const leak of [token, password, 'topsecret', 'argon2']) expect(log.lines.join('\n')).not.toContain(leak);
  });

  it('is logged with its own request id also while others are under way', async () => {
    const log = recordedLogger();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const query = async () => {
      await released;
      return await fail();
    };
    const http = await httpApi({ ...failing(log), table: tableWith(system.table, { query }) });
    const token = await tokenOf(system.platform, ada, 'trader');
    const slow = http.request('GET', '/api/alerts/list', { token });
    await expect.poll(async () => (await http.request('DELETE', '/api/alerts/x', { token })).status).toBe(404);
    release();
    const { body } = await slow;
    expect(JSON.parse(log.lines.at(-1) ?? '')).toMatchObject({
      requestId: body.requestId,
      route: 'GET /api/alerts/list',
    });
  });

  it('mistakes of the caller are not logged', async () => {
    const log = recordedLogger();
    const http = await httpApi({ ...system.platform, logger: log.logger });
    await http.request('POST', '/api/user/login', { body: { email: 'ada@example.com', password } });
    await http.request('GET', '/nothing');
    expect(log.lines.filter((line) => !line.includes('"DEBUG"'))).toEqual([]);
  });
});

describe('a table that does not answer', () => {
  it('is a 503, also where the caller is checked', async () => {
    const { platform, table } = testPlatform();
    const unavailable = async (): Promise<never> => {
      throw new Unavailable('The table does not answer.');
    };
    const token = await tokenOf(platform, ada, 'trader');
    const http = await httpApi({ ...platform, table: tableWith(table, { get: unavailable }) });
    const { status, body } = await http.request('GET', '/api/alerts/list', { token });
    expect({ status, type: body.type }).toEqual({ status: 503, type: '/problems/unavailable' });
  });
});

describe('the types of problems', () => {
  it.each(Object.entries(PROBLEMS))('%s is explained', async (code, problem) => {
    const http = await httpApi(testPlatform().platform);
    const { status, body } = await http.request('GET', `/problems/${code}`);
    expect({ status, body }).toEqual({ status: 200, body: { type: `/problems/${code}`, ...problem } });
  });

  it.each(['nothing', '__proto__', 'constructor', 'internal%00'])('%s is none', async (code) => {
    const http = await httpApi(testPlatform().platform);
    expect((await http.request('GET', `/problems/${code}`)).status).toBe(404);
  });
});
