/** A stranger's server that takes webhooks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedWebhook {
  readonly delivery: string;
  readonly signature: string;
  readonly body: string;
}

export const startWebhookReceiver = async () => {
  const received: ReceivedWebhook[] = [];
  let status = 204;
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const header = (name: string) => String(request.headers[name] ?? '');
    received.push({ delivery: header('x-alphapulse-delivery'), signature: header('x-alphapulse-signature'), body });
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    /** Oldest first. */
    received: received as readonly ReceivedWebhook[],
    /** Answers with this status from now on. */
    answer: (next: number) => {
      status = next;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
