import * as z from 'zod';
import { Contacts } from '#shared/identity/contacts';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, DomainError } from '#shared/platform/errors';
import { Lease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { allOf, anyOf, equals, type Item, type Key } from '#shared/platform/table';
import { Undeliverable } from './channels/channel.ts';
import { QUEUED_CHANNEL_NAMES, type QueuedChannelName, queuedChannelOf } from './channels/channels.ts';
import { notificationKind } from './items.ts';
import { type Delivery, notificationKey, type StoredNotification } from './notification.ts';

/** The delivery of one notification over one channel, as it travels through the queue. */
export const DeliveryJob = z.object({ userId: z.string(), seq: z.int(), channel: z.enum(QUEUED_CHANNEL_NAMES) });
export type DeliveryJob = z.infer<typeof DeliveryJob>;

/** How long one attempt may claim a delivery. After a crash another attempt may start when the claim has expired. */
const claimMs = 60_000;
const claimOf = (channel: QueuedChannelName) => new Lease({ since: `deliveryAt.${channel}` }, claimMs);
const errorLengthMax = 200;

type SenderPorts = Pick<Platform, 'config' | 'table' | 'clock' | 'random' | 'secrets' | 'mailer' | 'network'>;

/** Queues the deliveries of a new notification. Queueing them twice is harmless: each delivery is made once. */
export const enqueueDeliveries = async (
  platform: Pick<Platform, 'queue'>,
  { userId, seq, deliveryStatus }: StoredNotification,
): Promise<void> => {
  const channels = QUEUED_CHANNEL_NAMES.filter((channel) => deliveryStatus[channel] !== undefined);
  if (channels.length === 0) return;
  const jobs = channels.map((channel): DeliveryJob => ({ userId, seq, channel }));
  await platform.queue('deliveries').send(jobs.map((job) => ({ body: JSON.stringify(job) })));
};

/** Another attempt has claimed the delivery. */
export class DeliveryClaimed extends DomainError {
  readonly code = 'delivery-claimed';
  override readonly name = 'DeliveryClaimed';
  /** Until that claim expires, ms. */
  readonly remainingMs: number;
  constructor(remainingMs: number) {
    super('Another attempt has claimed the delivery.');
    this.remainingMs = remainingMs;
  }
}

/** An attempt's claim on a delivery; the time it was made identifies it. */
interface Claim {
  readonly key: Key;
  readonly channel: QueuedChannelName;
  readonly claimedAt: number;
}

/** Delivers notifications over the queued channels. */
export class Deliveries {
  readonly #ports: SenderPorts;
  readonly #contacts: Contacts;
  /** On one machine this process is the only worker: a claim older than it was left behind by the process before. */
  readonly #soleWorkerSince: number;

  constructor(ports: SenderPorts) {
    this.#ports = ports;
    this.#contacts = new Contacts(ports);
    this.#soleWorkerSince = ports.config.soleWriterSince;
  }

  /**
   * Makes a delivery, once: one that is done is skipped. The attempt claims it first, so that two messages of the same
   * job don't both send; after a crash the next attempt sends again under the same delivery id.
   * @param isLast whether a failure is final
   * @throws {DeliveryClaimed} another attempt is working on it
   * @throws the failure, where the delivery is to be retried
   */
  async deliver({ userId, seq, channel }: DeliveryJob, isLast: boolean): Promise<void> {
    const key = notificationKey(userId as UserId, seq);
    const notification = await this.#claim(key, channel);
    if (notification === undefined) return;
    const claim = { key, channel, claimedAt: notification.deliveryAt[channel] ?? 0 };
    try {
      const contact = await this.#contacts.of(notification.userId);
      await queuedChannelOf[channel].send(notification, contact, { ...this.#ports, contacts: this.#contacts });
    } catch (error) {
      const reason = error instanceof DomainError ? error.message : 'The delivery failed.';
      const isFinal = isLast || error instanceof Undeliverable;
      await this.#settle(claim, isFinal ? 'failed' : 'pending', reason.slice(0, errorLengthMax));
      if (error instanceof Undeliverable) return;
      throw error;
    }
    await this.#settle(claim, 'delivered');
  }

  async #claim(key: Key, channel: QueuedChannelName): Promise<StoredNotification | undefined> {
    const { table, clock } = this.#ports;
    const status = `deliveryStatus.${channel}`;
    const at = `deliveryAt.${channel}`;
    const isFree = anyOf(
      equals(status, 'pending'),
      // Its job was sent back from the dead letters.
      equals(status, 'failed'),
      allOf(equals(status, 'sending'), claimOf(channel).isFree(clock.now(), this.#soleWorkerSince)),
    );
    try {
      const claimed = { set: { [status]: 'sending', [at]: clock.now() } };
      return notificationKind.read(await table.update<Item>(key, claimed, isFree));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return this.#claimedElsewhere(key, channel);
    }
  }

  /** The attempt that has claimed a delivery may still fail, so this message stays queued; a settled delivery needs no more. */
  async #claimedElsewhere(key: Key, channel: QueuedChannelName): Promise<undefined> {
    const { table, clock } = this.#ports;
    const stored = await table.get<StoredNotification>(key, { consistent: true });
    if (stored?.deliveryStatus[channel] !== 'sending') return;
    throw new DeliveryClaimed(claimOf(channel).remainingMs(stored, clock.now()));
  }

  /** Records the outcome of an attempt, unless its claim had expired and another attempt took over. */
  async #settle({ key, channel, claimedAt }: Claim, status: Delivery['status'], error?: string): Promise<void> {
    const outcome = { [`deliveryStatus.${channel}`]: status, [`deliveryAt.${channel}`]: this.#ports.clock.now() };
    const reason = `deliveryError.${channel}`;
    const isOurs = allOf(equals(`deliveryStatus.${channel}`, 'sending'), equals(`deliveryAt.${channel}`, claimedAt));
    const changes = error === undefined ? { set: outcome, remove: [reason] } : { set: { ...outcome, [reason]: error } };
    try {
      await this.#ports.table.update(key, changes, isOurs);
    } catch (failure) {
      if (!(failure instanceof ConditionFailed)) throw failure;
    }
  }
}
