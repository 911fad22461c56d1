import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { FrontDoor } from '#local/front-door';
import { Sockets } from '#local/sockets';
import { localLogger } from '#local/telemetry';
import { WsPush } from '#local/ws-push';
import { systemRandom, uuidV7Ids } from '#shared/platform/system';
import { VirtualClock } from '../support/virtual-clock.ts';

const SocketEvent = z.looseObject({
  requestContext: z.looseObject({ routeKey: z.string(), eventType: z.string(), connectionId: z.string() }),
  headers: z.record(z.string(), z.string()).optional(),
  queryStringParameters: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
});
type SocketEvent = z.infer<typeof SocketEvent>;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server whose socket function does as told, and everything that the function was told. */
const given = async (handle: (event: SocketEvent, push: WsPush) => unknown = () => ({ statusCode: 200 })) => {
  const clock = new VirtualClock();
  const push = new WsPush();
  const events: SocketEvent[] = [];
  const waiting: (() => void)[] = [];
  const sockets = new Sockets({
    invoke: async (event) => {
      const parsed = SocketEvent.parse(event);
      events.push(parsed);
      for (const wake of waiting) wake();
      return await handle(parsed, push);
    },
    push,
    door: new FrontDoor({ host: '127.0.0.1' }),
    strictTransport: false,
    clock,
    ids: uuidV7Ids(clock, systemRandom),
    logger: localLogger('SILENT'),
  });
  const server: Server = createServer();
  server.on('upgrade', (request, socket, head) => void sockets.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  closers.push(async () => {
    server.close();
    push.terminateAll();
    await sockets.close();
  });
  /** Resolves when the function was told so many events of this kind. */
  const told = async (eventType: string, count = 1): Promise<SocketEvent[]> => {
    const matching = () => events.filter(({ requestContext }) => requestContext.eventType === eventType);
    while (matching().length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    return matching();
  };
  return { clock, push, sockets, url, events, told };
};

const opened = async (url: string, protocols: string[] = [], options = {}): Promise<WebSocket> => {
  const socket = new WebSocket(url, protocols, options);
  await once(socket, 'open');
  return socket;
};
/** The status with which a handshake is refused. */
const refusal = (url: string, options = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options);
    socket.on('unexpected-response', (_, answer) => {
      resolve(answer.statusCode);
      answer.destroy();
    });
    socket.on('open', () => reject(new Error('It was let in')));
    socket.on('error', reject);
  });
const nextMessage = async (socket: WebSocket): Promise<string> => String((await once(socket, 'message'))[0]);
const closeCode = async (socket: WebSocket): Promise<number> => (await once(socket, 'close'))[0];

describe('a handshake', () => {
  it('reaches the function with its headers and query', async () => {
    const { url, told } = await given(() => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'bearer' } }));
    await opened(`${url}?token=t`, ['bearer', 'abc']);
    const [connect] = await told('CONNECT');
    expect(connect).toMatchObject({
      requestContext: { routeKey: '$connect', stage: 'local', identity: { sourceIp: '127.0.0.1' } },
      headers: { 'Sec-WebSocket-Protocol': 'bearer,abc' },
      queryStringParameters: { token: 't' },
    });
  });

  it('selects the subprotocol that the function names', async () => {
    const { url } = await given(() => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'bearer' } }));
    expect((await opened(url, ['bearer', 'abc'])).protocol).toBe('bearer');
  });

  it('is refused with the status of the function', async () => {
    const { url } = await given(() => ({ statusCode: 401 }));
    expect(await refusal(url)).toBe(401);
  });

  it('is refused with 500 when the function fails', async () => {
    const { url } = await given(() => {
      throw new Error('no');
    });
    expect(await refusal(url)).toBe(500);
  });

  it('is refused at another path', async () => {
    const { url } = await given();
    expect(await refusal(url.replace('/ws', '/other'))).toBe(404);
  });

  it('is refused under a foreign name', async () => {
    const { url } = await given();
    expect(await refusal(url, { headers: { host: 'evil.example.com' } })).toBe(421);
  });

  it('tells the function which page asks, and under which name of the server', async () => {
    const { url, told } = await given();
    await opened(url, [], { origin: 'https://app.example.com' });
    const [connect] = await told('CONNECT');
    const headers = Object.entries(connect?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    expect(Object.fromEntries(headers)).toMatchObject({ origin: 'https://app.example.com', host: new URL(url).host });
  });
});

