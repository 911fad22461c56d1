import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient, logIn } from '../support/client.ts';
import { LeapingClock } from '../support/leaping-clock.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { demoPassword, temporaryFolder } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const folder = await temporaryFolder();
const clock = new LeapingClock();
const inFolder = (name: string) => join(folder.path, name);

/** Everything that was logged, as it would be written. */
let logged: string[];
class RecordingLogger extends Logger {
  override info(): void {}
  override warn(...said: Parameters<Logger['warn']>): void {
    logged.push(textOf(said));
  }
  override error(...said: Parameters<Logger['error']>): void {
    logged.push(textOf(said));
  }
  protected override createLogger(options?: ConstructorParameters<typeof Logger>[0]): Logger {
    return new RecordingLogger(options);
  }
}
const textOf = (said: readonly unknown[]): string =>
  JSON.stringify(said, (_name, value) => (value instanceof Error ? `${value.name}: ${value.message}` : value));

let venue: BinanceDouble;
let hooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
let server: ServerHere;
let client: ApiClient;
let password: string;
let price = 65_000;

const start = async () => {
  logged = [];
  const settings = {
    market: { venues: ['binance'], symbols: ['BTC/USDT'] },
    exchange: { venueUrls: { binance: venue.url } },
  };
  server = await startServerHere(settings, { dataFolder: folder.path, clock, logger: new RecordingLogger() });
  client = new ApiClient(server.url, client?.token ?? '');
};

beforeAll(async () => {
  [venue, hooks] = await Promise.all([startBinance(), startWebhookReceiver()]);
  await start();
  client = await ApiClient.of(server, folder.path);
  await client.useWebhook(hooks.url);
  password = await demoPassword(folder.path);
  for (const name of ['secrets.key', 'secrets.json']) await copyFile(inFolder(name), inFolder(`${name}.kept`));
});
afterAll(async () => {
  await server?.end();
  await venue?.close();
  hooks?.close();
  await folder.remove();
});

const repair = async () => {
  for (const name of ['secrets.key', 'secrets.json']) await copyFile(inFolder(`${name}.kept`), inFolder(name));
};
const exchangeLetters = async (name: string) => {
  const text = await readFile(inFolder(name), 'utf8');
  await writeFile(
    inFolder(name),
    text.replace(/"text": "(.)/g, (_, first) => `"text": "${first === 'A' ? 'B' : 'A'}`),
  );
};

const damages: readonly (readonly [kind: string, damage: () => Promise<unknown>, told: RegExp])[] = [
  ['the key is missing', () => rm(inFolder('secrets.key')), /secrets\.key of secrets\.json is missing/],
  ['the key is cut off', () => writeFile(inFolder('secrets.key'), 'short'), /secrets\.key is damaged/],
  ['the secrets are no JSON', () => writeFile(inFolder('secrets.json'), '{"format'), /secrets\.json is damaged/],
  ['a secret was changed', () => exchangeLetters('secrets.json'), /secrets\.json does not fit secrets\.key/],
];

describe.each(damages)('while %s', (_kind, damage, told) => {
  beforeAll(async () => {
    await server.end();
    await damage();
    await start();
  });
  afterEach(repair);

  it('a login fails without telling why, the log tells it, the rest goes on, and all is well after the repair', async () => {
    const { status, body } = await logIn(server.url, password);
    expect(status).toBe(500);
    expect(body).toMatchObject({ type: '/problems/internal', status: 500 });
    expect(JSON.stringify(body)).not.toMatch(/secret|key|damaged/i);
    expect(logged.join('\n')).toMatch(told);

    price += 100;
    const { alertId } = await client.createAlert({
      condition: {
        type: 'price',
        venue: 'binance',
        symbol: 'BTC/USDT',
        operator: 'crosses_above',
        value: `${price - 1}`,
      },
      channels: ['email', 'webhook'],
    });
    venue.setPrice('BTC/USDT', String(price));
    const delivery = async (channel: string) => {
      const firing = (await client.history()).find((each) => each.alertId === alertId);
      return firing?.deliveries.find((each) => each.channel === channel);
    };
    await until('the mail', async () => (await delivery('email'))?.status === 'delivered');
    const webhook = await until('the webhook to fail', async () => {
      const found = await delivery('webhook');
      return found?.error ? found : undefined;
    });
    expect(webhook.status).toBe('pending');

    await repair();
    expect((await logIn(server.url, password)).status).toBe(200);
    const received = hooks.received.length;
    await until('the webhook', async () => {
      clock.leap(1_000);
      return hooks.received.length > received;
    });
    for (const line of logged) expect(line).not.toContain(password);
  });
});
