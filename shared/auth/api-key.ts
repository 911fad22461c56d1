import * as z from 'zod';
import { SCOPES, type Scope } from '#shared/model/scopes';
import { isNetwork } from '#shared/platform/addresses';

const lifeDaysDefault = 90;
const lifeDaysMax = 365;
const addressesMax = 20;
/** The longest CIDR block: `ffff:…:255.255.255.255/128`. */
const addressLengthMax = 50;
const nameLengthMax = 100;

const Address = z
  .string()
  .max(addressLengthMax)
  .refine(isNetwork, 'must be an IP address or a CIDR block such as "203.0.113.0/24"');

/** With these a key can move money or change who may do what. */
const powerfulScopes: readonly Scope[] = ['trade:write', 'system:admin', 'users:admin'];
const isPowerful = ({ scopes }: { readonly scopes: readonly Scope[] }): boolean =>
  scopes.some((scope) => powerfulScopes.includes(scope));
const powerful = powerfulScopes.join(', ');

const NewApiKeyFields = z.strictObject({
  name: z.string().trim().min(1).max(nameLengthMax),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .transform((scopes) => [...new Set(scopes)])
    .describe('What the key permits: a subset of the scopes of its owner'),
  expiresInDays: z
    .int()
    .min(1)
    .max(lifeDaysMax)
    .default(lifeDaysDefault)
    .describe('At most 90 with trade:write, system:admin and users:admin'),
  addresses: z
    .array(Address)
    .min(1)
    .max(addressesMax)
    .exactOptional()
    .describe(
      'IP addresses and CIDR blocks from which it may be used; default: any address. Required with trade:write, system:admin and users:admin',
    ),
});

export const NewApiKey = NewApiKeyFields.refine((key) => !isPowerful(key) || key.addresses !== undefined, {
  path: ['addresses'],
  message: `must be given for a key with one of the scopes ${powerful}`,
}).refine((key) => !isPowerful(key) || key.expiresInDays <= lifeDaysDefault, {
  path: ['expiresInDays'],
  message: `must be at most ${lifeDaysDefault} for a key with one of the scopes ${powerful}`,
});
export type NewApiKey = z.infer<typeof NewApiKey>;

/** A key as shown to its owner after its creation. */
export const ApiKey = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    hint: z.string().describe('The beginning of the key'),
    scopes: z.array(z.enum(SCOPES)),
    addresses: z.array(z.string()).nullable(),
    createdAt: z.int().describe('Epoch milliseconds'),
    expiresAt: z.int().describe('Epoch milliseconds'),
    lastUsedAt: z.int().nullable().describe('Epoch milliseconds, accurate to the hour; null: never'),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKey>;

/** A new key, including the key itself, which is shown only this once. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() }).meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;
