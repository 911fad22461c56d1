import { beforeEach, describe, expect, it } from 'vitest';
import { createSockets } from '#functions/websocket/sockets';
import { Sessions } from '#shared/auth/sessions';
import { SigningKeys } from '#shared/auth/signing-keys';
import type { StoredSession } from '#shared/auth/stored-session';
import { issueAccessToken } from '#shared/auth/tokens';
import type { UserId } from '#shared/model/user-id';
import { type TestPlatform, testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

const tokenMs = 900_000;
const btc = 'prices:sim:BTC/USDT';
const client = { address: '203.0.113.7', userAgent: 'test' };

let given: TestPlatform;
let sockets: ReturnType<typeof createSockets>;
let sessions: Sessions;
let userId: UserId;
let session: StoredSession;

const tokenFor = async (of: StoredSession): Promise<string> =>
  await issueAccessToken(await new SigningKeys(given.platform).current(), given.platform, of);
const connect = async (connectionId: string, token: string): Promise<void> => {
  const requestContext = { connectionId, routeKey: '$connect', requestId: 'r' };
  const event = { requestContext, queryStringParameters: { token } } as never;
  expect(await sockets(event, testContext)).toMatchObject({ statusCode: 200 });
  given.sockets.open(connectionId);
};
const say = async (message: object): Promise<void> => {
  const requestContext = { connectionId: 'c', routeKey: '$default', requestId: 'r' };
  await sockets({ requestContext, body: JSON.stringify(message) } as never, testContext);
};
const authenticate = (token: string) => say({ action: 'authenticate', token });
const heard = () => given.sockets.messages('c') as readonly Record<string, unknown>[];

beforeEach(async () => {
  given = testPlatform();
  sockets = createSockets(given.platform);
  sessions = new Sessions(given.platform);
  await given.list('sim', ['BTC/USDT']);
  await given.tick('BTC/USDT', '100');
  userId = await given.user();
  ({ session } = await sessions.open(userId, client));
  await connect('c', await tokenFor(session));
  await say({ action: 'subscribe', channels: [btc] });
  await given.settle();
});

describe('a newer token of the same session', () => {
  it('authorizes the connection and its subscriptions for longer', async () => {
    await given.clock.advance(tokenMs - 1000);
    await authenticate(await tokenFor(session));
    expect(heard().at(-1)).toEqual({ type: 'authenticated', expiresAt: given.clock.now() + tokenMs });
    await given.clock.advance(tokenMs - 2000);
    for (const price of ['101', '102']) {
      await given.tick('BTC/USDT', price);
      await given.settle();
    }
    expect(heard().flatMap(({ type, seq }) => (type === 'update' ? [seq] : []))).toEqual([2, 3]);
    await say({ action: 'ping' });
    expect(heard().at(-1)).toMatchObject({ type: 'pong' });
  });

  it('authorizes no longer than it lasts', async () => {
    await given.clock.advance(1000);
    await authenticate(await tokenFor(session));
    await given.clock.advance(tokenMs);
    given.sockets.frames.length = 0;
    await given.tick('BTC/USDT', '101');
    await given.settle();
    expect(given.sockets.frames.map(({ frame }) => JSON.parse(frame))).toEqual([
      { type: 'goodbye', reason: 'token-expired', reconnect: true },
    ]);
  });

  it('that is an older one takes no time away', async () => {
    const older = await tokenFor(session);
    await given.clock.advance(60_000);
    await authenticate(await tokenFor(session));
    await authenticate(older);
    expect(heard().at(-1)).toEqual({ type: 'authenticated', expiresAt: given.clock.now() + tokenMs });
  });
});

describe('a token', () => {
  const refused = async (token: string, status: number): Promise<void> => {
    await authenticate(token);
    expect(heard().at(-1)).toMatchObject({ type: 'error', problem: { status } });
    await given.clock.advance(tokenMs);
    await say({ action: 'ping' });
    expect(await given.sockets.send('c', '{}')).toBe('gone');
  };

  it('of another session of the user is refused', async () => {
    await refused(await tokenFor((await sessions.open(userId, client)).session), 403);
  });

  it('of another user is refused', async () => {
    const other = await given.user('bob@example.com');
    await refused(await tokenFor((await sessions.open(other, client)).session), 403);
  });

  it('that is none is refused', async () => {
    await refused('no token', 401);
  });

  it('of a session that has ended finds its connection closed', async () => {
    const token = await tokenFor(session);
    await sessions.end(userId, session.sessionId, testOrigin);
    await authenticate(token);
    expect(await given.sockets.send('c', '{}')).toBe('gone');
  });
});
