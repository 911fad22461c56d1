import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '#functions/http/problem';
import { ApiClient } from '../support/client.ts';
import { startServerHere } from '../support/server-here.ts';
import { SocketClient } from '../support/socket-client.ts';

let server: Awaited<ReturnType<typeof startServerHere>>;
let client: ApiClient;
let socket: SocketClient;
beforeAll(async () => {
  server = await startServerHere();
  client = await ApiClient.of(server, server.dataFolder);
  await client.anyPrice();
});
afterAll(async () => {
  await server?.end();
});
beforeEach(async () => {
  socket = await SocketClient.open(server.webSocketUrl, client.token);
});
afterEach(() => socket.end());

const subscribe = (...channels: unknown[]) => ({ action: 'subscribe', channels });

describe('a channel that there is not', () => {
  it.each([
    ['an unknown channel', 'gossip'],
    ["another user's channel", 'alerts#someone'],
    ['an unknown symbol', 'prices:sim:NOPE/USDT'],
    ['an unknown venue', 'prices:nowhere:BTC/USDT'],
    ['a symbol that breaks keys', 'prices:sim:BTC/USDT#x'],
    ['a symbol with SQL', "prices:sim:x';DROP/TABLE"],
    ['a symbol of another script', 'prices:sim:💥/USDT'],
    ['a channel named like a part of objects', '__proto__'],
  ])('is refused with a problem, and the socket goes on: %s', async (_kind, channel) => {
    socket.send(subscribe(channel));
    const { channels, refused } = await socket.next('an answer', () => true);
    expect(channels).toEqual([]);
    expect(refused?.map((one) => [one.channel, Problem.parse(one.problem).status])).toEqual([[channel, 422]]);
    socket.send({ action: 'ping' });
    await socket.next('pong', ({ type }) => type === 'pong');
    expect(socket.messages.map(({ type }) => type)).toEqual(['subscribed', 'pong']);
  });
});

describe('a message that makes no sense', () => {
  it.each<[kind: string, message: string | object | Uint8Array]>([
    ['broken JSON', '{"action":'],
    ['nothing', ''],
    ['null', 'null'],
    ['an empty list', '[]'],
    ['a list in a list', '[[{"action":"ping"}]]'],
    ['bytes', new Uint8Array([0xff, 0x00, 0xc0])],
    ['no action', {}],
    ['an unknown action', { action: 'drop' }],
    ['an action of the wrong type', { action: ['ping'] }],
    ['more than it may hold', { action: 'ping', extra: 1 }],
    ['no channels', subscribe()],
    ['too many channels', subscribe(...Array.from({ length: 51 }, (_, index) => `prices:sim:A${index}/USDT`))],
    ['channels of the wrong type', { action: 'subscribe', channels: 'alerts' }],
    ['a channel of the wrong type', subscribe(1)],
    ['a number that no message has', { ...subscribe('alerts'), since: { alerts: -1 } }],
    ['a number that is none', { ...subscribe('alerts'), since: { alerts: '1' } }],
    ['nesting without end', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ])('gets a problem, and the socket goes on: %s', async (_kind, message) => {
    socket.send(message);
    const { problem } = await socket.next('an answer', () => true);
    expect(Problem.parse(problem).status).toSatisfy((status: number) => status === 400 || status === 422);
    socket.send({ action: 'ping' });
    await socket.next('pong', ({ type }) => type === 'pong');
    expect(socket.messages.map(({ type }) => type)).toEqual(['error', 'pong']);
  });

  it('ends the socket when it is larger than any may be, and no other socket', async () => {
    const other = await SocketClient.open(server.webSocketUrl, client.token);
    socket.send('x'.repeat(1024 * 1024));
    expect(await socket.closed).toBe(1009);
    other.send({ action: 'ping' });
    await other.next('pong', ({ type }) => type === 'pong');
    other.end();
  });
});