describe('messages', () => {
  it('are handled one after the other, in their order', async () => {
    let running = 0;
    const bodies: unknown[] = [];
    const { url, told } = await given(async ({ requestContext, body }) => {
      if (requestContext.eventType === 'MESSAGE') {
        expect(++running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        bodies.push(body);
      }
      return { statusCode: 200 };
    });
    const socket = await opened(url);
    for (const body of ['1', '2', '3', 'last']) socket.send(body);
    await told('MESSAGE', 4);
    socket.close();
    await told('DISCONNECT');
    expect(bodies).toEqual(['1', '2', '3', 'last']);
  });

  it('get the body that the function answers', async () => {
    const { url } = await given(({ body }) => ({ statusCode: 200, ...(body && { body: `got ${body}` }) }));
    const socket = await opened(url);
    socket.send('x');
    expect(await nextMessage(socket)).toBe('got x');
  });

  it('get a problem when the function fails, and the connection stays', async () => {
    const { url } = await given(({ body }) => {
      if (body === 'bad') throw new Error('a secret detail');
      return { statusCode: 200, body: body ?? '' };
    });
    const socket = await opened(url);
    socket.send('bad');
    const answer = await nextMessage(socket);
    expect(JSON.parse(answer)).toMatchObject({ type: 'error', problem: { status: 500 } });
    expect(answer).not.toContain('secret detail');
    socket.send('good');
    expect(await nextMessage(socket)).toBe('good');
  });

  it('end the connection when too many wait', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { url } = await given(async ({ requestContext }) => {
      if (requestContext.eventType === 'MESSAGE') await released;
      return { statusCode: 200 };
    });
    const socket = await opened(url);
    for (let message = 0; message < 40; message++) socket.send('x');
    expect(await closeCode(socket)).toBe(1008);
    release();
  });

  it('end the connection when one is too large', async () => {
    const { url } = await given();
    const socket = await opened(url);
    socket.send('x'.repeat(128 * 1024 + 1));
    expect(await closeCode(socket)).toBe(1009);
  });
});

describe('a push', () => {
  const connected = async () => {
    const server = await given();
    const socket = await opened(server.url);
    const [connect] = await server.told('CONNECT');
    return { ...server, socket, id: connect?.requestContext.connectionId ?? '' };
  };

  it('reaches its connection', async () => {
    const { push, socket, id } = await connected();
    const message = nextMessage(socket);
    expect(await push.send(id, 'hello')).toBe('sent');
    expect(await message).toBe('hello');
  });

  it('is gone when the connection never was or has ended', async () => {
    const { push, socket, id, told } = await connected();
    socket.close();
    await told('DISCONNECT');
    expect([await push.send(id, 'x'), await push.send('unknown', 'x')]).toEqual(['gone', 'gone']);
  });

  it('drops a client that does not read, which the function is told', async () => {
    const { push, socket, id, told } = await connected();
    socket.pause();
    const frame = 'x'.repeat(256 * 1024);
    let sent = 0;
    while (sent < 1_000 && (await push.send(id, frame)) === 'sent') sent++;
    await told('DISCONNECT');
    expect(sent).toBeLessThan(1_000);
  });

  it('closes a connection', async () => {
    const { push, socket, id } = await connected();
    const code = closeCode(socket);
    await push.close(id);
    expect(await code).toBe(1000);
  });
});

describe('a connection ends', () => {
  it('when its client is dead, and the function is told', async () => {
    const { clock, url, told } = await given();
    const socket = await opened(url, [], { autoPong: false });
    const code = closeCode(socket);
    await clock.advance(60_000);
    expect(await code).toBe(1006);
    await told('DISCONNECT');
  });

  it('when nothing was said for ten minutes, of which it hears a minute before', async () => {
    const { clock, url } = await given();
    const socket = await opened(url);
    const code = closeCode(socket);
    const messages: string[] = [];
    socket.on('message', (message) => messages.push(String(message)));
    for (let half = 0; half < 20; half++) {
      if (half < 18) expect(messages).toEqual([]);
      const pinged = half < 19 ? once(socket, 'ping') : undefined;
      await clock.advance(30_000);
      await pinged;
      // The answer to the ping was written before this message, and so arrives before it is answered.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(await code).toBe(1001);
    expect(messages.map((message) => JSON.parse(message))).toEqual([
      { type: 'goodbye', reason: 'idle', reconnect: true },
    ]);
  });

  it('with a goodbye when the server stops, and the function is told before that is done', async () => {
    const { sockets, url, events } = await given();
    const socket = await opened(url);
    const [message, code] = [nextMessage(socket), closeCode(socket)];
    await sockets.close();
    expect(JSON.parse(await message)).toEqual({ type: 'goodbye', reason: 'shutdown', reconnect: true });
    expect(await code).toBe(1001);
    expect(events.at(-1)?.requestContext.eventType).toBe('DISCONNECT');
  });
});
