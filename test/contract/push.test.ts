import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { WsPush } from '#local/ws-push';
import { ApiGatewayPush, socketsClient } from '#shared/platform/aws/api-gateway-push';
import { startConnectionsApi } from '../support/connections-api.ts';
import { RecordedSockets } from '../support/test-platform.ts';
import { until } from '../support/until.ts';
import { type PushClient, pushContract } from './push.contract.ts';

/** A client that was handed frames. */
const clientOf = (id: string, frames: () => string[], close: () => Promise<void>): PushClient => {
  let read = 0;
  const next = async (): Promise<string> => {
    const frame = await until('a frame', () => frames()[read]);
    read += 1;
    return frame;
  };
  return { id, frames: () => [...frames()], next, close };
};

pushContract('sockets of this machine', async () => {
  const push = new WsPush();
  const server = new WebSocketServer({ server: createServer().listen(0, '127.0.0.1') });
  await once(server, 'listening');
  let opened = 0;
  return {
    push,
    async connect() {
      const connected = once(server, 'connection') as Promise<[WebSocket]>;
      const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const frames: string[] = [];
      client.on('message', (frame) => frames.push(String(frame)));
      const [[socket]] = await Promise.all([connected, once(client, 'open')]);
      opened += 1;
      const id = `connection-${opened}`;
      push.add(id, socket);
      socket.once('close', () => push.remove(id));
      const close = async () => {
        client.terminate();
        await once(socket, 'close');
      };
      return clientOf(id, () => frames, close);
    },
    async close() {
      push.terminateAll();
      server.close();
      server.options.server?.close();
    },
  };
});

pushContract('API Gateway', async () => {
  const api = await startConnectionsApi();
  const push = new ApiGatewayPush(
    socketsClient({
      endpoint: api.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
  );
  return {
    push,
    async connect() {
      const id = api.connect();
      return clientOf(
        id,
        () => api.framesOf(id),
        async () => api.disconnect(id),
      );
    },
    close: () => api.close(),
  };
});

pushContract('recorded sockets of tests', async () => {
  const push = new RecordedSockets();
  let opened = 0;
  return {
    push,
    async connect() {
      opened += 1;
      const id = `connection-${opened}`;
      push.open(id);
      const frames = () => push.frames.filter(({ connectionId }) => connectionId === id).map(({ frame }) => frame);
      return clientOf(id, frames, async () => push.drop(id));
    },
    async close() {},
  };
});
