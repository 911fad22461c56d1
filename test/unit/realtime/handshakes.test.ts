import { beforeEach, describe, expect, it } from 'vitest';
import { createSockets } from '#functions/websocket/sockets';
import { Sessions } from '#shared/auth/sessions';
import { SigningKeys } from '#shared/auth/signing-keys';
import type { SessionId } from '#shared/auth/stored-session';
import { issueAccessToken } from '#shared/auth/tokens';
import type { UserId } from '#shared/model/user-id';
import type { SomeSettings } from '#shared/platform/config/config';
import { SOCKETS_PER_USER_MAX } from '#shared/realtime/handshakes';
import { tokenOf } from '../../support/http-events.ts';
import { DEPLOYED, type TestPlatform, testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

const [ada, bob] = ['ada' as UserId, 'bob' as UserId];

let given: TestPlatform;
let sockets: ReturnType<typeof createSockets>;

const start = (settings: SomeSettings = {}): void => {
  given = testPlatform(settings);
  sockets = createSockets(given.platform);
};
beforeEach(() => start());

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
}
const connect = async (connectionId: string, token: string, sourceIp = '203.0.113.7'): Promise<Answer> => {
  const requestContext = { connectionId, routeKey: '$connect', requestId: 'r', identity: { sourceIp } };
  const event = { requestContext, queryStringParameters: { token } } as never;
  const answer = (await sockets(event, testContext)) as Answer;
  if (answer.statusCode === 200) given.sockets.open(connectionId);
  return answer;
};
const disconnect = async (connectionId: string): Promise<void> => {
  given.sockets.drop(connectionId);
  await sockets({ requestContext: { connectionId, routeKey: '$disconnect' } } as never, testContext);
};

describe('a user with as many sockets as allowed', () => {
  let token: string;
  const fill = async (): Promise<void> => {
    token = await tokenOf(given.platform, ada, 'viewer');
    for (let socket = 0; socket < SOCKETS_PER_USER_MAX; socket++) {
      expect(await connect(`a${socket}`, token)).toMatchObject({ statusCode: 200 });
    }
  };

  it('gets a 429 for the next one, and anybody else is let in', async () => {
    await fill();
    const refused = await connect('more', token);
    expect(refused).toMatchObject({ statusCode: 429, headers: { 'retry-after': '60' } });
    expect(await connect('b', await tokenOf(given.platform, bob, 'viewer'))).toMatchObject({ statusCode: 200 });
  });

  it('has room again when one ends', async () => {
    await fill();
    expect(await connect('more', token)).toMatchObject({ statusCode: 429 });
    await disconnect('a3');
    expect(await connect('more', token)).toMatchObject({ statusCode: 200 });
  });

  it('has room again when one vanished without a word', async () => {
    await fill();
    given.sockets.drop('a3');
    await given.clock.advance(30_000);
    expect(await connect('more', token)).toMatchObject({ statusCode: 200 });
  });

  it('gets no more by connecting them all at once', async () => {
    token = await tokenOf(given.platform, ada, 'viewer');
    const answers = await Promise.all(Array.from({ length: 60 }, (_, socket) => connect(`a${socket}`, token)));
    const accepted = answers.filter(({ statusCode }) => statusCode === 200);
    expect(accepted.length).toBeLessThanOrEqual(SOCKETS_PER_USER_MAX);
    expect(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 429)).toBe(true);
  });
});

describe('an address', () => {
  it('may try so many handshakes a minute, bad tokens included', async () => {
    start({ http: { requestLimitFactor: 1 } });
    for (let tried = 0; tried < 60; tried++) {
      expect(await connect('c', 'no token')).toMatchObject({ statusCode: 401 });
    }
    const token = await tokenOf(given.platform, ada, 'viewer');
    expect(await connect('c', token)).toMatchObject({ statusCode: 429, headers: { 'retry-after': '60' } });
    expect(await connect('d', token, '203.0.113.8')).toMatchObject({ statusCode: 200 });
    await given.clock.advance(60_000);
    expect(await connect('c', token)).toMatchObject({ statusCode: 200 });
  });
});

describe('a session that has ended', () => {
  it('opens no socket on AWS either, where sessions are cached for a minute', async () => {
    start(DEPLOYED);
    const userId = await given.user();
    const sessions = new Sessions(given.platform);
    const { session } = await sessions.open(userId, { address: '203.0.113.7', userAgent: 'test' });
    const token = await issueAccessToken(await new SigningKeys(given.platform).current(), given.platform, session);
    expect(await connect('c', token)).toMatchObject({ statusCode: 200 });
    await sessions.end(userId, session.sessionId as SessionId, testOrigin);
    expect(await connect('d', token)).toMatchObject({ statusCode: 401 });
  });
});
