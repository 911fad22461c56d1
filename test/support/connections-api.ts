/** A double of API Gateway's @connections API: it posts frames to connections and closes them, and 410 is for those that are gone. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ConnectionsApi {
  readonly url: string;
  /** @returns the new connection's id */
  connect(): string;
  disconnect(connectionId: string): void;
  /** The frames that were posted to a connection. */
  framesOf(connectionId: string): string[];
  close(): Promise<void>;
}

export const startConnectionsApi = async (): Promise<ConnectionsApi> => {
  const frames = new Map<string, string[]>();
  const open = new Set<string>();
  const server = createServer(async (request, response) => {
    const connectionId = decodeURIComponent((request.url ?? '').replace('/@connections/', ''));
    const body = await text(request);
    if (!open.has(connectionId)) {
      response.writeHead(410, { 'x-amzn-errortype': 'GoneException' }).end('{}');
    } else if (request.method === 'POST') {
      frames.get(connectionId)?.push(body);
      response.writeHead(200).end();
    } else {
      open.delete(connectionId);
      response.writeHead(204).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connect() {
      const connectionId = `L0SM9cOFvHcC${frames.size}=`;
      frames.set(connectionId, []);
      open.add(connectionId);
      return connectionId;
    },
    disconnect: (connectionId) => void open.delete(connectionId),
    framesOf: (connectionId) => frames.get(connectionId) ?? [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
