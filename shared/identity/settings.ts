import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { CostBasisMethod } from '#shared/model/cost-basis';
import { DecimalString } from '#shared/model/decimal-string';

const versionMax = 2 ** 31;
const openOrdersMax = 10_000;
const timeZoneLengthMax = 64;

const isTimeZone = (name: string): boolean => {
  // Offsets such as "+01:00" are not time zones: they ignore daylight saving time.
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
  maxOrderValue: Limit.describe('Largest value of one order, in the base currency; null: no limit'),
  maxDailyLoss: Limit.describe('Largest loss in a day, in the base currency; null: no limit'),
  maxOpenOrders: z.int().min(1).max(openOrdersMax).nullable().describe('Most orders open at a time; null: no limit'),
});
type RiskLimits = z.infer<typeof RiskLimits>;

const fields = {
  baseCurrency: z
    .string()
    .regex(/^[A-Z0-9]{3,10}$/, 'must be 3 to 10 upper-case letters and digits, such as "USD"')
    .describe('The currency in which values are shown'),
  timeZone: z
    .string()
    .max(timeZoneLengthMax)
    .refine(isTimeZone, 'must be a time zone such as "Europe/Berlin"')
    .describe('A name from the IANA time zone database'),
  quietHours: z
    .strictObject({ from: TimeOfDay, to: TimeOfDay })
    .refine(({ from, to }) => from !== to, 'must begin and end at different times')
    .nullable()
    .describe(
      'When the user does not want to be disturbed, in local time; spans midnight if `to` is earlier than `from`',
    ),
  notificationChannels: z
    .array(NotificationChannel)
    .max(NotificationChannel.options.length)
    .refine((given) => new Set(given).size === given.length, 'must not name a channel twice')
    .describe('Channels that clients suggest for new alerts'),
  costBasisMethod: CostBasisMethod.describe('How the cost of what is sold is determined'),
  webhookUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .max(2048)
    .nullable()
    .describe('Where the webhook channel posts alerts; null: nowhere'),
};
const Version = z.int().min(1).max(versionMax).describe('Incremented by every change');

export const Settings = z
  .strictObject({ ...fields, riskLimits: RiskLimits, version: Version })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof Settings>;

/** A partial update, of the risk limits as well. `version` is that of the settings it is based on. */
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

/** Settings as stored, in a map on their user; a missing one has its default. */
export type StoredSettings = Partial<{
  readonly baseCurrency: string;
  readonly timeZone: string;
  readonly quietHours: { readonly from: string; readonly to: string } | null;
  readonly notificationChannels: readonly Settings['notificationChannels'][number][];
  readonly costBasisMethod: Settings['costBasisMethod'];
  readonly riskLimits: Readonly<RiskLimits>;
}>;
