import type { Wait } from '#shared/market/crossing-entry';
import type { NotificationChannel } from '#shared/model/channels';
import type { UserId } from '#shared/model/user-id';
import type { Clock } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { Alert, AlertStatus, StoredAlertStatus, Waiting } from './alert.ts';
import type { Condition } from './conditions/conditions.ts';

/** An alert as it is stored, in its owner's partition. */
export interface StoredAlert extends Item {
  readonly kind: 'alert';
  readonly userId: UserId;
  readonly alertId: string;
  readonly version: number;
  readonly name: string | null;
  readonly condition: Condition;
  readonly channels: readonly NotificationChannel[];
  readonly severity: Alert['severity'];
  readonly repeat: Alert['repeat'];
  readonly cooldownSeconds: number;
  /** `expiresAt` of the alert; the attribute of that name would have the table remove the item. */
  readonly endsAt: number | null;
  readonly status: StoredAlertStatus;
  /** Its entries in the crossing index; none while it waits for nothing. */
  readonly waits: readonly Wait[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastFiredAt: number | null;
  readonly firedCount: number;
}

const partition = (userId: UserId) => keyOf('USER', userId);
export const alertPrefix = 'ALERT#';

export const alertKey = (userId: UserId, alertId: string): Key => ({
  pk: partition(userId),
  sk: keyOf('ALERT', alertId),
});
export const alertCountKey = (userId: UserId): Key => ({ pk: partition(userId), sk: 'ALERT_COUNT' });

export const hasEnded = (alert: Pick<StoredAlert, 'endsAt'>, now: number): boolean =>
  alert.endsAt !== null && alert.endsAt <= now;

/** Whether it fired so recently that it must not fire again yet. */
export const coolsDown = (alert: Pick<StoredAlert, 'lastFiredAt' | 'cooldownSeconds'>, now: number): boolean =>
  alert.lastFiredAt !== null && now < alert.lastFiredAt + alert.cooldownSeconds * 1000;

/** Whether it is to fire again, or at all, before it ends. */
export const isActive = (alert: StoredAlert, now: number): boolean =>
  alert.status === 'active' && !hasEnded(alert, now);

/**
 * The alert as its owner sees it.
 * @param waiting what it waits for if it is active; undefined where nothing is missing, or where that is not looked at
 */
export const alertOf = (stored: StoredAlert, clock: Clock, waiting?: Waiting): Alert => ({
  alertId: stored.alertId,
  version: stored.version,
  name: stored.name,
  condition: stored.condition,
  channels: [...stored.channels],
  severity: stored.severity,
  repeat: stored.repeat,
  cooldownSeconds: stored.cooldownSeconds,
  expiresAt: stored.endsAt,
  status: statusOf(stored, clock.now(), waiting),
  ...(waiting !== undefined && isActive(stored, clock.now()) ? waiting : {}),
  createdAt: stored.createdAt,
  updatedAt: stored.updatedAt,
  lastFiredAt: stored.lastFiredAt,
  firedCount: stored.firedCount,
});

const statusOf = (stored: StoredAlert, now: number, waiting: Waiting | undefined): AlertStatus => {
  if (!isActive(stored, now)) return stored.status === 'active' ? 'expired' : stored.status;
  return waiting === undefined ? 'active' : 'waiting';
};
