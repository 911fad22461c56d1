import type { Role } from '#shared/auth/scopes';
import { type Item, keyOf } from '#shared/platform/table';
import type { UserId } from './user.ts';

export interface StoredUser extends Item {
  readonly kind: 'user';
  readonly userId: UserId;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  /** Can't log in, and has no sessions. */
  readonly disabled?: boolean;
  readonly passwordHash: string;
  readonly createdAt: number;
  readonly webhookUrl: string | null;
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
