import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '#shared/alerts/alert';
import type { PriceCondition } from '#shared/alerts/conditions/price';
import type { Notification } from '#shared/notifications/notification';
import type { OutboxMail } from '#shared/platform/sqlite/outbox';
import { ApiClient } from '../support/client.ts';
import { type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.ts';
import { SocketClient, type SocketMessage } from '../support/socket-client.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const seed = 20_260_101;
const roundsMax = 18;
/** No further round begins after this time. */
const roundsMs = 12_000;
const killWithinMs = 100;
const alertsPerRound = 4;
const settleMs = 15_000;

/** Mulberry32: the same moments in every run. */
const randomFrom = (state: number) => (): number => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const folder = await temporaryFolder();
const random = randomFrom(seed);
let venue: BinanceDouble;
let hooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
let webhookSecret: string;
let server: ServerProcess;
let client: ApiClient;
let socket: SocketClient;
let price = 60_000;
/** What clients were told: alerts that were confirmed, those of them whose level the price went through, and updates. */
const confirmed: string[] = [];
const crossed: string[] = [];
const updates: SocketMessage[] = [];

const lastSeq = (): number => Math.max(0, ...[...updates, ...socket.updates('alerts')].map(({ seq }) => seq ?? 0));

const start = async (): Promise<void> => {
  server = await startServerProcess(folder.path, ['--venue', 'binance', '--symbols', 'BTC/USDT'], {
    ALPHAPULSE_VENUE_URLS: JSON.stringify({ binance: venue.url }),
    ALPHAPULSE_SYNC_SECONDS: '0.05',
  });
};

const listen = async (since: number): Promise<void> => {
  client = new ApiClient(server.url, client.token, folder.path);
  socket = await SocketClient.open(server.webSocketUrl, client.token);
  await socket.subscribe(['alerts'], { alerts: since });
};

const kill = async (): Promise<void> => {
  await Promise.all([server.end('SIGKILL'), socket.closed]);
};

const restart = async (): Promise<void> => {
  await start();
  const since = lastSeq();
  updates.push(...socket.updates('alerts'));
  await listen(since);
  await until('the firings of the rounds so far', () => told().length >= crossed.length);
};

const told = (): SocketMessage[] => [...updates, ...socket.updates('alerts')];

const condition = (value: number, operator: PriceCondition['operator'] = 'crosses_above') =>
  ({ type: 'price', venue: 'binance', symbol: 'BTC/USDT', operator, value: String(value) }) as const;

/** Sets alerts that no price reaches, one after the other, until the server is gone. */
const setBystanders = async (): Promise<void> => {
  for (;;) {
    const answer = await client
      .send('POST', '/api/alerts/create', { condition: condition(9e6) })
      .catch(() => undefined);
    if (answer?.status !== 201) return;
    confirmed.push((answer.body as Alert).alertId);
  }
};

const round = async (crossesWhileDown: boolean): Promise<void> => {
  await client.priceIs('BTC/USDT', String(price));
  const channels: Alert['channels'] = ['websocket', 'email', 'webhook'];
  const alerts = await Promise.all(
    Array.from({ length: alertsPerRound }, (_, index) =>
      client.createAlert({ condition: condition(price + 10 + index, index % 2 ? 'above' : 'crosses_above'), channels }),
    ),
  );
  confirmed.push(...alerts.map(({ alertId }) => alertId));
  crossed.push(...alerts.map(({ alertId }) => alertId));
  price += 100;
  const bystanders = setBystanders();
  if (!crossesWhileDown) venue.setPrice('BTC/USDT', String(price));
  await pause(random() * killWithinMs);
  await kill();
  await bystanders;
  if (crossesWhileDown) venue.setPrice('BTC/USDT', String(price));
};

describe('a server that is killed at any moment, again and again', () => {
  let firings: Notification[];
  let mails: OutboxMail[];
  let alerts: Alert[];

  beforeAll(
    async () => {
      [venue, hooks] = await Promise.all([startBinance(), startWebhookReceiver()]);
      venue.setPrice('BTC/USDT', String(price));
      await start();
      client = await ApiClient.of(server, folder.path);
      webhookSecret = await client.useWebhook(hooks.url);
      await listen(0);
      const startedAt = performance.now();
      for (let number = 0; number < roundsMax && performance.now() < startedAt + roundsMs; number++) {
        await round(number % 4 === 3);
        await restart();
      }
      const isSettled = ({ deliveries }: Notification) =>
        deliveries.every(({ channel, status }) => channel === 'websocket' || status === 'delivered');
      firings = await until(
        'every mail and webhook',
        async () => {
          const found = await client.history();
          return found.length >= crossed.length && found.every(isSettled) && found;
        },
        settleMs,
      );
      [mails, alerts] = [await client.outbox(), await client.alerts()];
    },
    roundsMs + settleMs + 20_000,
  );

  afterAll(async () => {
    socket?.end();
    await server?.end('SIGKILL');
    await venue?.close();
    hooks?.close();
    await folder.remove();
  });

  it('has every alert that it confirmed', () => {
    const known = new Set(alerts.map(({ alertId }) => alertId));
    expect(confirmed.filter((alertId) => !known.has(alertId))).toEqual([]);
  });

  it('has the audit entry of every alert that is there, and of no other', async () => {
    const entries = await client.trail('config.alert-created');
    expect(entries.map(({ target }) => target?.id).toSorted()).toEqual(alerts.map(({ alertId }) => alertId).toSorted());
  });

  it('fires each alert whose level was passed once, also while it was down', () => {
    expect(firings.map(({ alertId }) => alertId).toSorted()).toEqual(crossed.toSorted());
  });

  it('marks each of them as triggered, once', () => {
    const fired = alerts.filter(({ alertId }) => crossed.includes(alertId));
    expect(fired.filter(({ status, firedCount }) => status !== 'triggered' || firedCount !== 1)).toEqual([]);
  });

  it('sends one mail for each firing', () => {
    expect(mails.map(({ id }) => id).toSorted()).toEqual(
      firings.map(({ notificationId }) => notificationId).toSorted(),
    );
  });

  it('tells a socket that comes back each firing once, in order', () => {
    const numbers = told().map(({ seq }) => seq);
    expect(numbers).toEqual(crossed.map((_, index) => index + 1));
    expect(
      told()
        .map(({ data }) => (data as Notification).alertId)
        .toSorted(),
    ).toEqual(crossed.toSorted());
  });

  it('calls the webhook for each firing, under one delivery id however often it calls', () => {
    const deliveryOf = new Map<string, Set<string>>();
    for (const { delivery, body } of hooks.received) {
      const { notification } = JSON.parse(body) as { notification: Notification };
      const known = deliveryOf.get(notification.alertId) ?? new Set();
      deliveryOf.set(notification.alertId, known.add(delivery));
    }
    expect([...deliveryOf.keys()].toSorted()).toEqual(crossed.toSorted());
    expect([...deliveryOf.values()].filter(({ size }) => size !== 1)).toEqual([]);
  });

  it('signs every webhook', () => {
    const wrong = hooks.received.filter(({ signature, body }) => {
      const [, time = '', mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
      return mac !== createHmac('sha256', webhookSecret).update(`${time}.${body}`).digest('hex');
    });
    expect(wrong).toEqual([]);
  });
});
