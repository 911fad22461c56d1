import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { Severity } from '#shared/model/severity';
import type { UserId } from '#shared/model/user-id';
import { type Item, type Key, keyOf, type Value } from '#shared/platform/table';

/** How far one channel is with a notification. */
export const Delivery = z.strictObject({
  channel: NotificationChannel,
  status: z.enum(['pending', 'sending', 'delivered', 'no-listener', 'failed']),
  at: z.int().nullable(),
  error: z.string().exactOptional(),
});
export type Delivery = z.infer<typeof Delivery>;

/** A condition of an alert. Its kinds are declared by the alerts, which this folder doesn't know. */
const FiredCondition = z.looseObject({ type: z.string() });

/** A notification as its owner sees it, with its deliveries. */
export const Notification = z.strictObject({
  notificationId: z.string(),
  alertId: z.string(),
  firedAt: z.int().describe('When it was observed, epoch milliseconds'),
  recordedAt: z.int().exactOptional().describe('In a replay: the time on the record, epoch milliseconds'),
  condition: FiredCondition.nullable(),
  venue: z.string().exactOptional(),
  symbol: z.string().exactOptional(),
  level: z.string().exactOptional().describe('The value of the condition that was reached'),
  value: z.string().describe('The observed value that reached it'),
  values: z
    .record(z.string(), z.string())
    .describe('The observed values of the condition by their series, such as price:<venue>:<symbol>'),
  message: z.string(),
  severity: Severity,
  deliveries: z.array(Delivery),
  acknowledgedAt: z.int().exactOptional(),
});
export type Notification = z.infer<typeof Notification>;

type FiredCondition = { readonly type: string; readonly [field: string]: Value | undefined };

/** A notification as it is stored. Its number in the owner's feed is its sort key, so that the feed is gapless and in order. */
export interface StoredNotification extends Item {
  readonly kind: 'notification';
  readonly userId: UserId;
  readonly seq: number;
  readonly notificationId: string;
  readonly alertId: string;
  /** When what it reports was observed, epoch ms. */
  readonly firedAt: number;
  /** The time of the value on the record, epoch ms, where it was played from a recording. */
  readonly recordedAt?: number;
  /** The alert's condition as it was when it fired; null: shape 1 did not keep it. */
  readonly condition: FiredCondition | null;
  readonly venue?: string;
  readonly symbol?: string;
  /** The value of the condition that was reached. */
  readonly level?: string;
  /** The observed value that reached it. */
  readonly value: string;
  /** The observed values of the condition by the names of their series. */
  readonly values: { readonly [series: string]: string };
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
  ...(stored.recordedAt !== undefined && { recordedAt: stored.recordedAt }),
  condition: stored.condition,
  ...(stored.venue !== undefined && { venue: stored.venue }),
  ...(stored.symbol !== undefined && { symbol: stored.symbol }),
  ...(stored.level !== undefined && { level: stored.level }),
  value: stored.value,
  values: stored.values,
  message: stored.message,
  severity: stored.severity,
  deliveries: NotificationChannel.options.flatMap((channel) => {
    const status = stored.deliveryStatus[channel];
    if (status === undefined) return [];
    const error = stored.deliveryError[channel];
    return { channel, status, at: stored.deliveryAt[channel] ?? null, ...(error === undefined ? {} : { error }) };
  }),
});
