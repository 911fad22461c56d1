import { NotificationChannel } from '#shared/model/channels';
import type { UserId } from '#shared/model/user-id';
import type { Clock } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { Alert, AlertStatus, Delivery, Notification, PriceCondition } from './alert.ts';

/** An alert as it is stored, in its owner's partition. */
export interface StoredAlert extends Item {
  readonly kind: 'alert';
  readonly userId: UserId;
  readonly alertId: string;
  readonly version: number;
  readonly name: string | null;
  readonly condition: PriceCondition;
  readonly channels: readonly NotificationChannel[];
  readonly severity: Alert['severity'];
  readonly repeat: Alert['repeat'];
  readonly cooldownSeconds: number;
  /** `expiresAt` of the alert; the attribute of that name would have the table remove the item. */
  readonly endsAt: number | null;
  readonly status: AlertStatus;
  /** Where it stands in the crossing index, and since when; null when it waits for nothing. */
  readonly level: { readonly pk: string; readonly sk: string; readonly seen: number } | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastFiredAt: number | null;
  readonly firedCount: number;
}

/** A firing as it is stored. Its number in the owner's feed is its sort key, so that the feed is gapless and in order. */
export interface StoredNotification extends Item {
  readonly kind: 'notification';
  readonly userId: UserId;
  readonly seq: number;
  readonly notificationId: string;
  readonly alertId: string;
  readonly firedAt: number;
  readonly value: string;
  readonly message: string;
  readonly severity: Alert['severity'];
  /** How far each channel is: a map each, so that an attempt can change what is its own. */
  readonly deliveryStatus: { readonly [channel in NotificationChannel]?: Delivery['status'] };
  readonly deliveryAt: { readonly [channel in NotificationChannel]?: number };
  readonly deliveryError: { readonly [channel in NotificationChannel]?: string };
}

/** Counts a user's firings: the number of the newest one. */
export interface NotificationFeed extends Item {
  readonly kind: 'feed';
  readonly seq: number;
}

const partition = (userId: UserId) => keyOf('USER', userId);
export const alertPrefix = 'ALERT#';
export const notificationPrefix = 'NOTIFICATION#';
const seqDigits = 12;

export const alertKey = (userId: UserId, alertId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ALERT', alertId),
});
export const feedKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'FEED' });
export const alertCountKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'ALERT_COUNT' });
export const notificationKey = (userId: UserId, seq: number): Key => ({
  pk: partition(userId),
  sk: keyOf('NOTIFICATION', String(seq).padStart(seqDigits, '0')),
});

export const hasEnded = (alert: Pick<StoredAlert, 'endsAt'>, now: number): boolean =>
  alert.endsAt !== null && alert.endsAt <= now;

/** Whether it fired so recently that it must not fire again yet. */
export const coolsDown = (alert: Pick<StoredAlert, 'lastFiredAt' | 'cooldownSeconds'>, now: number): boolean =>
  alert.lastFiredAt !== null && now < alert.lastFiredAt + alert.cooldownSeconds * 1000;

export const alertOf = (stored: StoredAlert, clock: Clock): Alert => ({
  alertId: stored.alertId,
  version: stored.version,
  name: stored.name,
  condition: stored.condition,
  channels: [...stored.channels],
  severity: stored.severity,
  repeat: stored.repeat,
  cooldownSeconds: stored.cooldownSeconds,
  expiresAt: stored.endsAt,
  status: stored.status === 'active' && hasEnded(stored, clock.now()) ? 'expired' : stored.status,
  createdAt: stored.createdAt,
  updatedAt: stored.updatedAt,
  lastFiredAt: stored.lastFiredAt,
  firedCount: stored.firedCount,
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
