import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { Severity } from '#shared/model/severity';
import type { UserId } from '#shared/model/user-id';
import { type Item, type Key, keyOf } from '#shared/platform/table';

/** How far one channel is with a notification. */
export const Delivery = z.strictObject({
  channel: NotificationChannel,
  status: z.enum(['pending', 'sending', 'delivered', 'no-listener', 'failed']),
  at: z.int().nullable(),
  error: z.string().exactOptional(),
});
export type Delivery = z.infer<typeof Delivery>;

/** A notification as its owner sees it, with its deliveries. */
export const Notification = z
  .strictObject({
    notificationId: z.string(),
    alertId: z.string(),
    firedAt: z.int(),
    value: z.string(),
    message: z.string(),
    severity: Severity,
    deliveries: z.array(Delivery),
    acknowledgedAt: z.int().exactOptional(),
  })
  .meta({ id: 'Notification' });
export type Notification = z.infer<typeof Notification>;

/** A notification as it is stored. Its number in the owner's feed is its sort key, so that the feed is gapless and in order. */
export interface StoredNotification extends Item {
  readonly kind: 'notification';
  readonly userId: UserId;
  readonly seq: number;
  readonly notificationId: string;
  readonly alertId: string;
  /** When what it reports was observed, epoch ms. */
  readonly firedAt: number;
  readonly value: string;
  readonly message: string;
  readonly severity: Severity;
  /** The state of each channel: one map per attribute, so that an attempt updates only its own channel. */
  readonly deliveryStatus: { readonly [channel in NotificationChannel]?: Delivery['status'] };
  readonly deliveryAt: { readonly [channel in NotificationChannel]?: number };
  readonly deliveryError: { readonly [channel in NotificationChannel]?: string };
}

/** Counts a user's notifications: the number of the newest one. */
export interface NotificationFeed extends Item {
  readonly kind: 'feed';
  readonly seq: number;
}

const partition = (userId: UserId) => keyOf('USER', userId);
export const notificationPrefix = 'NOTIFICATION#';
const seqDigits = 12;

export const feedKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'FEED' });
export const notificationKey = (userId: UserId, seq: number): Key => ({
  pk: partition(userId),
  sk: keyOf('NOTIFICATION', String(seq).padStart(seqDigits, '0')),
});

export const notificationOf = (stored: StoredNotification): Notification => ({
  notificationId: stored.notificationId,
  alertId: stored.alertId,
  firedAt: stored.firedAt,
  value: stored.value,
  message: stored.message,
  severity: stored.severity,
  deliveries: NotificationChannel.options.flatMap((channel) => {
    const status = stored.deliveryStatus[channel];
    if (status === undefined) return [];
    const error = stored.deliveryError[channel];
    return { channel, status, at: stored.deliveryAt[channel] ?? null, ...(error === undefined ? {} : { error }) };
  }),
});
