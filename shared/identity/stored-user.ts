import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import type { Config } from '#shared/platform/ports';
import { allOf, type Item, isStill, keyOf, type WriteCondition } from '#shared/platform/table';
import type { StoredSettings } from './settings.ts';

export interface StoredUser extends Item {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  /** Can't log in, and has no sessions. */
  readonly disabled?: boolean;
  /** Is being deleted, and disabled. */
  readonly removing?: boolean;
  readonly passwordHash: string;
  /** Which change made the password what it is; missing until the first one. A new hash of the same password is none. */
  readonly passwordChange?: string;
  /** Has a second factor: a login needs a code. */
  readonly totpEnabled?: boolean;
  /** Which change made the second factor what it is. */
  readonly totpChange?: string;
  /** When the user proved to read what is mailed to the address, epoch ms. */
  readonly emailVerifiedAt?: number;
  readonly createdAt: number;
  readonly webhookUrl: string | null;
  /** The other settings, once one of them was changed. */
  readonly settings?: StoredSettings;
  /** Rises with every change of settings; missing counts as 1. */
  readonly settingsVersion?: number;
  readonly version: number;
}

export interface EmailOwner extends Item {
  readonly kind: 'email';
  readonly userId: UserId;
}

/** How many admins there are who are not disabled. */
export interface AdminCount extends Item {
  readonly kind: 'admin-count';
  readonly admins: number;
}

export const userKey = (userId: UserId) => ({ pk: keyOf('USER', userId), sk: 'PROFILE' });
/** A mail address may hold any character, so its key is its code points in hex. */
export const emailKey = (email: string) => ({ pk: keyOf('EMAIL', Buffer.from(email).toString('hex')), sk: 'OWNER' });
/** Exists from the first registration on: whoever writes it is admin. */
export const firstUserKey = { pk: keyOf('SYSTEM', 'USERS'), sk: 'FIRST' };
export const adminCountKey = { pk: keyOf('SYSTEM', 'USERS'), sk: 'ADMINS' };

/** Where every user stands in the first index, in the order of their registration. */
export const allUsers = keyOf('USERS');
export const listedAt = (userId: UserId) => ({ gsi1pk: allUsers, gsi1sk: userId });

/** Holds while the password and the second factor are those that `user` had. */
export const hasCredentialsOf = ({ passwordChange, totpChange }: StoredUser): WriteCondition =>
  allOf(isStill('passwordChange', passwordChange), isStill('totpChange', totpChange));

/** Whether alerts may be mailed to a user: the address was proved, or mails stay on this machine. */
export const isEmailVerified = (
  { emailVerifiedAt }: Pick<StoredUser, 'emailVerifiedAt'>,
  { users }: Pick<Config, 'users'>,
): boolean => users.emailVerification === 'assumed' || emailVerifiedAt !== undefined;
