import { createHash, createHmac } from 'node:crypto';
import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import type { UserId } from '#shared/model/user-id';
import { DomainError, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, type Item, type Key, keyOf, PRESENT, type Put } from '#shared/platform/table';
import { isOver, lifeEndsAt, type SessionId, type StoredSession, sessionEndsAt, sessionKey } from './stored-session.ts';

/** Identifies the token to people and to scanners for leaked secrets. */
const prefix = 'aprt_';
const tokenBytes = 32;
const form = /^aprt_[\w-]{43}$/;
/** How long a used token gets the same answer again: two tabs that refresh at once, or a retry after a lost answer. */
export const repeatSeconds = 10;

/** A refresh token that was issued, stored under its hash. A used one is kept to the end of the session, to recognise its reuse. */
export interface StoredRefreshToken extends Item {
  readonly kind: 'refresh-token';
  readonly userId: UserId;
  readonly sessionId: SessionId;
  /** Epoch ms. */
  readonly usedAt?: number;
  /** With the token itself and a secret key it yields the successor, which is stored nowhere. Set together with `usedAt`. */
  readonly successorSeed?: string;
  /** The id of the access token that was issued with the successor. */
  readonly accessTokenId?: string;
}

/** The refresh token is not valid, or its session has ended; the caller does not learn which. */
export class InvalidRefreshToken extends DomainError {
  readonly code = 'invalid-refresh-token';
  override readonly name = 'InvalidRefreshToken';
}

/** The refresh token was used before, more than {@link repeatSeconds} ago: it or its successor was stolen. */
export class RefreshReused extends DomainError {
  readonly code = 'refresh-reused';
  override readonly name = 'RefreshReused';
}

export const invalidRefreshToken = () => new InvalidRefreshToken('The refresh token is not valid; log in again.');

/** A session with the refresh token that continues it, and what its access token is made of. */
export interface OpenSession {
  readonly session: StoredSession;
  readonly refreshToken: string;
  /** When the refresh token was issued, epoch ms. */
  readonly issuedAt: number;
  readonly accessTokenId: string;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random'>;

/** Single-use tokens that continue sessions (docs/decisions/refresh-tokens.md). */
export class RefreshTokens {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The first token of a session, and the write that stores it. */
  issue(session: StoredSession): { readonly open: OpenSession; readonly put: Put } {
    const { random, ids } = this.#ports;
    const refreshToken = tokenOf(random.bytes(tokenBytes));
    const open = { session, refreshToken, issuedAt: session.createdAt, accessTokenId: ids.next() };
    return { open, put: storing(session, refreshToken) };
  }

  /**
   * Exchanges a token for its successor. A token that was used at most {@link repeatSeconds} ago yields the same successor
   * again.
   * @param address from which the session is used
   * @returns the session with its next token, or the token that was used before, for the caller to end its session
   * @throws {InvalidRefreshToken}
   */
  async rotate(token: string, address: string): Promise<OpenSession | { readonly reused: StoredRefreshToken }> {
    const { table, clock, ids, random } = this.#ports;
    const key = refreshTokenKey(token);
    const stored = await table.get<StoredRefreshToken>(key, { consistent: true });
    if (stored === undefined) throw invalidRefreshToken();
    const now = clock.now();
    if (stored.usedAt !== undefined && !isRepeatable(stored, now)) return { reused: stored };
    const before = await table.get<StoredSession>(sessionKey(stored.userId, stored.sessionId), { consistent: true });
    if (before === undefined || isOver(before, now)) throw invalidRefreshToken();
    const { usedAt, successorSeed, accessTokenId } = stored;
    if (usedAt !== undefined && successorSeed !== undefined && accessTokenId !== undefined) {
      const refreshToken = await this.#successorOf(token, successorSeed);
      return { session: before, refreshToken, issuedAt: usedAt, accessTokenId };
    }
    const { createdAt } = before;
    const refreshed = { lastUsedAt: now, address, expiresAt: sessionEndsAt({ createdAt, lastUsedAt: now }) };
    const session = { ...before, ...refreshed };
    const seed = Buffer.from(random.bytes(tokenBytes)).toString('base64url');
    const next = { refreshToken: await this.#successorOf(token, seed), issuedAt: now, accessTokenId: ids.next() };
    const used = { usedAt: now, successorSeed: seed, accessTokenId: next.accessTokenId };
    try {
      await table.transact([
        { update: key, changes: { set: used }, if: allOf(PRESENT, { path: 'usedAt', is: 'absent' }) },
        storing(session, next.refreshToken),
        { update: { pk: session.pk, sk: session.sk }, changes: { set: refreshed }, if: PRESENT },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      // The first write fails if another request used the token at the same moment, the last one if the session has ended.
      if (error.failed.includes(0)) return await this.rotate(token, address);
      throw invalidRefreshToken();
    }
    return { session, ...next };
  }

  async #successorOf(token: string, seed: string): Promise<string> {
    const { secrets, random } = this.#ports;
    const key = derivedKey(await keyMaterial(secrets, random, 'user-sealing'), 'refresh-token/successor');
    return tokenOf(createHmac('sha256', key).update(`${seed}/${token}`).digest());
  }
}

const tokenOf = (bytes: Uint8Array): string => prefix + Buffer.from(bytes).toString('base64url');

/** Whether a used token may still get the same answer again. Versions before this one stored no seed. */
const isRepeatable = ({ usedAt, successorSeed }: StoredRefreshToken, now: number): boolean =>
  usedAt !== undefined && successorSeed !== undefined && now <= usedAt + repeatSeconds * 1000;

const storing = (session: StoredSession, token: string): Put => {
  const { userId, sessionId } = session;
  const stored: StoredRefreshToken = {
    ...refreshTokenKey(token),
    kind: 'refresh-token',
    userId,
    sessionId,
    expiresAt: lifeEndsAt(session),
  };
  return { put: stored, if: ABSENT };
};

/**
 * Where a token is stored. Its 256 random bits cannot be found from their hash, so a fast hash is enough.
 * @throws {InvalidRefreshToken} it is not in the form of a refresh token
 */
export const refreshTokenKey = (token: string): Key => {
  if (!form.test(token)) throw invalidRefreshToken();
  return { pk: keyOf('REFRESH', createHash('sha256').update(token).digest('hex')), sk: 'TOKEN' };
};
