import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '#shared/alerts/alert';
import type { Delivery, Notification } from '#shared/notifications/notification';
import type { SocketClient } from '../support/socket-client.ts';
import { eventually, limitOf, mailsTo, only, setPrice, target } from './target.ts';
import { newUser, openSocket, verifyEmail } from './user.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

const symbol = 'ETH/USDT';
const condition = { type: 'price', venue: 'binance', symbol, operator: 'crosses_above', value: '3300' } as const;
const [belowLevel, aboveLevel] = ['3200', '3350.5'];

const receiver = await startWebhookReceiver();
let user: Awaited<ReturnType<typeof newUser>>;
let socket: SocketClient;
let secret: string;
let alert: Alert;

/** The mails about a firing. */
const alertMails = async () => (await mailsTo(user.email)).filter(({ subject }) => subject.includes(symbol));

/** Moves the price and waits until the system knows it. */
const priceIs = async (price: string): Promise<void> => {
  await setPrice(symbol, price);
  await eventually(`${symbol} at ${price}`, async () =>
    (await user.client.prices()).some((ticker) => ticker.symbol === symbol && ticker.last === price),
  );
};

const firing = (): Promise<Notification> =>
  eventually('the firing', async () => (await user.client.history()).find(({ alertId }) => alertId === alert.alertId));

/** The delivery by a channel, once it is as wanted. */
const delivery = (channel: Delivery['channel'], wanted: (delivery: Delivery) => boolean): Promise<Delivery> =>
  eventually(`the delivery by ${channel}`, async () =>
    (await firing()).deliveries.find((made) => made.channel === channel && wanted(made)),
  );
const isOver = ({ status }: Delivery): boolean => status !== 'pending' && status !== 'sending';

beforeAll(async () => {
  user = await newUser();
  await verifyEmail(user.email);
  // On AWS only https is called at all.
  secret = await user.client.useWebhook(`${target.runtime === 'aws' ? 'https' : 'http'}://${receiver.authority}/hook`);
  socket = await openSocket(user.token);
  await socket.subscribe(['alerts']);
  await priceIs(belowLevel);
  alert = await user.client.createAlert({ name: 'up', condition, channels: ['websocket', 'email', 'webhook'] });
  await setPrice(symbol, aboveLevel);
  await firing();
});
afterAll(() => {
  socket?.end();
  receiver.close();
});

describe('an alert that a change at the venue fires', () => {
  it('is in the history with its condition and the price that fired it', async () =>
    expect(await firing()).toMatchObject({
      ...{ condition, venue: condition.venue, symbol, level: condition.value, value: aboveLevel, severity: 'info' },
      values: { [`price:${condition.venue}:${symbol}`]: aboveLevel },
    }));

  it('is found in the history by the alert and the time', async () => {
    const { firedAt, notificationId } = await firing();
    const path = `/api/alerts/history?alertId=${alert.alertId}&from=${firedAt}&to=${firedAt}`;
    expect(await user.client.get(path)).toMatchObject({ items: [{ notificationId }], nextCursor: null });
  });

  it('is triggered', async () =>
    expect(await user.client.alerts()).toMatchObject([{ alertId: alert.alertId, status: 'triggered', firedCount: 1 }]));

  it('reaches a socket that listens', async () => {
    const update = await eventually('the firing', () => socket.updates('alerts')[0]);
    expect(update.data).toMatchObject({ alertId: alert.alertId, condition, level: condition.value, value: aboveLevel });
    expect(await delivery('websocket', isOver)).toMatchObject({ status: 'delivered' });
  });

  it('reaches the mailbox', async () => {
    expect(await delivery('email', isOver)).toMatchObject({ status: 'delivered' });
    expect(await alertMails()).toMatchObject([{ text: expect.stringContaining(aboveLevel) }]);
  });

  limitOf('aws', 'webhooks go to public addresses by https alone, and this suite has none')(
    'reaches the webhook, signed',
    async () => {
      expect(await delivery('webhook', isOver)).toMatchObject({ status: 'delivered' });
      const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
      const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-alphapulse-signature'])) ?? [];
      expect(v1).toBe(createHmac('sha256', secret).update(`${t}.${body}`).digest('hex'));
      const { notificationId } = await firing();
      expect(headers['x-alphapulse-delivery']).toBe(notificationId);
      expect(JSON.parse(body)).toMatchObject({ notification: { notificationId, condition, value: aboveLevel } });
    },
  );

  only('aws')('does not call a webhook at a private address, and says so', async () => {
    const { error } = await delivery('webhook', (made) => made.error !== undefined);
    expect(error).toBe('The webhook did not accept the delivery.');
    expect(receiver.received).toEqual([]);
  });

  it("is not in another user's history", async () => {
    await firing();
    expect(await (await newUser()).client.history()).toEqual([]);
  });

  it('does not fire again when the price comes back and passes once more', async () => {
    await priceIs(belowLevel);
    const witness = await user.client.createAlert({ condition });
    await setPrice(symbol, '3360');
    const history = await eventually('the firing of another alert', async () => {
      const found = await user.client.history();
      return found.some(({ alertId }) => alertId === witness.alertId) && found;
    });
    expect(history).toHaveLength(2);
  });

  it('reached socket, mailbox and webhook once', async () => {
    const { notificationId } = await firing();
    const pushed = socket
      .updates('alerts')
      .filter(({ data }) => (data as Notification).notificationId === notificationId);
    const mails = await alertMails();
    expect([pushed.length, mails.length, receiver.received.length]).toEqual([1, 1, target.runtime === 'aws' ? 0 : 1]);
  });
});
