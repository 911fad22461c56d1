import { createHash, createHmac } from 'node:crypto';
import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import type { UserId } from '#shared/model/user-id';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Item, type Key, keyOf, type Put, type Update } from '#shared/platform/table';

/** What tokens are mailed for: what they begin with, for people and scanners for leaked secrets, and how long they are good. */
const purposes = {
  'password-reset': { prefix: 'appr_', goodMinutes: 30 },
  'email-verification': { prefix: 'apev_', goodMinutes: 24 * 60 },
} as const;
export type MailedTokenPurpose = keyof typeof purposes;

/** A user gets at most one mail of a purpose in this time. */
const restSeconds = 60;
const idBytes = 16;
const macBytes = 32;

/** The newest token of a user for a purpose. It stays when it was used, so that an order that comes again can't revive it. */
export interface StoredMailedToken extends Item {
  readonly kind: 'mailed-token';
  readonly tokenHash: string;
  readonly orderId: string;
  readonly orderedAt: number;
  /** The address that it was mailed to. */
  readonly email: string;
  readonly usedAt?: number;
  readonly mailedAt?: number;
}

/** The token of a mail is not good; whether it ever was is not told. */
export class InvalidMailedToken extends DomainError {
  readonly code = 'invalid-mailed-token';
  override readonly name = 'InvalidMailedToken';
}

/** Something asked for a token. */
export interface TokenOrder {
  /** A UUID; the same order again makes the same token. */
  readonly orderId: string;
  /** Epoch ms. */
  readonly at: number;
}

/** A token that is good, and the write that uses it up. */
export interface TokenProof {
  readonly userId: UserId;
  readonly email: string;
  readonly write: Update;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'random' | 'clock'>;

/**
 * Tokens that are mailed to prove that somebody reads an address: good once and for a short time, replaced by the next one,
 * stored as hashes. They are made of the order's id with a secret key, so that an order that is handled again mails the same one.
 */
export class MailedTokens {
  readonly #ports: Ports;
  readonly #purpose: MailedTokenPurpose;

  constructor(ports: Ports, purpose: MailedTokenPurpose) {
    this.#ports = ports;
    this.#purpose = purpose;
  }

  /** Minutes that a token is good, from its order on. */
  get goodMinutes(): number {
    return purposes[this.#purpose].goodMinutes;
  }

  /**
   * The token of an order, and the write that makes it the user's newest; without one where it is that already.
   * @returns undefined where nothing is to be mailed: it was, another one was just now, or it would be too late
   */
  async issue(
    userId: UserId,
    email: string,
    { orderId, at }: TokenOrder,
  ): Promise<{ readonly token: string; readonly write?: Put } | undefined> {
    const { table, clock } = this.#ports;
    const key = this.#key(userId);
    if (clock.now() >= at + this.goodMinutes * 60_000) return undefined;
    const before = await table.get<StoredMailedToken>(key, { consistent: true });
    const token = await this.#tokenOf(userId, orderId);
    if (before?.orderId === orderId) {
      return before.mailedAt === undefined && before.usedAt === undefined ? { token } : undefined;
    }
    if (before !== undefined && at < before.orderedAt + restSeconds * 1000) return undefined;
    const stored: StoredMailedToken = {
      ...key,
      kind: 'mailed-token',
      tokenHash: hashOf(token),
      orderId,
      orderedAt: at,
      email,
      expiresAt: Math.ceil(at / 1000) + this.goodMinutes * 60,
    };
    return { token, write: { put: stored, if: before === undefined ? ABSENT : equals('orderId', before.orderId) } };
  }

  /** Its mail is sent: the order is done. */
  async mailed(userId: UserId, { orderId }: TokenOrder): Promise<void> {
    const set = { mailedAt: this.#ports.clock.now() };
    await this.#ports.table.update(this.#key(userId), { set }, equals('orderId', orderId));
  }

  /** Whose token it is. @throws {InvalidMailedToken} it is none, was used or replaced, or is too old */
  async prove(token: string): Promise<TokenProof> {
    const { table, clock } = this.#ports;
    const userId = userIdOf(token, purposes[this.#purpose].prefix);
    if (userId === undefined) throw invalidToken();
    const key = this.#key(userId);
    const stored = await table.get<StoredMailedToken>(key, { consistent: true });
    const tokenHash = hashOf(token);
    if (stored === undefined || stored.tokenHash !== tokenHash || stored.usedAt !== undefined) throw invalidToken();
    const now = clock.now();
    if (now >= stored.orderedAt + this.goodMinutes * 60_000) throw invalidToken();
    const isGood = allOf(equals('tokenHash', tokenHash), { path: 'usedAt', is: 'absent' });
    return { userId, email: stored.email, write: { update: key, changes: { set: { usedAt: now } }, if: isGood } };
  }

  async #tokenOf(userId: UserId, orderId: string): Promise<string> {
    const { secrets, random } = this.#ports;
    const key = derivedKey(await keyMaterial(secrets, random, 'user-sealing'), `mailed-token/${this.#purpose}`);
    const mac = createHmac('sha256', key).update(`${userId}/${orderId}`).digest();
    const id = Buffer.from(userId.replaceAll('-', ''), 'hex');
    return purposes[this.#purpose].prefix + Buffer.concat([id, mac]).toString('base64url');
  }

  #key(userId: UserId): Key {
    return { pk: keyOf('USER', userId), sk: keyOf('MAILED-TOKEN', this.#purpose) };
  }
}

export const invalidToken = () =>
  new InvalidMailedToken('The token is not good: it was used, a newer one was mailed, or its time is over.');

/** It has 256 bits that nobody can guess, so that a plain hash can't be turned back. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const userIdOf = (token: string, prefix: string): UserId | undefined => {
  const body = token.slice(prefix.length);
  if (!token.startsWith(prefix) || !/^[\w-]{64}$/.test(body)) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length !== idBytes + macBytes) return undefined;
  const hex = bytes.subarray(0, idBytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as UserId;
};
