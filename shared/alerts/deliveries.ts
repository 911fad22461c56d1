import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { ConditionFailed, DomainError, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, anyOf, equals } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import { Users } from '#shared/users/users';
import type { Delivery } from './alert.ts';
import { alertMail } from './mail.ts';
import { notificationKey, notificationOf, type StoredNotification } from './stored.ts';

/** Channels whose deliveries go through the queue; sockets are served from the stream. */
const queuedChannels = ['email', 'webhook'] as const;
type QueuedChannel = (typeof queuedChannels)[number];

/** One notification to be delivered by one channel, as it travels through the queue. */
export const DeliveryOrder = z.object({ userId: z.string(), seq: z.int(), channel: z.enum(queuedChannels) });
export type DeliveryOrder = z.infer<typeof DeliveryOrder>;

/** How long one attempt may hold a delivery before another one may start, as after a crash. */
const claimSeconds = 60;
const webhookTimeoutMs = 8_000;
const errorLengthMax = 200;

type SenderPorts = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'secrets' | 'mailer' | 'network'>;

/** Orders the queued deliveries of a new notification. Ordering twice is harmless: a delivery is made once. */
export const orderDeliveries = async (
  platform: Platform,
  { userId, seq, deliveryStatus }: StoredNotification,
): Promise<void> => {
  const channels = queuedChannels.filter((channel) => deliveryStatus[channel] !== undefined);
  const orders = channels.map((channel): DeliveryOrder => ({ userId, seq, channel }));
  if (orders.length > 0)
    await platform.queue('deliveries').send(orders.map((order) => ({ body: JSON.stringify(order) })));
};

/** Delivers notifications by mail and webhook. */
export class Deliveries {
  readonly #ports: SenderPorts;
  readonly #users: Users;

  constructor(ports: SenderPorts) {
    this.#ports = ports;
    this.#users = new Users(ports);
  }

  /**
   * Delivers, once: a delivery that was made or is being made is left alone. The attempt holds a claim meanwhile, so that
   * two messages of the same order don't both send; after a crash the next attempt sends again under the same delivery id.
   * @param isLast whether a failure is final
   * @throws {DomainError} the delivery failed and is to be tried again
   */
  async deliver({ userId, seq, channel }: DeliveryOrder, isLast: boolean): Promise<void> {
    const key = notificationKey(userId as UserId, seq);
    const notification = await this.#claim(key, channel);
    if (notification === undefined) return;
    try {
      await this.#send(notification, channel);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      await this.#settle(key, channel, isLast ? 'failed' : 'pending', error.message.slice(0, errorLengthMax));
      throw error;
    }
    await this.#settle(key, channel, 'delivered');
  }

  async #claim(
    key: ReturnType<typeof notificationKey>,
    channel: QueuedChannel,
  ): Promise<StoredNotification | undefined> {
    const { table, clock } = this.#ports;
    const status = `deliveryStatus.${channel}`;
    const at = `deliveryAt.${channel}`;
    const isFree = anyOf(
      equals(status, 'pending'),
      allOf(equals(status, 'sending'), { path: at, is: '<', value: clock.now() - claimSeconds * 1000 }),
    );
    try {
      return await table.update<StoredNotification>(key, { set: { [status]: 'sending', [at]: clock.now() } }, isFree);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return this.#heldElsewhere(key, channel);
    }
  }

  /** A delivery that another attempt holds may yet fail with it, so its message stays; one that is settled is done. */
  async #heldElsewhere(key: ReturnType<typeof notificationKey>, channel: QueuedChannel): Promise<undefined> {
    const stored = await this.#ports.table.get<StoredNotification>(key, { consistent: true });
    if (stored?.deliveryStatus[channel] === 'sending') throw new Unavailable('Another attempt is under way.');
  }

  async #send(notification: StoredNotification, channel: QueuedChannel): Promise<void> {
    const { mailer, network, clock } = this.#ports;
    const { email, settings } = await this.#users.profile(notification.userId);
    if (channel === 'email') return await mailer.send(alertMail(notification, email));
    if (settings.webhookUrl === null) throw new Unavailable('No webhook address is set.');
    const { deliveries: _, ...firing } = notificationOf(notification);
    const body = JSON.stringify({ type: 'alert.fired', notification: firing });
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'AlphaPulse',
      'x-alphapulse-delivery': notification.notificationId,
      'x-alphapulse-signature': signatureOf(body, await this.#users.webhookSecret(notification.userId), clock.now()),
    };
    const status = await network.post(settings.webhookUrl, headers, body, webhookTimeoutMs);
    if (status < 200 || status > 299) throw new Unavailable(`The webhook answered ${status}.`);
  }

  async #settle(
    key: ReturnType<typeof notificationKey>,
    channel: QueuedChannel,
    status: Delivery['status'],
    error?: string,
  ): Promise<void> {
    const told = { [`deliveryStatus.${channel}`]: status, [`deliveryAt.${channel}`]: this.#ports.clock.now() };
    const why = `deliveryError.${channel}`;
    await this.#ports.table.update(
      key,
      error === undefined ? { set: told, remove: [why] } : { set: { ...told, [why]: error } },
    );
  }
}

/** A signature as Stripe's webhooks have it: HMAC-SHA256 over the time and the body, so that a replay shows its age. */
export const signatureOf = (body: string, secret: string, now: number): string => {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
};
