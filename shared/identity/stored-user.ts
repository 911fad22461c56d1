import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { NotFound } from '#shared/platform/errors';
import type { Config } from '#shared/platform/ports';
import { allOf, type Item, isStill, keyOf, type WriteCondition } from '#shared/platform/table';
import type { Settings, StoredSettings } from './settings.ts';

export interface StoredUser extends Item {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  /** Cannot log in, and has no sessions. */
  readonly disabled?: boolean;
  /** Is being deleted; implies `disabled`. */
  readonly removing?: boolean;
  readonly passwordHash: string;
  /** Id of the latest change of the password; missing until the first one. Rehashing the same password is not a change. */
  readonly passwordChange?: string;
  /** Has a second factor: a login requires a code. */
  readonly totpEnabled?: boolean;
  /** Id of the latest change of the second factor. */
  readonly totpChange?: string;
  /** Id of the latest change of the role, by an admin. */
  readonly roleChange?: string;
  /** Id of the latest change of the webhook address. */
  readonly webhookChange?: string;
  /** When the user proved that mail to the address reaches them, epoch ms. */
  readonly emailVerifiedAt?: number;
  readonly createdAt: number;
  readonly webhookUrl: string | null;
  /** The other settings; missing until one of them is changed. */
  readonly settings?: StoredSettings;
  /** Incremented by every change of settings; a missing one counts as 1. */
  readonly settingsVersion?: number;
  readonly version: number;
}

export interface EmailOwner extends Item {
  readonly kind: 'email';
  readonly userId: UserId;
}

/** The number of admins who are not disabled. */
export interface AdminCount extends Item {
  readonly kind: 'admin-count';
  readonly admins: number;
}

export const userKey = (userId: UserId) => ({ pk: keyOf('USER', userId), sk: 'PROFILE' });
/** The refusal of a request by a user who was deleted. */
export const noSuchUser = () => new NotFound('This user does not exist any more.');

/** A mail address may contain any character, so its key is its UTF-8 bytes in hex. */
export const emailKey = (email: string) => ({ pk: keyOf('EMAIL', Buffer.from(email).toString('hex')), sk: 'OWNER' });
/** Exists from the first registration on: the user who writes it is the first admin. */
export const firstUserKey = { pk: keyOf('SYSTEM', 'USERS'), sk: 'FIRST' };
export const adminCountKey = { pk: keyOf('SYSTEM', 'USERS'), sk: 'ADMINS' };

/** The partition of the first index that lists every user, in order of registration. */
export const allUsers = keyOf('USERS');
export const listedAt = (userId: UserId) => ({ gsi1pk: allUsers, gsi1sk: userId });

/** Holds while the password and the second factor are those of `user`. */
export const hasCredentialsOf = ({ passwordChange, totpChange }: StoredUser): WriteCondition =>
  allOf(isStill('passwordChange', passwordChange), isStill('totpChange', totpChange));

/** Whether alerts may be mailed to a user: the address is verified, or mail never leaves this machine. */
export const isEmailVerified = (
  { emailVerifiedAt }: Pick<StoredUser, 'emailVerifiedAt'>,
  { users }: Pick<Config, 'users'>,
): boolean => users.emailVerification === 'assumed' || emailVerifiedAt !== undefined;

/** A user's settings, with defaults for those they never changed. */
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
