import { createHash, createHmac } from 'node:crypto';
import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import type { UserId } from '#shared/model/user-id';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Key, keyOf, type Put, type Update } from '#shared/platform/table';
import { type EarlierToken, mailedTokenKind, type StoredMailedToken } from './stored-mailed-token.ts';

/**
 * The purposes of mailed tokens: a prefix that identifies them to people and to scanners for leaked secrets, their validity, how
 * many are valid at a time, and how many mails a user gets in a day. Anybody may request a reset, so one that a stranger requests
 * must not invalidate the one that the user is about to use.
 */
const purposes = {
  'password-reset': { prefix: 'appr_', validMinutes: 30, validMax: 3, mailsPerDay: 5 },
  'email-verification': { prefix: 'apev_', validMinutes: 24 * 60, validMax: 1, mailsPerDay: 20 },
} as const;
const dayMs = 86_400_000;
export type MailedTokenPurpose = keyof typeof purposes;
/** What the tokens in mails begin with, and how long they are valid. */
export const MAILED_TOKENS = Object.values(purposes);

/** A user gets at most one mail per purpose in this time. */
const restSeconds = 60;
const idBytes = 16;
const macBytes = 32;

/** The token is not valid; the caller does not learn whether it ever was. */
export class InvalidMailedToken extends DomainError {
  readonly code = 'invalid-mailed-token';
  override readonly name = 'InvalidMailedToken';
}

/** A request for a token. */
export interface TokenRequest {
  /** A UUID; the same request yields the same token again. */
  readonly requestId: string;
  /** Epoch ms. */
  readonly requestedAt: number;
}

/** A valid token, and the write that marks it as used. */
export interface TokenProof {
  readonly userId: UserId;
  readonly email: string;
  readonly write: Update;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'random' | 'clock'>;

/**
 * Tokens that are mailed to prove access to an address: single-use, short-lived, stored as hashes.
 * They are derived from the id of the request with a secret key, so that a repeated job mails the same token.
 */
export class MailedTokens {
  readonly #ports: Ports;
  readonly #purpose: MailedTokenPurpose;

  constructor(ports: Ports, purpose: MailedTokenPurpose) {
    this.#ports = ports;
    this.#purpose = purpose;
  }

  /** How long a token is valid after its request. */
  get validMinutes(): number {
    return purposes[this.#purpose].validMinutes;
  }

  /**
   * The token for a request, and the write that makes it the user's latest, unless it already is.
   * @returns undefined if nothing is to be mailed: it was mailed or used, another one was just mailed, too many were mailed that
   *   day, or it would be expired
   */
  async issue(
    userId: UserId,
    email: string,
    { requestId, requestedAt }: TokenRequest,
  ): Promise<{ readonly token: string; readonly write?: Put } | undefined> {
    const { table, clock } = this.#ports;
    const key = this.#key(userId);
    if (clock.now() >= requestedAt + this.validMinutes * 60_000) return undefined;
    const before = mailedTokenKind.read(await table.get(key, { consistent: true }));
    const token = await this.#tokenOf(userId, requestId);
    if (before?.requestId === requestId) {
      return before.mailedAt === undefined && before.usedAt === undefined ? { token } : undefined;
    }
    if (before !== undefined && requestedAt < before.requestedAt + restSeconds * 1000) return undefined;
    const { validMax, mailsPerDay } = purposes[this.#purpose];
    const isSameDay = before?.countedSince !== undefined && requestedAt < before.countedSince + dayMs;
    const mails = isSameDay ? (before?.mails ?? 0) + 1 : 1;
    if (mails > mailsPerDay) return undefined;
    const countedSince = isSameDay ? before?.countedSince : requestedAt;
    const stored: StoredMailedToken = {
      ...key,
      ...mailedTokenKind.stamp,
      tokenHash: hashOf(token),
      requestId,
      requestedAt,
      email,
      earlier: before === undefined || before.usedAt !== undefined ? [] : tokensOf(before).slice(0, validMax - 1),
      ...{ countedSince: countedSince ?? requestedAt, mails },
      // The count outlives the token.
      expiresAt: Math.ceil((requestedAt + dayMs) / 1000) + this.validMinutes * 60,
    };
    return { token, write: { put: stored, if: before === undefined ? ABSENT : equals('tokenHash', before.tokenHash) } };
  }

  /** Records that the mail of a request was sent. */
  async mailed(userId: UserId, { requestId }: TokenRequest): Promise<void> {
    const set = { mailedAt: this.#ports.clock.now() };
    const tokenHash = hashOf(await this.#tokenOf(userId, requestId));
    await this.#ports.table.update(this.#key(userId), { set }, equals('tokenHash', tokenHash));
  }

  /** Checks a token. @throws {InvalidMailedToken} it is not a token, was used or replaced, or has expired */
  async prove(token: string): Promise<TokenProof> {
    const { table, clock } = this.#ports;
    const userId = userIdOf(token, purposes[this.#purpose].prefix);
    if (userId === undefined) throw invalidToken();
    const key = this.#key(userId);
    const stored = mailedTokenKind.read(await table.get(key, { consistent: true }));
    const tokenHash = hashOf(token);
    if (stored === undefined || stored.usedAt !== undefined) throw invalidToken();
    const proven = tokensOf(stored).find((one) => one.tokenHash === tokenHash);
    const now = clock.now();
    if (proven === undefined || now >= proven.requestedAt + this.validMinutes * 60_000) throw invalidToken();
    const isValid = allOf(equals('tokenHash', stored.tokenHash), { path: 'usedAt', is: 'absent' });
    return { userId, email: proven.email, write: { update: key, changes: { set: { usedAt: now } }, if: isValid } };
  }

  async #tokenOf(userId: UserId, requestId: string): Promise<string> {
    const { secrets, random } = this.#ports;
    const key = derivedKey(await keyMaterial(secrets, random, 'user-sealing'), `mailed-token/${this.#purpose}`);
    const mac = createHmac('sha256', key).update(`${userId}/${requestId}`).digest();
    const id = Buffer.from(userId.replaceAll('-', ''), 'hex');
    return purposes[this.#purpose].prefix + Buffer.concat([id, mac]).toString('base64url');
  }

  #key(userId: UserId): Key {
    return { pk: keyOf('USER', userId), sk: keyOf('MAILED-TOKEN', this.#purpose) };
  }
}

export const invalidToken = () =>
  new InvalidMailedToken('The token is not valid: it was used, newer ones were mailed, or it has expired.');

/** The tokens of an item, newest first. */
const tokensOf = ({ tokenHash, requestedAt, email, earlier = [] }: StoredMailedToken): readonly EarlierToken[] => [
  { tokenHash, requestedAt, email },
  ...earlier,
];

/** A token has 256 bits that nobody can guess, so a fast hash is enough. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const userIdOf = (token: string, prefix: string): UserId | undefined => {
  const body = token.slice(prefix.length);
  if (!token.startsWith(prefix) || !/^[\w-]{64}$/.test(body)) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length !== idBytes + macBytes) return undefined;
  const hex = bytes.subarray(0, idBytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as UserId;
};
