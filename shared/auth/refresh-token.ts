import { createHash } from 'node:crypto';
import type { UserId } from '#shared/model/user-id';
import { DomainError } from '#shared/platform/errors';
import type { Random } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { SessionId } from './stored-session.ts';

/** Tells people and scanners for leaked secrets what it is. */
const prefix = 'aprt_';
const tokenBytes = 32;
const form = /^aprt_[\w-]{43}$/;

/** A refresh token that was given out, found by its hash. Once used it stays to the end of the session, to be known when it comes back. */
export interface StoredRefreshToken extends Item {
  readonly kind: 'refresh-token';
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly usedAt?: number;
}

/** The refresh token is not good, or its session has ended; which of them is not told. */
export class InvalidRefreshToken extends DomainError {
  readonly code = 'invalid-refresh-token';
  override readonly name = 'InvalidRefreshToken';
}

export const newRefreshToken = (random: Random): string =>
  prefix + Buffer.from(random.bytes(tokenBytes)).toString('base64url');

/**
 * Where a token is stored. Its 256 random bits can not be guessed from their hash, so that a slow one is not needed.
 * @throws {InvalidRefreshToken} it can't be one of ours
 */
export const refreshTokenKey = (token: string): Key => {
  if (!form.test(token)) throw new InvalidRefreshToken('The refresh token is not valid; log in again.');
  return { pk: keyOf('REFRESH', createHash('sha256').update(token).digest('hex')), sk: 'TOKEN' };
};
