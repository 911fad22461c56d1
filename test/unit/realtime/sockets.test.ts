import { beforeEach, describe, expect, it } from 'vitest';
import { createSockets } from '#functions/websocket/sockets';
import { streamEvent } from '#local/stream-event';
import { NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { Connections } from '#shared/connections/connections';
import { SUBSCRIPTIONS_PER_CONNECTION_MAX } from '#shared/connections/subscriptions';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import { withSettings } from '#shared/platform/config/config';
import { Unavailable } from '#shared/platform/errors';
import { tokenOf } from '../../support/http-events.ts';
import { failing } from '../../support/observed-table.ts';
import { type TestPlatform, testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

interface Told {
  readonly type: string;
  readonly channel?: string;
  readonly channels?: readonly string[];
  readonly seq?: number;
  readonly data?: unknown;
  readonly problem?: { readonly status: number; readonly type: string };
}

const ada = 'ada' as UserId;
const bob = 'bob' as UserId;
const btc = 'prices:sim:BTC/USDT';
const eth = 'prices:sim:ETH/USDT';
const app = 'https://app.example.com';

let given: TestPlatform;
let sockets: ReturnType<typeof createSockets>;
let book: Alerts;

beforeEach(async () => {
  given = testPlatform();
  sockets = createSockets(given.platform);
  book = new Alerts({ ...given.platform, table: given.store });
  await given.list('sim', ['BTC/USDT', 'ETH/USDT']);
  await given.tick('BTC/USDT', '100');
  await given.settle();
});

const connect = async (connectionId: string, userId: UserId): Promise<void> => {
  given.sockets.open(connectionId);
  const expiresAt = given.clock.now() + 900_000;
  await new Connections(given.platform).open(connectionId, { userId, sessionId: `session of ${userId}`, expiresAt });
};
const event = (connectionId: string, routeKey: string, body?: string) =>
  ({ requestContext: { connectionId, routeKey, requestId: 'r' }, ...(body === undefined ? {} : { body }) }) as never;
const say = async (connectionId: string, message: unknown): Promise<void> => {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  await given.awake(sockets(event(connectionId, '$default', body), testContext));
};
const subscribe = (connectionId: string, channels: readonly string[], since?: Record<string, number>) =>
  say(connectionId, { action: 'subscribe', channels, ...(since === undefined ? {} : { since }) });
const heard = (connectionId: string) => given.sockets.messages(connectionId) as readonly Told[];
const seqs = (connectionId: string, type = 'update') =>
  heard(connectionId).flatMap((message) => (message.type === type ? (message.seq ?? []) : []));
const newAlert = (more: object = {}) => {
  const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '1' };
  return NewAlert.parse({ condition, ...more });
};
/** Has alerts of the user fire, as many as told; nobody is told before the stream is. */
const fire = async (userId: UserId, count = 1, more: object = {}): Promise<void> => {
  for (let fired = 0; fired < count; fired += 1) await book.add(userId, newAlert(more), testOrigin);
};
const statuses = async (userId: UserId) =>
  (await notificationHistory(given.table, userId, { limit: 200 })).items
    .map(({ deliveries }) => deliveries[0]?.status)
    .reverse();

describe('a connection that says too much', () => {
  it('is told so and closed, and no other one', async () => {
    given = testPlatform({ http: { requestLimitFactor: 1 } });
    sockets = createSockets(given.platform);
    await connect('c', ada);
    await connect('d', bob);
    for (let said = 0; said < 240; said++) await say('c', { action: 'ping' });
    expect(heard('c').filter(({ type }) => type === 'pong')).toHaveLength(240);
    const told = heard('c');
    await say('c', { action: 'ping' });
    expect(told.at(-1)).toMatchObject({ type: 'error', problem: { status: 429, type: '/problems/too-many-requests' } });
    expect(heard('c')).toEqual([]);
    await say('d', { action: 'ping' });
    expect(heard('d')).toEqual([{ type: 'pong', at: given.clock.now() }]);
  });
});

describe('a user who says too much', () => {
  it('is closed, over how many sockets it was', async () => {
    given = testPlatform({ http: { requestLimitFactor: 1 } });
    sockets = createSockets(given.platform);
    await connect('c', ada);
    await connect('d', ada);
    for (let said = 0; said < 120; said++) for (const id of ['c', 'd']) await say(id, { action: 'ping' });
    const received = heard('d');
    await say('d', { action: 'ping' });
    expect(received.at(-1)).toMatchObject({ type: 'error', problem: { type: '/problems/too-many-requests' } });
  });
});

describe('subscribing', () => {
  it('answers with one frame: what was subscribed, and a snapshot of each channel', async () => {
    await fire(ada, 2);
    await connect('c', ada);
    await subscribe('c', [btc, 'alerts']);
    expect(given.sockets.frames).toHaveLength(1);
    expect(heard('c')).toMatchObject([
      { type: 'subscribed', channels: [btc, 'alerts'] },
      { type: 'snapshot', channel: btc, seq: 1, data: { last: '100' } },
      { type: 'snapshot', channel: 'alerts', seq: 2 },
    ]);
  });

  it.each([
    ['an unknown channel', 'secrets'],
    ["somebody else's channel", 'alerts#bob'],
    ['a symbol that is not traded', 'prices:sim:NO/USDT'],
    ['a symbol of broken text', 'prices:sim:\ud800/USDT'],
  ])('is refused %s, and gets the others', async (_, channel) => {
    await connect('c', ada);
    await subscribe('c', [channel, btc]);
    expect(heard('c')).toMatchObject([
      {
        type: 'subscribed',
        channels: [btc],
        refused: [{ channel, problem: { status: 422, type: '/problems/invalid-input' } }],
      },
      { type: 'snapshot', channel: btc },
    ]);
    await given.tick('BTC/USDT', '101');
    await given.settle();
    expect(seqs('c')).toEqual([2]);
  });

  it('to none but bad channels says so, and nothing changes', async () => {
    await connect('c', ada);
    await subscribe('c', ['secrets']);
    expect(heard('c')).toMatchObject([{ type: 'subscribed', channels: [], refused: [{ channel: 'secrets' }] }]);
  });

  it('is refused as a whole when the table fails, and not as if the channel were bad', async () => {
    await connect('c', ada);
    given.table.before = failing(({ name, keys }) => name === 'get' && keys.some(({ sk }) => sk.startsWith('MARKET')));
    await subscribe('c', [btc, 'alerts']);
    expect(heard('c')).toMatchObject([{ type: 'error', problem: { status: 503 } }]);
  });

  it('to the longest names that a message may hold is answered within a frame', async () => {
    await connect('c', ada);
    await subscribe(
      'c',
      Array.from({ length: 50 }, (_, index) => `${index}${'"'.repeat(62)}`),
    );
    expect(heard('c')).toMatchObject([{ type: 'subscribed', channels: [] }]);
    expect(Buffer.byteLength(given.sockets.frames.at(-1)?.frame ?? '')).toBeLessThanOrEqual(30_000);
  });

  it('is followed by updates with rising numbers', async () => {
    await connect('c', ada);
    await subscribe('c', [btc]);
    for (const price of ['101', '102', '103']) {
      await given.tick('BTC/USDT', price);
      await given.settle();
    }
    expect(seqs('c')).toEqual([2, 3, 4]);
  });

  it('to a symbol without a price yet says so, and tells the first one', async () => {
    await connect('c', ada);
    await subscribe('c', [eth]);
    expect(heard('c')[1]).toEqual({ type: 'snapshot', channel: eth, epoch: expect.any(String), seq: 0, data: null });
    await given.tick('ETH/USDT', '10');
    await given.settle();
    expect(seqs('c')).toEqual([1]);
  });

  it('sees the tick that lands between the snapshot and the subscription', async () => {
    await connect('c', ada);
    given.table.once(
      ({ name, keys }) => name === 'put' && keys.some(({ pk }) => pk.startsWith('AUDIENCE')),
      async () => {
        await given.tick('BTC/USDT', '101');
        await given.settle();
      },
    );
    await subscribe('c', [btc]);
    await given.settle();
    expect([seqs('c', 'snapshot'), seqs('c')]).toEqual([[1], [2]]);
  });

  it('again begins anew', async () => {
    await connect('c', ada);
    await subscribe('c', [btc]);
    await subscribe('c', [btc]);
    await given.tick('BTC/USDT', '101');
    await given.settle();
    expect([seqs('c', 'snapshot'), seqs('c')]).toEqual([[1, 1], [2]]);
  });

  it('ends with unsubscribe', async () => {
    await connect('c', ada);
    await subscribe('c', [btc, eth]);
    await say('c', { action: 'unsubscribe', channels: [btc] });
    await given.tick('BTC/USDT', '101');
    await given.tick('ETH/USDT', '10');
    await given.settle();
    expect(heard('c').filter(({ type }) => type === 'update')).toMatchObject([{ channel: eth }]);
    expect(heard('c')).toContainEqual({ type: 'unsubscribed', channels: [btc] });
  });
});

describe('a message with an id', () => {
  it.each([
    ['ping', { action: 'ping' }, 'pong'],
    ['subscribe', { action: 'subscribe', channels: [btc] }, 'subscribed'],
    ['unsubscribe', { action: 'unsubscribe', channels: [btc] }, 'unsubscribed'],
    ['a bad token', { action: 'authenticate', token: 'x' }, 'error'],
    ['an unknown action', { action: 'dance' }, 'error'],
  ])('gets it back with the answer: %s', async (_, message, type) => {
    await connect('c', ada);
    for (const id of ['first', 7]) await say('c', { ...message, id });
    const answers = given.sockets.frames.map(({ frame }) => [JSON.parse(frame)].flat()[0]);
    expect(answers).toMatchObject([
      { type, id: 'first' },
      { type, id: 7 },
    ]);
  });
});

describe('an array of messages', () => {
  it('is answered message by message, in its order', async () => {
    await connect('c', ada);
    await say('c', [
      { action: 'ping', id: 1 },
      { action: 'dance' },
      { action: 'subscribe', channels: ['alerts'], id: 3 },
    ]);
    expect(heard('c').map(({ type }) => type)).toEqual(['pong', 'error', 'subscribed', 'snapshot']);
  });

  it('counts as so many messages', async () => {
    given = testPlatform({ http: { requestLimitFactor: 1 } });
    sockets = createSockets(given.platform);
    await connect('c', ada);
    for (let frame = 0; frame < 12; frame++) await say('c', Array(20).fill({ action: 'ping' }));
    const received = heard('c');
    expect(received.filter(({ type }) => type === 'pong')).toHaveLength(240);
    await say('c', Array(20).fill({ action: 'ping' }));
    expect(received.slice(240)).toMatchObject([{ type: 'error', problem: { status: 429 } }]);
  });
});

describe('since', () => {
  it('gives exactly the firings that were missed', async () => {
    await fire(ada, 5);
    await given.settle();
    await connect('c', ada);
    await subscribe('c', ['alerts'], { alerts: 2 });
    await given.settle();
    expect([seqs('c', 'snapshot'), seqs('c')]).toEqual([[], [3, 4, 5]]);
  });

  it('gives as many as a hundred missed firings in frames that API Gateway takes', async () => {
    await fire(ada, 100, { name: '漢'.repeat(30) });
    await given.settle();
    await connect('c', ada);
    await subscribe('c', ['alerts'], { alerts: 0 });
    expect(seqs('c')).toEqual(Array.from({ length: 100 }, (_, position) => position + 1));
    const sizes = given.sockets.frames.map(({ frame }) => Buffer.byteLength(frame));
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(30_000);
  });

  it('marks the missed ones as delivered', async () => {
    await fire(ada, 2);
    await given.settle();
    expect(await statuses(ada)).toEqual(['no-listener', 'no-listener']);
    await connect('c', ada);
    await subscribe('c', ['alerts'], { alerts: 1 });
    expect(await statuses(ada)).toEqual(['no-listener', 'delivered']);
  });

  it.each([
    ['too many were missed', 101, 0],
    ['it is a number of the future', 3, 4],
  ])('gives a snapshot when %s', async (_, count, since) => {
    await fire(ada, count);
    await connect('c', ada);
    await subscribe('c', ['alerts'], { alerts: since });
    expect([seqs('c', 'snapshot'), seqs('c')]).toEqual([[count], []]);
    expect(heard('c')[1]).toMatchObject({ recovered: false });
  });

  describe('an epoch', () => {
    const epochNow = async (): Promise<string> => {
      await connect('e', ada);
      await subscribe('e', [btc]);
      return (heard('e')[1] as unknown as { epoch: string }).epoch;
    };
    const sinceIn = (channel: string, epoch: string, seq: number) =>
      say('c', { action: 'subscribe', channels: [channel], since: { [channel]: { epoch, seq } } });

    it('that is the present one gives what was missed', async () => {
      await fire(ada, 3);
      await given.settle();
      const epoch = await epochNow();
      await connect('c', ada);
      await sinceIn('alerts', epoch, 2);
      expect([seqs('c', 'snapshot'), seqs('c')]).toEqual([[], [3]]);
      await sinceIn(btc, epoch, 1);
      expect(heard('c').filter(({ channel }) => channel === btc)).toEqual([]);
    });

    it.each(['alerts', btc])('that is another one gives a snapshot of %s that says so', async (channel) => {
      await fire(ada);
      await given.settle();
      await connect('c', ada);
      await sinceIn(channel, 'of the table before', 1);
      expect(heard('c')[1]).toMatchObject({ type: 'snapshot', channel, seq: 1, recovered: false });
      expect(seqs('c')).toEqual([]);
    });

    it('is the same for every instance, and another one once its item was deleted', async () => {
      const first = await epochNow();
      sockets = createSockets(given.platform);
      expect(await epochNow()).toBe(first);
      await given.store.delete({ pk: 'REALTIME', sk: 'EPOCH' });
      sockets = createSockets(given.platform);
      expect(await epochNow()).not.toBe(first);
    });
  });

  it('the present price gives nothing until it changes', async () => {
    await connect('c', ada);
    await subscribe('c', [btc], { [btc]: 1 });
    expect(heard('c').map(({ type }) => type)).toEqual(['subscribed']);
  });
});

describe('a firing', () => {
  const points = Array.from({ length: 24 }, (_, point) => point);

  it.each(['with a snapshot', 'with since'])('at any point of a subscription %s arrives exactly once', async (how) => {
    let injected = 0;
    for (const point of points) {
      given = testPlatform();
      sockets = createSockets(given.platform);
      book = new Alerts({ ...given.platform, table: given.store });
      await given.list('sim', ['BTC/USDT']);
      await given.tick('BTC/USDT', '100');
      await fire(ada, 3);
      await given.settle();
      await connect('c', ada);
      let call = 0;
      given.table.before = async () => {
        call += 1;
        if (call - 1 !== point) return;
        injected += 1;
        given.table.before = () => {};
        await fire(ada);
        await given.settle();
      };
      await subscribe('c', ['alerts'], how === 'with since' ? { alerts: 1 } : undefined);
      given.table.before = () => {};
      await fire(ada);
      await given.settle();
      const inSnapshot = heard('c')
        .filter(({ type }) => type === 'snapshot')
        .flatMap(({ seq }) => Array.from({ length: seq ?? 0 }, (_, position) => position + 1));
      const last = (await given.store.get<never>({ pk: 'USER#ada', sk: 'FEED' })) as unknown as { seq: number };
      const expected = Array.from({ length: last.seq }, (_, position) => position + 1);
      const got = how === 'with since' ? [1, ...seqs('c')] : [...inSnapshot, ...seqs('c')];
      expect([point, got]).toEqual([point, expected]);
    }
    expect(injected).toBeGreaterThan(7);
  });

  it('reaches every connection of its owner and nobody else', async () => {
    for (const [connectionId, userId] of [
      ['a1', ada],
      ['a2', ada],
      ['b', bob],
    ] as const) {
      await connect(connectionId, userId);
      await subscribe(connectionId, ['alerts']);
    }
    await fire(ada);
    await given.settle();
    expect(['a1', 'a2', 'b'].map((connectionId) => seqs(connectionId))).toEqual([[1], [1], []]);
  });

  it('is in nobody else’s snapshot', async () => {
    await fire(ada, 3);
    await connect('b', bob);
    await subscribe('b', ['alerts']);
    expect(heard('b')[1]).toEqual({ type: 'snapshot', channel: 'alerts', epoch: expect.any(String), seq: 0, data: [] });
  });

  it('of an alert that is not pushed is neither an update nor in a snapshot', async () => {
    await connect('c', ada);
    await subscribe('c', ['alerts']);
    await fire(ada, 1, { channels: ['email'] });
    await fire(ada, 1);
    await given.settle().catch(() => {});
    expect(seqs('c')).toEqual([2]);
    await connect('d', ada);
    await subscribe('d', ['alerts']);
    expect(heard('d')[1]?.data).toHaveLength(1);
  });

  it.each([
    ['delivered', true],
    ['no-listener', false],
  ] as const)('is %s when somebody listens: %s', async (status, listens) => {
    await connect('c', ada);
    if (listens) await subscribe('c', ['alerts']);
    await fire(ada);
    await given.settle();
    expect(await statuses(ada)).toEqual([status]);
  });

  it('has no listener when the only connection is gone', async () => {
    await connect('c', ada);
    await subscribe('c', ['alerts']);
    given.sockets.drop('c');
    await fire(ada);
    await given.settle();
    expect(await statuses(ada)).toEqual(['no-listener']);
  });

  it('that could not be pushed is pushed when the stream tells of it again', async () => {
    await connect('c', ada);
    await subscribe('c', ['alerts']);
    await fire(ada);
    const send = given.sockets.send.bind(given.sockets);
    given.sockets.send = async () => {
      given.sockets.send = send;
      throw new Unavailable('Too many requests');
    };
    await expect(given.settle()).rejects.toThrow('push failed');
    await given.settle();
    expect([seqs('c'), await statuses(ada)]).toEqual([[1], ['delivered']]);
  });

  it('of which only some frames could be sent goes on after them', async () => {
    await connect('c', ada);
    await subscribe('c', ['alerts']);
    await fire(ada, 100);
    const send = given.sockets.send.bind(given.sockets);
    let sent = 0;
    given.sockets.send = async (connectionId, frame) => {
      sent += 1;
      if (sent === 2) throw new Unavailable('Too many requests');
      return await send(connectionId, frame);
    };
    await expect(given.settle()).rejects.toThrow('push failed');
    await given.settle();
    expect(sent).toBeGreaterThan(2);
    expect(seqs('c')).toEqual(Array.from({ length: 100 }, (_, position) => position + 1));
    expect(new Set(await statuses(ada))).toEqual(new Set(['delivered']));
  });

  it('is not held up by a socket of another user that does not answer', async () => {
    for (const [connectionId, userId] of [
      ['a', ada],
      ['b', bob],
    ] as const) {
      await connect(connectionId, userId);
      await subscribe(connectionId, ['alerts']);
    }
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const send = given.sockets.send.bind(given.sockets);
    given.sockets.send = async (connectionId, frame) => {
      if (connectionId === 'a') await answered;
      const outcome = await send(connectionId, frame);
      if (connectionId === 'b') reach();
      return outcome;
    };
    await fire(ada);
    await fire(bob);
    const settling = given.settle();
    await reached;
    expect([seqs('a'), seqs('b')]).toEqual([[], [1]]);
    answer();
    await settling;
    expect(seqs('a')).toEqual([1]);
  });

  it('that the stream tells of twice is pushed once', async () => {
    await connect('c', ada);
    await subscribe('c', ['alerts']);
    await fire(ada, 2);
    const changes = (await given.changes.read('push', 100)).filter(({ after }) => after?.kind === 'notification');
    for (let again = 0; again < 3; again += 1) await given.consumers.push(streamEvent(changes), testContext);
    expect(seqs('c')).toEqual([1, 2]);
  });
});

describe('prices', () => {
  it('of a batch come in one frame for each connection, the newest of each symbol', async () => {
    for (const connectionId of ['c', 'd']) {
      await connect(connectionId, ada);
      await subscribe(connectionId, [btc, eth]);
    }
    given.sockets.frames.length = 0;
    for (const price of ['101', '102']) await given.tick('BTC/USDT', price);
    await given.tick('ETH/USDT', '10');
    await given.settle();
    expect(given.sockets.frames.map(({ connectionId }) => connectionId).sort()).toEqual(['c', 'd']);
    expect(heard('c').filter(({ type }) => type === 'update')).toMatchObject([{ seq: 3 }, { seq: 1 }]);
  });

  it('are not pushed again when their batch comes again', async () => {
    await connect('c', ada);
    await subscribe('c', [btc]);
    await given.tick('BTC/USDT', '101');
    const changes = (await given.changes.read('push', 100)).filter(({ after }) => after?.kind === 'ticker');
    for (let again = 0; again < 3; again += 1) await given.consumers.push(streamEvent(changes), testContext);
    expect(seqs('c')).toEqual([2]);
  });

  it('go to the others when one connection fails', async () => {
    for (const connectionId of ['c', 'd']) {
      await connect(connectionId, ada);
      await subscribe(connectionId, [btc]);
    }
    const send = given.sockets.send.bind(given.sockets);
    given.sockets.send = async (connectionId, frame) => {
      if (connectionId === 'c') throw new Unavailable('Broken');
      return await send(connectionId, frame);
    };
    await given.tick('BTC/USDT', '101');
    await given.settle();
    expect(seqs('d')).toEqual([2]);
  });
});

describe('a price that could not be sent', () => {
  /** Has the next sends to the connection fail. */
  const failSends = (connectionId: string, times: number): void => {
    const send = given.sockets.send.bind(given.sockets);
    let left = times;
    given.sockets.send = async (id, frame) => {
      if (id === connectionId && left > 0) {
        left -= 1;
        throw new Unavailable('Too many requests');
      }
      return await send(id, frame);
    };
  };
  /** Hands what changed to the stream consumer, once. */
  const pushBatch = async (): Promise<void> => {
    const batch = await given.changes.read('push', 100);
    const tickers = batch.filter(({ after }) => after?.kind === 'ticker');
    await given.consumers.push(streamEvent(tickers), testContext);
    await given.changes.advance('push', batch.at(-1)?.sequence ?? '0');
  };
  beforeEach(async () => {
    await connect('c', ada);
    await subscribe('c', [btc, eth]);
  });

  it('is sent with the next batch, although its symbol is quiet', async () => {
    failSends('c', 1);
    await given.tick('BTC/USDT', '101');
    await pushBatch();
    expect(seqs('c')).toEqual([]);
    await given.tick('ETH/USDT', '10');
    await pushBatch();
    const updates = heard('c').filter(({ type }) => type === 'update');
    expect(updates.map(({ channel, seq }) => [channel, seq]).toSorted()).toEqual([
      [btc, 2],
      [eth, 1],
    ]);
  });

  it('gives way to a newer one of its symbol', async () => {
    failSends('c', 1);
    for (const price of ['101', '102']) {
      await given.tick('BTC/USDT', price);
      await pushBatch();
    }
    expect(seqs('c')).toEqual([3]);
    await given.tick('ETH/USDT', '10');
    await pushBatch();
    expect(seqs('c')).toEqual([3, 1]);
  });

  it('is not sent to who left the channel or started over', async () => {
    await connect('d', ada);
    await subscribe('d', [btc, eth]);
    failSends('c', 1);
    failSends('d', 1);
    await given.tick('BTC/USDT', '101');
    await pushBatch();
    await say('c', { action: 'unsubscribe', channels: [btc] });
    await subscribe('d', [btc]);
    await given.tick('ETH/USDT', '10');
    await pushBatch();
    for (const connectionId of ['c', 'd']) {
      const updates = heard(connectionId).filter(({ type }) => type === 'update');
      expect(updates).toMatchObject([{ channel: eth, seq: 1 }]);
    }
    expect(seqs('d', 'snapshot')).toEqual([1, 0, 2]);
  });

  it('three times in a row ends the connection, which gets a snapshot when it is back', async () => {
    failSends('c', 3);
    for (const price of ['101', '102', '103']) {
      await given.tick('BTC/USDT', price);
      await pushBatch();
    }
    expect(JSON.parse(given.sockets.frames.at(-1)?.frame ?? '')).toEqual({
      type: 'goodbye',
      reason: 'too-slow',
      reconnect: true,
    });
    expect(await given.sockets.send('c', '{}')).toBe('gone');
  });
});

describe('the numbers of prices', () => {
  it('do not fall when the stream, which read who listens, is overtaken by who catches up', async () => {
    await connect('c', ada);
    const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
    const { promise: caughtUp, resolve: goOn } = Promise.withResolvers<void>();
    let stream: Promise<void> | undefined;
    given.table.after = async ({ name, keys }) => {
      if (!keys.some(({ pk }) => pk.startsWith('AUDIENCE#prices'))) return;
      if (name === 'put') {
        await given.tick('BTC/USDT', '101');
        stream = given.settle();
        await read;
        await given.tick('BTC/USDT', '102');
      } else if (name === 'query') {
        hasRead();
        await caughtUp;
      }
    };
    await subscribe('c', [btc]);
    goOn();
    await stream;
    expect(seqs('c')).toEqual([3]);
    await given.tick('BTC/USDT', '103');
    await given.settle();
    expect(seqs('c')).toEqual([3, 4]);
  });
});

describe('a connection', () => {
  const left = async (connectionId: string) => {
    const audiences = [btc, eth, 'alerts#ada'].map((name) => given.store.query({ pk: `AUDIENCE#${name}` }));
    const subscriptions = (await Promise.all(audiences)).flatMap(({ items }) => items);
    const self = await given.store.query({ pk: `CONNECTION#${connectionId}` });
    return [...subscriptions, ...self.items].length;
  };

  it.each(['tells that it ends', 'is found gone'])('is forgotten with its subscriptions when it %s', async (how) => {
    await connect('c', ada);
    await subscribe('c', [btc, eth, 'alerts']);
    expect(await left('c')).toBe(4);
    given.sockets.drop('c');
    if (how === 'tells that it ends') await sockets(event('c', '$disconnect'), testContext);
    await given.tick('BTC/USDT', '101');
    await given.settle();
    expect(await left('c')).toBe(0);
  });

  it('that is not known is closed', async () => {
    given.sockets.open('stranger');
    await say('stranger', { action: 'ping' });
    expect(await given.sockets.send('stranger', '{}')).toBe('gone');
  });

  it('without a good token is refused', async () => {
    const handshake = { requestContext: { connectionId: 'c', routeKey: '$connect' }, headers: {} } as never;
    expect(await sockets(handshake, testContext)).toMatchObject({ statusCode: 401 });
    expect(await left('c')).toBe(0);
  });

  const handshakeOf = async (headers: Readonly<Record<string, string>>) => {
    const token = await tokenOf(given.platform, ada, 'viewer');
    const requestContext = { connectionId: 'c', routeKey: '$connect' };
    const Host = 'api.example.com';
    return await createSockets({
      ...given.platform,
      config: withSettings(given.platform.config, { http: { corsOrigins: [app] } }),
    })({ requestContext, headers: { Host, ...headers }, queryStringParameters: { token } } as never, testContext);
  };

  it.each(['https://evil.example.com', 'https://app.example.com.evil.example', 'http://app.example.com', 'null', ''])(
    'of a page of the origin %j is refused, although the token is good',
    async (Origin) => {
      expect(await handshakeOf({ Origin })).toMatchObject({ statusCode: 403 });
      expect(await left('c')).toBe(0);
    },
  );

  it.each([{ Origin: app }, { origin: app }, { Origin: 'https://api.example.com' }, {}])(
    'of a configured origin, the server’s own or a program is let in: %j',
    async (headers) => {
      expect(await handshakeOf(headers)).toMatchObject({ statusCode: 200 });
    },
  );

  it.each(['subprotocol', 'query'])('with a good token in its %s belongs to its bearer', async (place) => {
    const token = await tokenOf(given.platform, ada, 'viewer');
    const handshake =
      place === 'query'
        ? { queryStringParameters: { token } }
        : { headers: { 'Sec-WebSocket-Protocol': `bearer, ${token}` } };
    const requestContext = { connectionId: 'c', routeKey: '$connect' };
    expect(await sockets({ requestContext, ...handshake } as never, testContext)).toMatchObject({ statusCode: 200 });
    expect(await new Connections(given.platform).bearerOf('c')).toMatchObject({ userId: ada });
  });

  it.each([
    ['has a price to hear', () => given.tick('BTC/USDT', '101')],
    ['says something', () => say('c', { action: 'ping' })],
  ])('whose token has expired ends when it %s', async (_, happens) => {
    await connect('c', ada);
    await subscribe('c', [btc]);
    await given.clock.advance(900_000);
    given.sockets.frames.length = 0;
    await happens();
    await given.settle();
    expect(given.sockets.frames.map(({ frame }) => JSON.parse(frame))).toEqual([
      { type: 'goodbye', reason: 'token-expired', reconnect: true },
    ]);
    expect(await given.sockets.send('c', '{}')).toBe('gone');
    expect(await left('c')).toBe(0);
  });

  it('is answered to a ping with the time of the server', async () => {
    await connect('c', ada);
    await say('c', { action: 'ping' });
    expect(heard('c')).toEqual([{ type: 'pong', at: given.clock.now() }]);
  });

  it('listens to so many channels and no more, and a refused request changes nothing', async () => {
    const symbols = Array.from({ length: SUBSCRIPTIONS_PER_CONNECTION_MAX + 10 }, (_, number) => `C${number}/USDT`);
    await given.list('sim', symbols);
    const channels = symbols.map((symbol) => `prices:sim:${symbol}`);
    await connect('c', ada);
    await subscribe('c', channels.slice(0, 50));
    await subscribe('c', channels.slice(50, 95));
    given.sockets.frames.length = 0;
    await subscribe('c', channels.slice(90, 101));
    expect(given.sockets.frames.map(({ frame }) => JSON.parse(frame).problem?.type)).toEqual([
      '/problems/limit-exceeded',
    ]);
    await given.tick('C96/USDT', '1');
    await given.tick('C94/USDT', '1');
    await given.settle();
    expect(seqs('c')).toEqual([1]);
    await say('c', { action: 'unsubscribe', channels: channels.slice(0, 1) });
    await subscribe('c', channels.slice(90, 101));
    expect(heard('c').at(-1)?.type).toBe('snapshot');
  });

  it.each([
    ['no JSON', '{', 400],
    ['nothing', '', 400],
    ['no action', '{}', 422],
    ['an unknown action', { action: 'trade' }, 422],
    ['no channels', { action: 'subscribe', channels: [] }, 422],
    ['too many channels', { action: 'subscribe', channels: Array(51).fill('alerts') }, 422],
    [
      'channels of which no answer fits in a frame',
      { action: 'subscribe', channels: Array(50).fill('漢'.repeat(120)) },
      422,
    ],
    ['a number without its epoch', { action: 'subscribe', channels: ['alerts'], since: { alerts: { seq: 1 } } }, 422],
    ['no token', { action: 'authenticate' }, 422],
    ['an array of nothing', '[]', 422],
    ['an array that is too long', Array(21).fill({ action: 'ping' }), 422],
    ['a negative number', { action: 'subscribe', channels: ['alerts'], since: { alerts: -1 } }, 422],
    ['an unknown channel to leave', { action: 'unsubscribe', channels: ['a#b'] }, 422],
  ])('that says %s is told what is wrong, and nothing changes', async (_, message, status) => {
    await connect('c', ada);
    const before = await left('c');
    await say('c', message);
    expect(heard('c')).toMatchObject([{ type: 'error', problem: { status } }]);
    expect(await left('c')).toBe(before);
  });
});
