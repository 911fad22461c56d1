import { createHmac } from 'node:crypto';
import { Unavailable } from '#shared/platform/errors';
import { notificationOf } from '../notification.ts';
import type { QueuedChannel } from './channel.ts';

const timeoutMs = 8_000;
/**
 * What users read about a failure. It is the same for every reason, because a webhook could otherwise be used to find
 * out which addresses and ports answer within the network of this machine; the reason is the error's cause, for the log.
 */
const notAccepted = 'The webhook did not accept the delivery';

/** POSTs the notification as signed JSON to the address in the user's settings. */
export const webhookChannel: QueuedChannel<'webhook'> = {
  name: 'webhook',
  validate: ({ webhookUrl }) =>
    webhookUrl === null ? 'Set webhookUrl with PUT /api/user/settings before you use the webhook channel.' : undefined,
  async send(notification, { userId, webhookUrl }, { config, network, clock, contacts }) {
    if (webhookUrl === null) throw new Unavailable('No webhook address is set.');
    const { deliveries: _, ...content } = notificationOf(notification);
    const body = JSON.stringify({ type: 'alert.fired', notification: content });
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'AlphaPulse',
      'x-alphapulse-delivery': notification.notificationId,
      'x-alphapulse-signature': signatureOf(body, await contacts.webhookSecret(userId), clock.now()),
    };
    const status = await network.post(webhookUrl, headers, body, timeoutMs).catch((cause) => {
      throw new Unavailable(`${notAccepted}.`, { cause });
    });
    if (status >= 200 && status <= 299) return;
    const cause = new Unavailable(`The webhook answered ${status}.`);
    // Where private addresses are refused, only a public host can have answered.
    const isPublic = !config.notifications.privateWebhooks;
    const answer = isPublic ? `: it answered with a status ${Math.floor(status / 100)}xx.` : '.';
    throw new Unavailable(`${notAccepted}${answer}`, { cause });
  },
};

/** A signature in the scheme of Stripe's webhooks: HMAC-SHA256 over time and body, so that a replay shows its age. */
const signatureOf = (body: string, secret: string, now: number): string => {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
};
