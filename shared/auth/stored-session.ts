import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { type Item, type Key, keyOf, type Query } from '#shared/platform/table';

/** A session's id, a UUIDv7. It is no secret: access tokens carry it. */
export type SessionId = string & { readonly __brand: 'SessionId' };

/** A session that was not refreshed for this long has ended. */
export const sessionIdleDays = 30;
/** A session ends this long after its login, however often it was refreshed. */
export const sessionLifeDays = 90;
const daySeconds = 86_400;
/** The rest of a longer user agent is of no use to its user. */
const deviceLengthMax = 200;

/** A login session: it exists while it is valid, and `role` is always the current role of its user. */
export interface StoredSession extends Item {
  readonly kind: 'session';
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly role: Role;
  readonly device: string;
  readonly address: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** When the user submitted their password again, epoch ms; absent: not since the login. */
  readonly confirmedAt?: number;
  readonly expiresAt: number;
}

/** Who uses a session, as far as is known. */
export interface Client {
  readonly address: string;
  readonly userAgent: string;
}

const prefix = 'SESSION';

export const sessionKey = (userId: UserId, sessionId: SessionId): Key => ({
  pk: keyOf('USER', userId),
  sk: keyOf(prefix, sessionId),
});

export const sessionsOf = (userId: UserId) =>
  ({ pk: keyOf('USER', userId), sk: { prefix: `${prefix}#` } }) satisfies Query;

/** Changes with every session that is opened, so that a transaction over all of them notices one opened meanwhile. */
export const sessionsGuardKey = (userId: UserId): Key => ({ pk: keyOf('USER', userId), sk: 'SESSIONS' });

/** Epoch seconds. */
export const sessionEndsAt = ({ createdAt, lastUsedAt }: Pick<StoredSession, 'createdAt' | 'lastUsedAt'>): number =>
  Math.min(lifeEndsAt({ createdAt }), Math.floor(lastUsedAt / 1000) + sessionIdleDays * daySeconds);

/** When a session ends however much it is used, epoch seconds. */
export const lifeEndsAt = ({ createdAt }: Pick<StoredSession, 'createdAt'>): number =>
  Math.floor(createdAt / 1000) + sessionLifeDays * daySeconds;

/** When the user of a session submitted their password last, epoch ms. */
export const confirmedAtOf = ({ createdAt, confirmedAt }: Pick<StoredSession, 'createdAt' | 'confirmedAt'>): number =>
  confirmedAt ?? createdAt;

/** Whether a session is over; the table may still have its item. @param now epoch ms */
export const isOver = ({ expiresAt }: Pick<StoredSession, 'expiresAt'>, now: number): boolean =>
  expiresAt * 1000 <= now;

/** A new session. @param now epoch ms */
export const newSession = (
  user: { readonly userId: UserId; readonly role: Role },
  sessionId: SessionId,
  { address, userAgent }: Client,
  now: number,
): StoredSession => ({
  ...sessionKey(user.userId, sessionId),
  kind: 'session',
  sessionId,
  userId: user.userId,
  role: user.role,
  device: deviceOf(userAgent),
  address,
  createdAt: now,
  lastUsedAt: now,
  expiresAt: sessionEndsAt({ createdAt: now, lastUsedAt: now }),
});

/** One line of bounded, well-formed text without control characters. */
const deviceOf = (userAgent: string): string =>
  userAgent
    .slice(0, deviceLengthMax)
    .toWellFormed()
    .replaceAll(/\p{Control}+/gu, ' ')
    .trim();
