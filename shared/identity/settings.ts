import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { DecimalString } from '#shared/model/decimal';
import type { StoredUser } from './stored-user.ts';

/** Ways by which costs are assigned to what is sold. */
export const COST_BASIS_METHODS = ['fifo', 'lifo', 'hifo', 'average'] as const;
const versionMax = 2 ** 31;
const openOrdersMax = 10_000;
const timeZoneLengthMax = 64;

const isTimeZone = (name: string): boolean => {
  // Offsets such as "+01:00" are no time zones: they know no summer time.
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "22:00"');
const Limit = DecimalString.refine((value) => !value.startsWith('-'), 'must not be negative').nullable();

const RiskLimits = z.strictObject({
  maxOrderValue: Limit.describe('Of one order, in the base currency; null: no limit'),
  maxDailyLoss: Limit.describe('Of a day, in the base currency; null: no limit'),
  maxOpenOrders: z.int().min(1).max(openOrdersMax).nullable().describe('At a time; null: no limit'),
});
type RiskLimits = z.infer<typeof RiskLimits>;

const fields = {
  baseCurrency: z
    .string()
    .regex(/^[A-Z0-9]{3,10}$/, 'must be 3 to 10 upper-case letters and digits, such as "USD"')
    .describe('What values are told in'),
  timeZone: z
    .string()
    .max(timeZoneLengthMax)
    .refine(isTimeZone, 'must be a time zone such as "Europe/Berlin"')
    .describe('A name of the IANA time zone database'),
  quietHours: z
    .strictObject({ from: TimeOfDay, to: TimeOfDay })
    .refine(({ from, to }) => from !== to, 'must begin and end at different times')
    .nullable()
    .describe('When nobody wants to be disturbed, by the clock of the time zone; over midnight where `to` is earlier'),
  notificationChannels: z
    .array(NotificationChannel)
    .max(NotificationChannel.options.length)
    .refine((given) => new Set(given).size === given.length, 'must not name a channel twice')
    .describe('Channels that programs propose for new alerts'),
  costBasisMethod: z.enum(COST_BASIS_METHODS).describe('How costs are assigned to what is sold'),
  webhookUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .max(2048)
    .nullable()
    .describe('Where the webhook channel of alerts posts to; null for none'),
};
const Version = z.int().min(1).max(versionMax).describe('Rises with every change');

export const Settings = z
  .strictObject({ ...fields, riskLimits: RiskLimits, version: Version })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof Settings>;

/** What is changed: only what is given, of the limits as well. `version` says which settings were looked at before. */
export const SettingsUpdate = z.strictObject({
  baseCurrency: fields.baseCurrency.exactOptional(),
  timeZone: fields.timeZone.exactOptional(),
  quietHours: fields.quietHours.exactOptional(),
  notificationChannels: fields.notificationChannels.exactOptional(),
  costBasisMethod: fields.costBasisMethod.exactOptional(),
  webhookUrl: fields.webhookUrl.exactOptional(),
  riskLimits: z
    .strictObject({
      maxOrderValue: RiskLimits.shape.maxOrderValue.exactOptional(),
      maxDailyLoss: RiskLimits.shape.maxDailyLoss.exactOptional(),
      maxOpenOrders: RiskLimits.shape.maxOpenOrders.exactOptional(),
    })
    .exactOptional(),
  version: Version.exactOptional(),
});
export type SettingsUpdate = z.infer<typeof SettingsUpdate>;

/** Settings as they are stored, in a map of their user: those that are not, are as nobody chose. */
export type StoredSettings = Partial<{
  readonly baseCurrency: string;
  readonly timeZone: string;
  readonly quietHours: { readonly from: string; readonly to: string } | null;
  readonly notificationChannels: readonly Settings['notificationChannels'][number][];
  readonly costBasisMethod: Settings['costBasisMethod'];
  readonly riskLimits: Readonly<RiskLimits>;
}>;

/** A user's settings, with defaults for what they never chose. */
export const settingsOf = ({ settings = {}, webhookUrl, settingsVersion = 1 }: StoredUser): Settings => ({
  baseCurrency: settings.baseCurrency ?? 'USD',
  timeZone: settings.timeZone ?? 'UTC',
  quietHours: settings.quietHours ?? null,
  notificationChannels: [...(settings.notificationChannels ?? ['websocket' as const])],
  costBasisMethod: settings.costBasisMethod ?? 'fifo',
  riskLimits: settings.riskLimits ?? { maxOrderValue: null, maxDailyLoss: null, maxOpenOrders: null },
  webhookUrl,
  version: settingsVersion,
});
