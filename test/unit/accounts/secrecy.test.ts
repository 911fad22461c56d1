import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, it } from 'vitest';
import { createExchangeApi } from '#functions/api/exchange';
import { createAccountSync } from '#functions/queue/account-sync';
import { createAccountsDispatch } from '#functions/schedule/accounts-dispatch';
import { queueEvent } from '#local/queue-event';
import { newSession, type SessionId } from '#shared/auth/stored-session';
import { VenueError } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { testKey, VenueOfKeys } from '../../support/account-venues.ts';
import { testContext, testPlatform } from '../../support/test-platform.ts';

/** A logger of every level that writes to a list. */
const recorded = () => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const logger = new Logger({ serviceName: 'test', logLevel: 'TRACE' });
  Reflect.set(logger, 'console', new Console(stream));
  return { lines, logger };
};

const ada = 'ada' as UserId;

describe('a key', () => {
  it('shows in no log line, answer, message or item from its connection to its deletion, failures included', async () => {
    const venue = new VenueOfKeys();
    const given = testPlatform({ market: { venues: ['binance'] } });
    const { lines, logger } = recorded();
    const platform: Platform = { ...given.platform, logger };
    const api = createExchangeApi(platform, venue);
    const dispatch = createAccountsDispatch(platform);
    const sync = createAccountSync(platform, venue.open);
    const told: string[] = [];
    const client = { address: '203.0.113.7', userAgent: 'test' };
    const session = newSession(
      { userId: ada, role: 'trader' },
      given.platform.ids.next() as SessionId,
      client,
      given.clock.now(),
    );
    await given.table.put(session);

    const request = async (routeKey: string, body?: unknown, accountId?: string, query?: Record<string, string>) => {
      const event = {
        ...{ version: '2.0', routeKey, rawPath: '/api/exchange', rawQueryString: '', isBase64Encoded: false },
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(accountId === undefined ? {} : { pathParameters: { accountId } }),
        ...(query === undefined ? {} : { queryStringParameters: query }),
        requestContext: {
          ...{ requestId: 'r', http: { sourceIp: '203.0.113.7', userAgent: 'test', method: 'POST' } },
          authorizer: { lambda: { userId: ada, sessionId: session.sessionId, scopes: 'exchange:read exchange:write' } },
        },
      };
      const answer = await given.awake(api(event as never, testContext));
      told.push(JSON.stringify(answer));
      return { status: answer.statusCode, body: answer.body ? JSON.parse(answer.body) : undefined };
    };
    const work = async () => {
      await dispatch({}, testContext);
      // Longer than orders are spread over.
      await given.clock.advance(15_000);
      for (;;) {
        const messages = await given.queue('account-sync').receive(1, 60);
        if (messages.length === 0) return;
        told.push(...messages.map(({ body }) => body));
        await given.awake(sync(queueEvent('account-sync', messages), testContext));
        for (const { receipt } of messages) await given.queue('account-sync').remove(receipt);
      }
    };

    const account = { venue: 'binance', label: 'main', mode: 'live', credentials: testKey };
    const create = 'POST /api/exchange/accounts';
    expect((await request(create, account)).status).toBe(422);
    venue.add(testKey, { canTrade: true, canWithdraw: true });
    expect((await request(create, account)).status).toBe(422);
    venue.faults.push(new VenueError('binance', 'unknown', `binance refused ${testKey.secret}`));
    expect((await request(create, account)).status).toBe(502);
    venue.add();
    const { status, body } = await request(create, account);
    expect(status).toBe(201);
    await work();
    venue.faults.push(new VenueError('binance', 'unknown', `binance refused ${testKey.apiKey} ${testKey.secret}`));
    await given.clock.advance(61_000);
    await work();
    venue.during = async () => {
      throw new TypeError(`Bad header ${testKey.secret}`);
    };
    await given.clock.advance(61_000);
    await work();
    venue.during = async () => {};
    venue.keys.clear();
    await given.clock.advance(61_000);
    await work();
    await request('GET /api/exchange/accounts');
    await request('GET /api/exchange/balance', undefined, undefined, { accountId: body.accountId });
    const changed = await request('PUT /api/exchange/accounts/{accountId}', { credentials: testKey }, body.accountId);
    expect(changed.status).toBe(422);
    const items = await given.changes.read('alerts', 1000);
    expect((await request('DELETE /api/exchange/accounts/{accountId}', undefined, body.accountId)).status).toBe(204);

    expect(lines.length).toBeGreaterThan(0);
    const everything = [...lines, ...told, ...items.map((change) => JSON.stringify(change))].join('\n');
    for (const part of Object.values(testKey)) expect(everything).not.toContain(part);
  });
});
