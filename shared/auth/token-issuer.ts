import type { Platform } from '#shared/platform/ports';
import type { SubmittedCredentials } from './credentials.ts';
import { Logins } from './logins.ts';
import type { OpenSession, Sessions } from './sessions.ts';
import { type SigningKey, SigningKeys } from './signing-keys.ts';
import type { Client } from './stored-session.ts';
import { accessTokenSeconds, issueAccessToken } from './tokens.ts';

/** What a client uses a session with (RFC 6749, 5.1). */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Single-use. */
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
}

type Ports = ConstructorParameters<typeof Logins>[0] & Pick<Platform, 'ids'>;

/**
 * Issues tokens to clients that log in or refresh. The signing key is fetched first: a code or refresh token is used up only
 * when the new tokens can be signed.
 */
export class TokenIssuer {
  readonly #sessions: Sessions;
  readonly #logins: Logins;
  readonly #keys: SigningKeys;

  constructor(ports: Ports, sessions: Sessions) {
    this.#sessions = sessions;
    this.#logins = new Logins(ports, sessions);
    this.#keys = new SigningKeys(ports);
  }

  /** Opens a session. @throws what {@link Logins.logIn} throws */
  async logIn(credentials: SubmittedCredentials & { readonly email: string }, client: Client): Promise<IssuedTokens> {
    const key = await this.#keys.current();
    return await this.#issue(key, await this.#logins.logIn(credentials, client));
  }

  /** Continues the session of a refresh token. @throws {InvalidRefreshToken | RefreshReused} see {@link Sessions.refresh} */
  async refresh(refreshToken: string, client: Client): Promise<IssuedTokens> {
    const key = await this.#keys.current();
    return await this.#issue(key, await this.#sessions.refresh(refreshToken, client));
  }

  async #issue(key: SigningKey, opened: OpenSession): Promise<IssuedTokens> {
    const { session, refreshToken, issuedAt, accessTokenId } = opened;
    // Neither time nor id are taken now: a refresh that is repeated gets the very same access token.
    const of = { clock: { now: () => issuedAt }, ids: { next: () => accessTokenId } };
    const accessToken = await issueAccessToken(key, of, session);
    return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn: accessTokenSeconds };
  }
}
