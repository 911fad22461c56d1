import { createHmac } from 'node:crypto';
import * as z from 'zod';
import type { Delivery } from '#shared/alerts/alert';
import { notificationKey, notificationOf, type StoredNotification } from '#shared/alerts/stored';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, DomainError, Unavailable } from '#shared/platform/errors';
import { Lease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { allOf, anyOf, equals, type Key } from '#shared/platform/table';
import { Users } from '#shared/users/users';
import { alertMail } from './channels/mail.ts';

/** Channels whose deliveries go through the queue; sockets are served from the stream. */
const queuedChannels = ['email', 'webhook'] as const;
type QueuedChannel = (typeof queuedChannels)[number];

/** One notification to be delivered by one channel, as it travels through the queue. */
export const DeliveryJob = z.object({ userId: z.string(), seq: z.int(), channel: z.enum(queuedChannels) });
export type DeliveryJob = z.infer<typeof DeliveryJob>;

/** How long one attempt may hold a delivery before another one may start, as after a crash. */
const claimSeconds = 60;
const claimOf = (channel: QueuedChannel) => new Lease({ since: `deliveryAt.${channel}` }, claimSeconds * 1000);
const webhookTimeoutMs = 8_000;
const errorLengthMax = 200;

type SenderPorts = Pick<
  Platform,
  'config' | 'table' | 'clock' | 'ids' | 'random' | 'secrets' | 'logger' | 'mailer' | 'network'
>;

/** Orders the queued deliveries of a new notification. Ordering twice is harmless: a delivery is made once. */
export const enqueueDeliveries = async (
  platform: Platform,
  { userId, seq, deliveryStatus }: StoredNotification,
): Promise<void> => {
  const channels = queuedChannels.filter((channel) => deliveryStatus[channel] !== undefined);
  const orders = channels.map((channel): DeliveryJob => ({ userId, seq, channel }));
  if (orders.length > 0)
    await platform.queue('deliveries').send(orders.map((order) => ({ body: JSON.stringify(order) })));
};

/** Another attempt holds the delivery. */
export class DeliveryHeld extends DomainError {
  readonly code = 'delivery-held';
  override readonly name = 'DeliveryHeld';
  /** How long its claim lasts at most. */
  readonly remainingMs: number;
  constructor(remainingMs: number) {
    super('Another attempt is under way.');
    this.remainingMs = remainingMs;
  }
}

/** Trying again would be of no use: the user has to do something first. */
class Undeliverable extends DomainError {
  readonly code = 'undeliverable';
  override readonly name = 'Undeliverable';
}

/** What an attempt holds while it lasts; the time it was taken tells it from others. */
interface Claim {
  readonly key: Key;
  readonly channel: QueuedChannel;
  readonly at: number;
}

/** Delivers notifications by mail and webhook. */
export class Deliveries {
  readonly #ports: SenderPorts;
  readonly #users: Users;
  /** On one machine nobody else delivers: a claim that is older than this process ended with the one before. */
  readonly #aloneSince: number;

  constructor(ports: SenderPorts) {
    this.#ports = ports;
    this.#users = new Users(ports);
    this.#aloneSince = ports.config.soleWriterSince;
  }

  /**
   * Delivers, once: a delivery that was made or is being made is left alone. The attempt holds a claim meanwhile, so that
   * two messages of the same order don't both send; after a crash the next attempt sends again under the same delivery id.
   * @param isLast whether a failure is final
   * @throws {DeliveryHeld} another attempt holds it, for so much longer
   * @throws the delivery failed and is to be tried again
   */
  async deliver({ userId, seq, channel }: DeliveryJob, isLast: boolean): Promise<void> {
    const key = notificationKey(userId as UserId, seq);
    const notification = await this.#claim(key, channel);
    if (notification === undefined) return;
    const claim = { key, channel, at: notification.deliveryAt[channel] ?? 0 };
    try {
      await this.#send(notification, channel);
    } catch (error) {
      const why = error instanceof DomainError ? error.message : 'The delivery failed.';
      const isFinal = isLast || error instanceof Undeliverable;
      await this.#settle(claim, isFinal ? 'failed' : 'pending', why.slice(0, errorLengthMax));
      if (error instanceof Undeliverable) return;
      throw error;
    }
    await this.#settle(claim, 'delivered');
  }

  async #claim(key: Key, channel: QueuedChannel): Promise<StoredNotification | undefined> {
    const { table, clock } = this.#ports;
    const status = `deliveryStatus.${channel}`;
    const at = `deliveryAt.${channel}`;
    const isFree = anyOf(
      equals(status, 'pending'),
      // Its order was sent back from the dead letters.
      equals(status, 'failed'),
      allOf(equals(status, 'sending'), claimOf(channel).isFree(clock.now(), this.#aloneSince)),
    );
    try {
      return await table.update<StoredNotification>(key, { set: { [status]: 'sending', [at]: clock.now() } }, isFree);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return this.#heldElsewhere(key, channel);
    }
  }

  /** A delivery that another attempt holds may yet fail with it, so its message stays; one that is settled is done. */
  async #heldElsewhere(key: Key, channel: QueuedChannel): Promise<undefined> {
    const { table, clock } = this.#ports;
    const stored = await table.get<StoredNotification>(key, { consistent: true });
    if (stored?.deliveryStatus[channel] !== 'sending') return;
    throw new DeliveryHeld(claimOf(channel).remainingMs(stored, clock.now()));
  }

  async #send(notification: StoredNotification, channel: QueuedChannel): Promise<void> {
    const { mailer, network, clock } = this.#ports;
    const { email, emailVerified, settings } = await this.#users.profile(notification.userId);
    if (channel === 'email') {
      if (!emailVerified) throw new Undeliverable('The mail address is not verified.');
      return await mailer.send(alertMail(notification, email));
    }
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

  /** Writes down how an attempt ended, unless its claim ended first and another attempt took over. */
  async #settle({ key, channel, at }: Claim, status: Delivery['status'], error?: string): Promise<void> {
    const told = { [`deliveryStatus.${channel}`]: status, [`deliveryAt.${channel}`]: this.#ports.clock.now() };
    const why = `deliveryError.${channel}`;
    const isHeld = allOf(equals(`deliveryStatus.${channel}`, 'sending'), equals(`deliveryAt.${channel}`, at));
    try {
      const changes = error === undefined ? { set: told, remove: [why] } : { set: { ...told, [why]: error } };
      await this.#ports.table.update(key, changes, isHeld);
    } catch (failure) {
      if (!(failure instanceof ConditionFailed)) throw failure;
    }
  }
}

/** A signature as Stripe's webhooks have it: HMAC-SHA256 over the time and the body, so that a replay shows its age. */
export const signatureOf = (body: string, secret: string, now: number): string => {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
};
