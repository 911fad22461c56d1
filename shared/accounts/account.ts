import * as z from 'zod';
import { DecimalString } from '#shared/model/decimal-string';
import { VenueId } from '#shared/model/symbols';

/** Most accounts one user may have. */
export const ACCOUNTS_PER_USER_MAX = 50;
/** Longest period of an account's sync; the shortest is `accountSyncSeconds` of the configuration. */
export const syncSecondsMax = 86_400;
/** Most assets that a paper account begins with: they are stored with it in one transaction. */
const paperAssetsMax = 50;

export const AccountId = z.uuid();

export const Asset = z
  .string()
  .regex(/^[^\s#/:]{1,24}$/, 'must be an asset such as "BTC"')
  .refine((asset) => asset.isWellFormed(), 'must be well-formed text');

const Amount = DecimalString.refine((value) => !value.startsWith('-'), 'must not be below 0');

/** The characters that headers and signatures can contain. */
const printable = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[\x20-\x7e\r\n]+$/, 'must be printable ASCII');

const ApiKey = z
  .strictObject({
    // Keys that sign with RSA are PEM documents.
    apiKey: printable(512),
    secret: printable(4096),
    password: printable(256).exactOptional().describe('A passphrase, where the venue has one'),
  })
  .describe('Checked against the venue, stored, and never answered; a key that can withdraw is refused');

const fields = {
  label: z.string().trim().min(1).max(100),
  syncSeconds: z.int().min(1).max(syncSecondsMax).describe('Period of the sync'),
};

export const NewAccount = z.strictObject({
  venue: VenueId,
  label: fields.label,
  mode: z.enum(['paper', 'live']),
  credentials: ApiKey.exactOptional().describe('For a live account: its API key'),
  paper: z
    .strictObject({
      balances: z
        .record(Asset, Amount)
        .refine((balances) => Object.keys(balances).length <= paperAssetsMax, `may name ${paperAssetsMax} assets`),
    })
    .exactOptional()
    .describe('For a paper account: what it begins with'),
  syncSeconds: fields.syncSeconds.exactOptional(),
});
export type NewAccount = z.infer<typeof NewAccount>;

/** A change of an account: only the fields given change. New credentials replace the old ones. */
export const AccountUpdate = z.strictObject({
  version: z.int().min(1).exactOptional().describe('The version that was read; another one stored is a conflict'),
  label: fields.label.exactOptional(),
  syncSeconds: fields.syncSeconds.exactOptional(),
  credentials: ApiKey.exactOptional(),
});
export type AccountUpdate = z.infer<typeof AccountUpdate>;

export const SyncFailure = z.enum([
  'retryable',
  'rate-limited',
  'authentication',
  'permission',
  'maintenance',
  'not-supported',
  'unknown',
]);
export type SyncFailure = z.infer<typeof SyncFailure>;

/**
 * The state of one part of an account's sync. `failing` is retried soon; `paused`, because the venue refuses the key or does not
 * permit it, slowly and when the user acts.
 */
export const StepStatus = z
  .strictObject({
    step: z.string(),
    status: z.enum(['pending', 'ok', 'failing', 'paused', 'not-supported']),
    lastSuccessAt: z.int().nullable(),
    lastAttemptAt: z.int().nullable(),
    durationMs: z.int().nullable(),
    items: z.int().nullable().describe('How many items the venue reported last time'),
    rejected: z
      .int()
      .exactOptional()
      .describe('Rows of the venue that could not be read and are left out; absent: none'),
    failure: SyncFailure.nullable(),
    detail: z.string().nullable().describe('What went wrong and what can be done about it'),
    nextTryAt: z.int().nullable().describe('Not before then; null: with the next sync'),
    failures: z.int().describe('Failures in a row; those of the key are counted apart'),
  })
  .meta({ id: 'AccountStepStatus' });
export type StepStatus = z.infer<typeof StepStatus>;

export const Account = z
  .strictObject({
    accountId: z.string(),
    version: z.int(),
    venue: z.string(),
    label: z.string(),
    mode: z.enum(['paper', 'live']),
    readOnly: z.boolean().describe('Its key may not trade'),
    canWithdraw: z.boolean().nullable().describe('False, or null where the venue does not report what a key may do'),
    syncSeconds: z.int(),
    state: z.enum(['active', 'removing']).describe('A deletion that was cut short is removing: delete it again'),
    createdAt: z.int(),
    updatedAt: z.int(),
    steps: z.array(StepStatus),
  })
  .meta({ id: 'ExchangeAccount' });
export type Account = z.infer<typeof Account>;
