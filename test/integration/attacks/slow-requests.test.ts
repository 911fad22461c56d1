/** A request that never ends holds a connection: who opens many of them leaves none for others. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { perMinute, route } from '#functions/http/route';
import { FrontDoor } from '#local/front-door';
import { Gateway } from '#local/gateway';
import { localLogger } from '#local/telemetry';
import { systemClock, systemRandom, uuidV7Ids } from '#shared/platform/system';
import { until } from '../../support/until.ts';

let calls = 0;
const gateway = new Gateway({
  functions: [
    {
      routes: [
        route({ method: 'POST', path: '/x', scope: 'public', throttle: perMinute(60), summary: '', response: {} }),
      ],
      invoke: async () => {
        calls++;
        return { statusCode: 204 };
      },
    },
  ],
  authorize: undefined,
  corsOrigins: [],
  door: new FrontDoor({ host: '127.0.0.1' }),
  strictTransport: false,
  pages: new Map(),
  clock: systemClock,
  ids: uuidV7Ids(systemClock, systemRandom),
  logger: localLogger('SILENT'),
  requestTimeoutMs: 200,
});
beforeAll(() => new Promise<void>((resolve) => gateway.server.listen(0, '127.0.0.1', resolve)));
afterAll(() => gateway.server.close());

const opened = async () => {
  // Such a client keeps its side open, whatever the server does.
  const socket = connect({ port: (gateway.server.address() as AddressInfo).port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    gateway.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

it.each([
  ['half a head', 'POST /x HTTP/1.1\r\nhost: localhost\r\nx-half: '],
  ['half a body', 'POST /x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf '],
  ['half a chunk', 'POST /x HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\na\r\nhalf '],
])('%s is a 408 when its time is over, and its connection is cut', async (_kind, bytes) => {
  const socket = await opened();
  socket.write(bytes);
  expect(await text(socket)).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n.*"status":408/s);
  await until('the connection is cut', async () => (await connections()) === 0);
  expect(calls).toBe(0);
  socket.destroy();
});
