import { createHash, type KeyObject } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { type Role, SCOPES_OF_ROLE, type Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import type { Clock, Ids, Platform } from '#shared/platform/ports';
import type { Table } from '#shared/platform/table';
import { publicKeys } from './published-keys.ts';
import type { SigningKey } from './signing-keys.ts';
import { isOver, type SessionId, type StoredSession, sessionKey } from './stored-session.ts';
import { TtlCache } from './ttl-cache.ts';

/** How long an access token is valid. */
export const accessTokenSeconds = 900;
const issuer = 'alphapulse';
const audience = 'alphapulse-api';
/** RFC 9068 requires a client id; all clients are programs of the user. */
const clientId = 'alphapulse';
/** JWT access tokens per RFC 9068; the explicit type keeps other JWTs from being accepted (RFC 8725, 3.11). */
const tokenType = 'at+jwt';
const algorithm = 'EdDSA';
/** How long verified signatures, the published keys and, on AWS, sessions are cached. */
const cacheSeconds = 60;
const tokenLengthMax = 4096;
/** Unknown key ids make the verifier read the published keys again, at most this often per window of this length. */
const keysReadsMax = 5;
const keysWindowSeconds = 10;

export const issueAccessToken = async (
  { kid, key }: SigningKey,
  { clock, ids }: { readonly clock: Pick<Clock, 'now'>; readonly ids: Ids },
  session: { readonly userId: UserId; readonly role: Role; readonly sessionId: SessionId },
): Promise<string> => {
  const issuedAt = Math.floor(clock.now() / 1000);
  return await new SignJWT({
    scope: SCOPES_OF_ROLE[session.role].join(' '),
    sid: session.sessionId,
    client_id: clientId,
  })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(session.userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .setJti(ids.next())
    .sign(key);
};

/** The bearer of a valid token; `expiresAt` is the expiry of the token, epoch ms. */
export interface Bearer {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number;
}

/** The bearer of a token, or why it is refused. */
export type Verdict = Bearer | { readonly refusal: 'invalid' | 'expired' | 'ended' };

type Claims = Pick<Bearer, 'userId' | 'sessionId' | 'expiresAt'>;

/**
 * Checks access tokens, and that their session has not ended. The scopes are those of the session's user now, whatever the
 * token said when it was issued. A session is read each time on one machine, and once a minute on AWS.
 */
export class TokenVerifier {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #sessionSeconds: number;
  readonly #claims: TtlCache<Claims>;
  readonly #sessions: TtlCache<StoredSession>;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #keysUntil = 0;
  #keysReading: Promise<unknown> | undefined;
  #keysReads = 0;
  #keysWindow = Number.NaN;

  constructor({ table, clock, config }: Pick<Platform, 'table' | 'clock' | 'config'>) {
    this.#table = table;
    this.#clock = clock;
    this.#claims = new TtlCache(clock);
    this.#sessions = new TtlCache(clock);
    this.#sessionSeconds = config.auth.sessionCacheSeconds;
  }

  /** @param freshSession reads the session again even if a recent read is cached */
  async verify(token: string, { freshSession = false } = {}): Promise<Verdict> {
    if (token.length > tokenLengthMax) return { refusal: 'invalid' };
    const claims = await this.#claimsOf(token);
    if ('refusal' in claims) return claims;
    const session = await this.#sessionOf(claims, freshSession);
    if (session === undefined || isOver(session, this.#clock.now())) return { refusal: 'ended' };
    return { ...claims, scopes: SCOPES_OF_ROLE[session.role] };
  }

  async #claimsOf(token: string): Promise<Claims | { readonly refusal: 'invalid' | 'expired' }> {
    const fingerprint = createHash('sha256').update(token).digest('base64');
    const known = this.#claims.get(fingerprint);
    if (known !== undefined) return known;
    const claims = await this.#check(token);
    if ('refusal' in claims) return claims;
    this.#claims.set(fingerprint, claims, Math.min(claims.expiresAt, this.#clock.now() + cacheSeconds * 1000));
    return claims;
  }

  /** The session of these claims; undefined if it has ended or belongs to another user. @param isFresh whether to skip the cache */
  async #sessionOf({ userId, sessionId }: Claims, isFresh: boolean): Promise<StoredSession | undefined> {
    const known = isFresh ? undefined : this.#sessions.get(sessionId);
    if (known !== undefined) return known.userId === userId ? known : undefined;
    const session = await this.#table.get<StoredSession>(sessionKey(userId, sessionId), { consistent: true });
    if (session !== undefined && this.#sessionSeconds > 0) {
      this.#sessions.set(sessionId, session, this.#clock.now() + this.#sessionSeconds * 1000);
    }
    return session;
  }

  async #check(token: string): Promise<Claims | { readonly refusal: 'invalid' | 'expired' }> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: ['sub', 'sid', 'exp', 'iat', 'scope'],
        currentDate: new Date(this.#clock.now()),
      });
      return claimsOf(payload) ?? { refusal: 'invalid' };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { refusal: 'expired' };
      if (error instanceof errors.JOSEError) return { refusal: 'invalid' };
      throw error;
    }
  }

  async #keyOf(kid: string | undefined): Promise<KeyObject> {
    if (kid === undefined) throw new errors.JWKSNoMatchingKey();
    const isToRead = () => !this.#keys.has(kid) || this.#keysUntil <= this.#clock.now();
    // A read in progress may bring the key, unless it began before the key was published.
    if (isToRead() && this.#keysReading !== undefined) await this.#keysReading;
    if (isToRead()) await this.#readKeys();
    const key = this.#keys.get(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  async #readKeys(): Promise<void> {
    const window = Math.floor(this.#clock.now() / (keysWindowSeconds * 1000));
    if (window !== this.#keysWindow) [this.#keysWindow, this.#keysReads] = [window, 0];
    if (this.#keysReads >= keysReadsMax) return;
    this.#keysReads += 1;
    const reading = publicKeys(this.#table);
    this.#keysReading = reading;
    try {
      this.#keys = await reading;
      this.#keysUntil = this.#clock.now() + cacheSeconds * 1000;
    } catch (error) {
      // A failed read does not count: the next token may try again.
      this.#keysReads -= 1;
      throw error;
    } finally {
      if (this.#keysReading === reading) this.#keysReading = undefined;
    }
  }
}

/** The claims of a verified payload; undefined if one has the wrong type or cannot be part of a key. */
const claimsOf = ({ sub, sid, exp, scope }: JWTPayload): Claims | undefined => {
  if (typeof sid !== 'string' || typeof scope !== 'string' || exp === undefined) return undefined;
  if (!isId(sub) || !isId(sid)) return undefined;
  return { userId: sub as UserId, sessionId: sid as SessionId, expiresAt: exp * 1000 };
};

const isId = (claim: string | undefined): boolean => claim !== undefined && /^[\w-]{1,64}$/.test(claim);
