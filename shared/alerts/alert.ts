import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { Severity } from '#shared/model/severity';
import { Notification } from '#shared/notifications/notification';
import { Condition } from './conditions/conditions.ts';

/** Most alerts one user may have. */
export const ALERTS_PER_USER_MAX = 1000;

export const AlertId = z.uuid();

const cooldownSecondsMax = 30 * 86_400;
const fields = {
  name: z.string().trim().min(1).max(100),
  condition: Condition,
  channels: z
    .array(NotificationChannel)
    .min(1)
    .max(NotificationChannel.options.length)
    .refine((channels) => new Set(channels).size === channels.length, 'must not name a channel twice'),
  severity: Severity,
  repeat: z.enum(['once', 'always']),
  cooldownSeconds: z.int().min(0).max(cooldownSecondsMax),
  expiresAt: z.int().min(0).max(8.64e15).nullable(),
};
export const NewAlert = z.strictObject({
  condition: fields.condition,
  name: fields.name.exactOptional(),
  channels: fields.channels.default(['websocket']),
  severity: fields.severity.default('info'),
  repeat: fields.repeat.default('once'),
  cooldownSeconds: fields.cooldownSeconds.default(0).describe('Least time between two firings, seconds'),
  expiresAt: fields.expiresAt.default(null).describe('When it stops watching, epoch milliseconds; null for never'),
});
export type NewAlert = z.infer<typeof NewAlert>;

/** A change of an alert: only the fields given change. A new condition, repeat or expiry arms it again. */
export const AlertUpdate = z.strictObject({
  alertId: AlertId,
  version: z.int().min(1).exactOptional().describe('The version that was read; another one stored is a conflict'),
  name: fields.name.exactOptional(),
  condition: fields.condition.exactOptional(),
  channels: fields.channels.exactOptional(),
  severity: fields.severity.exactOptional(),
  repeat: fields.repeat.exactOptional(),
  cooldownSeconds: fields.cooldownSeconds.exactOptional(),
  expiresAt: fields.expiresAt.exactOptional(),
});
export type AlertUpdate = z.infer<typeof AlertUpdate>;

const STORED_STATUSES = ['active', 'triggered', 'expired'] as const;
/** Whether an alert waits is not stored: it follows from the market when the alert is read. */
export type StoredAlertStatus = (typeof STORED_STATUSES)[number];

export const AlertStatus = z.enum([...STORED_STATUSES, 'waiting']);
export type AlertStatus = z.infer<typeof AlertStatus>;

export const WaitingCode = z.enum(['no-price', 'stale-price', 'not-traded']);

/** Why an active alert can't fire at present: for people, and for programs. */
export interface Waiting {
  readonly reason: string;
  readonly reasonCode: z.infer<typeof WaitingCode>;
}

/** An alert. `triggered` is one that fired and does not repeat; `waiting` one that is active but lacks current prices. */
export const Alert = z
  .strictObject({
    alertId: z.string(),
    version: z.int(),
    name: z.string().nullable(),
    ...{ condition: fields.condition, channels: fields.channels, severity: fields.severity, repeat: fields.repeat },
    cooldownSeconds: z.int(),
    expiresAt: z.int().nullable(),
    status: AlertStatus,
    reason: z.string().exactOptional().describe('Why it is waiting, for people'),
    reasonCode: WaitingCode.exactOptional().describe('Why it is waiting, for programs'),
    createdAt: z.int(),
    updatedAt: z.int(),
    lastFiredAt: z.int().nullable(),
    firedCount: z.int(),
  })
  .meta({ id: 'Alert' });
export type Alert = z.infer<typeof Alert>;

/** A firing of an alert. */
export const AlertNotification = Notification.extend({
  condition: Condition.nullable().describe('As it was when it fired; null: fired before conditions were recorded'),
}).meta({ id: 'Notification' });
