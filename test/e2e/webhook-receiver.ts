/** Somebody's server that takes webhooks. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const startWebhookReceiver = async () => {
  const received: Received[] = [];
  const server = createServer(async (request, answer) => {
    received.push({ headers: request.headers, body: await text(request) });
    answer.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    /** `127.0.0.1:<port>` */
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => void server.close(),
  };
};
