/** Webhooks are sent by the server: a user must not reach through them what only the server reaches. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../support/client.ts';
import { type ServerHere, startServerHere } from '../../support/server-here.ts';
import { runServerCommand } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { startWebhookReceiver } from '../../support/webhook-receiver.ts';

const hooks = await startWebhookReceiver();
afterAll(() => hooks.close());

const firesAtOnce = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '1' } as const;

/** What became of the delivery of a webhook to this address. */
const deliveryTo = async (client: ApiClient, url: string) => {
  await client.useWebhook(url);
  const { alertId } = await client.createAlert({ condition: firesAtOnce, channels: ['webhook'] });
  return await until('a delivery', async () => {
    const delivery = (await client.history()).find((firing) => firing.alertId === alertId)?.deliveries[0];
    return delivery !== undefined && (delivery.status === 'delivered' || delivery.error !== undefined) && delivery;
  });
};

describe('a server that does not allow private webhooks, which is the default', () => {
  let server: ServerHere;
  let client: ApiClient;
  beforeAll(async () => {
    server = await startServerHere({ notifications: { privateWebhooks: false } });
    client = await ApiClient.of(server, server.dataFolder);
    await client.anyPrice();
  });
  afterAll(() => server?.end());

  const port = new URL(hooks.url).port;
  it.each([
    ['over http', hooks.url],
    ['at its address', `https://127.0.0.1:${port}/hook`],
    ['at its address, written otherwise', `https://0x7f000001:${port}/hook`],
    ['by its name', `https://localhost:${port}/hook`],
    ['of a cloud that has its secrets there', 'https://169.254.169.254/latest/meta-data'],
  ])('sends none to this machine %s', async (_kind, url) => {
    const { status, error } = await deliveryTo(client, url);
    expect(status).not.toBe('delivered');
    // No oracle of the inner network: the reason is in the log alone.
    expect(error).toBe('The webhook did not accept the delivery.');
    expect(hooks.received).toEqual([]);
  });
});

it('a server that allows them sends them there', async () => {
  const server = await startServerHere({ notifications: { privateWebhooks: true } });
  try {
    const client = await ApiClient.of(server, server.dataFolder);
    await client.anyPrice();
    expect((await deliveryTo(client, hooks.url)).status).toBe('delivered');
  } finally {
    await server.end();
  }
});

it.each([
  [['--host', '0.0.0.0', '--private-webhooks']],
  [['--private-webhooks', '--behind-proxy', '127.0.0.1', '--public-url', 'https://alphapulse.example.com']],
])('a server that others can reach does not start with them: %j', async (args) => {
  const { code, stderr } = await runServerCommand([...args, '--port', '0', '--venue', 'sim']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^--private-webhooks is only for a server that no other/)]);
});
