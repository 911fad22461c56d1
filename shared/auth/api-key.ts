import * as z from 'zod';
import { SCOPES } from '#shared/model/scopes';
import { isNetwork } from '#shared/platform/addresses';

const lifeDaysDefault = 90;
const lifeDaysMax = 365;
const addressesMax = 20;
/** The longest address and prefix: `ffff:…:255.255.255.255/128`. */
const addressLengthMax = 50;
const nameLengthMax = 100;

const Address = z
  .string()
  .max(addressLengthMax)
  .refine(isNetwork, 'must be an IP address or a CIDR block such as "203.0.113.0/24"');

export const NewApiKey = z.strictObject({
  name: z.string().trim().min(1).max(nameLengthMax),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .transform((scopes) => [...new Set(scopes)])
    .describe('What the key may do: some of what its owner may do, and never more than that'),
  expiresInDays: z.int().min(1).max(lifeDaysMax).default(lifeDaysDefault),
  addresses: z
    .array(Address)
    .min(1)
    .max(addressesMax)
    .exactOptional()
    .describe('IP addresses and CIDR blocks from which it may be used; left out: from anywhere'),
});
export type NewApiKey = z.infer<typeof NewApiKey>;

/** A key as its owner sees it later on. */
export const ApiKey = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    hint: z.string().describe('How the key begins'),
    scopes: z.array(z.enum(SCOPES)),
    addresses: z.array(z.string()).nullable(),
    createdAt: z.int().describe('Epoch milliseconds'),
    expiresAt: z.int().describe('Epoch milliseconds'),
    lastUsedAt: z.int().nullable().describe('Epoch milliseconds, to the hour; null: not yet'),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKey>;

/** A new key, with the key itself: it is told this once. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() }).meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;
