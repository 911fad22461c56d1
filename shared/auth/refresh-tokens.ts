import { createHash } from 'node:crypto';
import type { UserId } from '#shared/model/user-id';
import { DomainError, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, type Item, type Key, keyOf, PRESENT, type Put } from '#shared/platform/table';
import { isOver, lifeEndsAt, type SessionId, type StoredSession, sessionEndsAt, sessionKey } from './stored-session.ts';

/** Identifies the token to people and to scanners for leaked secrets. */
const prefix = 'aprt_';
const tokenBytes = 32;
const form = /^aprt_[\w-]{43}$/;

/** A refresh token that was issued, stored under its hash. A used one is kept to the end of the session, to recognise its reuse. */
export interface StoredRefreshToken extends Item {
  readonly kind: 'refresh-token';
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly usedAt?: number;
}

/** The refresh token is not valid, or its session has ended; the caller does not learn which. */
export class InvalidRefreshToken extends DomainError {
  readonly code = 'invalid-refresh-token';
  override readonly name = 'InvalidRefreshToken';
}

export const invalidRefreshToken = () => new InvalidRefreshToken('The refresh token is not valid; log in again.');

/** A session with the refresh token that continues it; the token is shown only this once. */
export interface OpenSession {
  readonly session: StoredSession;
  readonly refreshToken: string;
}

/** Single-use tokens that continue sessions (docs/decisions/refresh-tokens.md). */
export class RefreshTokens {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'random'>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random'>) {
    this.#ports = ports;
  }

  /** A new token for a session, and the write that stores it. */
  issue(session: StoredSession): { readonly token: string; readonly put: Put } {
    const { userId, sessionId } = session;
    const token = prefix + Buffer.from(this.#ports.random.bytes(tokenBytes)).toString('base64url');
    const stored: StoredRefreshToken = {
      ...refreshTokenKey(token),
      kind: 'refresh-token',
      userId,
      sessionId,
      expiresAt: lifeEndsAt(session),
    };
    return { token, put: { put: stored, if: ABSENT } };
  }

  /**
   * Exchanges a token for its successor.
   * @param address from which the session is used
   * @returns the session with its next token, or the token that was used before, for the caller to end its session
   * @throws {InvalidRefreshToken}
   */
  async rotate(token: string, address: string): Promise<OpenSession | { readonly reused: StoredRefreshToken }> {
    const { table, clock } = this.#ports;
    const key = refreshTokenKey(token);
    const stored = await table.get<StoredRefreshToken>(key, { consistent: true });
    if (stored === undefined) throw invalidRefreshToken();
    if (stored.usedAt !== undefined) return { reused: stored };
    const before = await table.get<StoredSession>(sessionKey(stored.userId, stored.sessionId), { consistent: true });
    const now = clock.now();
    if (before === undefined || isOver(before, now)) throw invalidRefreshToken();
    const { createdAt } = before;
    const used = { lastUsedAt: now, address, expiresAt: sessionEndsAt({ createdAt, lastUsedAt: now }) };
    const session = { ...before, ...used };
    const next = this.issue(session);
    try {
      await table.transact([
        { update: key, changes: { set: { usedAt: now } }, if: allOf(PRESENT, { path: 'usedAt', is: 'absent' }) },
        next.put,
        { update: { pk: session.pk, sk: session.sk }, changes: { set: used }, if: PRESENT },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      // The first write fails if somebody else used the token at the same moment, the last one if the session has ended.
      if (error.failed.includes(0)) return { reused: stored };
      throw invalidRefreshToken();
    }
    return { session, refreshToken: next.token };
  }
}

/**
 * Where a token is stored. Its 256 random bits cannot be found from their hash, so a fast hash is enough.
 * @throws {InvalidRefreshToken} it is not in the form of a refresh token
 */
export const refreshTokenKey = (token: string): Key => {
  if (!form.test(token)) throw invalidRefreshToken();
  return { pk: keyOf('REFRESH', createHash('sha256').update(token).digest('hex')), sk: 'TOKEN' };
};
