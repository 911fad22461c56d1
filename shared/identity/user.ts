import * as z from 'zod';
import { ROLES } from '#shared/model/scopes';
import { Settings } from './settings.ts';

/** A mail address, compared in lower case and Unicode NFC. */
export const EmailAddress = z
  .string()
  .max(254)
  .normalize('NFC')
  .toLowerCase()
  .pipe(z.email('must be a mail address such as "ada@example.com"'));

/** Bounds the work of normalizing, in UTF-16 code units; 128 code points have fewer in every normalization form. */
const passwordUnitsMax = 1024;

/** Any characters; only the length matters, in code points after NFC (NIST SP 800-63B, OWASP ASVS 2.1). */
export const Password = z
  .string()
  .max(passwordUnitsMax)
  .normalize('NFC')
  .refine((password) => [...password].length <= 128, 'must have at most 128 characters');

export const NewPassword = Password.refine(
  (password) => [...password].length >= 12,
  'must have at least 12 characters',
);

/** Six digits from an authenticator app, or a recovery code. */
export const TotpCode = z
  .string()
  .min(1)
  .max(40)
  .describe('Six digits from an authenticator app, or a recovery code; required if the user has a second factor');

export const NewUser = z.strictObject({
  email: EmailAddress,
  password: NewPassword,
  name: z.string().trim().min(1).max(100).exactOptional(),
  bootstrapCode: z
    .string()
    .max(100)
    .exactOptional()
    .describe('The first user of a deployment needs the code that deploying it showed; nobody else does'),
});
export type NewUser = z.infer<typeof NewUser>;

/** A user as seen by themselves. */
export const Profile = z
  .strictObject({
    userId: z.string(),
    email: z.string(),
    emailVerified: z
      .boolean()
      .describe('Whether alerts are mailed there: the address is verified, or mail never leaves the machine'),
    name: z.string().nullable(),
    role: z.enum(ROLES),
    totpEnabled: z.boolean().describe('Whether a login requires a code'),
    createdAt: z.int().describe('Epoch milliseconds'),
    settings: Settings,
  })
  .meta({ id: 'Profile' });
export type Profile = z.infer<typeof Profile>;

/** A user as seen by admins. */
export const UserRecord = z
  .strictObject({
    userId: z.string(),
    email: z.string(),
    name: z.string().nullable(),
    role: z.enum(ROLES),
    disabled: z.boolean().describe('Cannot log in, and has no sessions'),
    removing: z.boolean().describe('Is being deleted; deleting the user again resumes it'),
    createdAt: z.int().describe('Epoch milliseconds'),
  })
  .meta({ id: 'UserRecord' });
export type UserRecord = z.infer<typeof UserRecord>;

/** What an admin changes about a user; fields left out stay as they are. */
export const UserChange = z.strictObject({
  role: z.enum(ROLES).exactOptional(),
  disabled: z.boolean().exactOptional(),
});
export type UserChange = z.infer<typeof UserChange>;
