import { createHash, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '#shared/platform/ports';
import type { Table } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import { publicKeys, type SigningKey } from './keys.ts';
import { type Role, SCOPES_OF_ROLE, type Scope } from './scopes.ts';

/** How long an access token is good. */
export const accessTokenSeconds = 3600;
const issuer = 'alphapulse';
const audience = 'alphapulse-api';
/** JWT access tokens by RFC 9068; the explicit type keeps other JWTs from passing as one (RFC 8725, 3.11). */
const tokenType = 'at+jwt';
const algorithm = 'EdDSA';
/** How long an answer of the verifier stands without looking again. */
const cacheSeconds = 60;
const cachedTokensMax = 2000;
const tokenLengthMax = 4096;
/** Unknown key ids make the verifier read the published keys anew, at most so often in a window of this length. */
const keysReadsMax = 5;
const keysWindowSeconds = 10;

export const issueAccessToken = async (
  { kid, key }: SigningKey,
  clock: Clock,
  user: { readonly userId: UserId; readonly role: Role },
): Promise<string> => {
  const issuedAt = Math.floor(clock.now() / 1000);
  return await new SignJWT({ scope: SCOPES_OF_ROLE[user.role].join(' ') })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(user.userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .sign(key);
};

/** What a token says of its bearer, or why it is refused. */
export type Verdict =
  | { readonly userId: UserId; readonly scopes: readonly Scope[]; readonly expiresAt: number }
  | { readonly refusal: 'invalid' | 'expired' };

/** Checks access tokens, and remembers the good ones for a short time. */
export class TokenVerifier {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #cache = new Map<string, { readonly verdict: Verdict; readonly until: number }>();
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #keysReading: Promise<unknown> | undefined;
  #keysReads = 0;
  #keysWindow = Number.NaN;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async verify(token: string): Promise<Verdict> {
    if (token.length > tokenLengthMax) return { refusal: 'invalid' };
    const fingerprint = createHash('sha256').update(token).digest('base64');
    const cached = this.#cache.get(fingerprint);
    if (cached !== undefined && cached.until > this.#clock.now()) return cached.verdict;
    const verdict = await this.#check(token);
    if ('userId' in verdict) this.#remember(fingerprint, verdict);
    return verdict;
  }

  async #check(token: string): Promise<Verdict> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: [algorithm],
        typ: tokenType,
        issuer,
        audience,
        requiredClaims: ['sub', 'exp', 'iat', 'scope'],
        currentDate: new Date(this.#clock.now()),
      });
      const { sub, exp, scope } = payload;
      if (sub === undefined || exp === undefined || typeof scope !== 'string') return { refusal: 'invalid' };
      return { userId: sub as UserId, scopes: scope.split(' ') as Scope[], expiresAt: exp * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { refusal: 'expired' };
      if (error instanceof errors.JOSEError) return { refusal: 'invalid' };
      throw error;
    }
  }

  async #keyOf(kid: string | undefined): Promise<KeyObject> {
    if (kid === undefined) throw new errors.JWKSNoMatchingKey();
    // A read that is under way may bring it; one that began before the key was published does not.
    if (!this.#keys.has(kid) && this.#keysReading !== undefined) await this.#keysReading;
    if (!this.#keys.has(kid)) await this.#readKeys();
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
    } catch (error) {
      // What could not be read says nothing about the token, so the next one may try again.
      this.#keysReads -= 1;
      throw error;
    } finally {
      if (this.#keysReading === reading) this.#keysReading = undefined;
    }
  }

  #remember(fingerprint: string, verdict: Verdict & { readonly expiresAt: number }): void {
    if (this.#cache.size >= cachedTokensMax) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    const until = Math.min(verdict.expiresAt, this.#clock.now() + cacheSeconds * 1000);
    this.#cache.set(fingerprint, { verdict, until });
  }
}
