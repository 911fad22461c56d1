import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals } from '#shared/platform/table';
import { Credentials, type SubmittedCredentials } from './credentials.ts';
import { hashPassword, isOutdated } from './passwords.ts';
import type { OpenSession } from './refresh-tokens.ts';
import { InvalidCredentials, InvalidTotp } from './refusals.ts';
import type { Sessions } from './sessions.ts';
import type { Client } from './stored-session.ts';

/**
 * A wrong address or password is answered no sooner than this after the request: the work differs a little between addresses
 * with and without an owner (docs/decisions/logins.md), which must not be measurable.
 */
export const refusalMs = 400;

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/** Logging in with a password, and a code if the user has a second factor. */
export class Logins {
  readonly #ports: Ports;
  readonly #credentials: Credentials;
  readonly #sessions: Sessions;

  constructor(ports: Ports, sessions: Sessions) {
    this.#ports = ports;
    this.#credentials = new Credentials(ports);
    this.#sessions = sessions;
  }

  /**
   * Opens a session.
   * @throws {InvalidCredentials} after the same time for an unknown address as for a wrong password
   * @throws {TotpRequired | InvalidTotp | TooManyAttempts}
   */
  async logIn(
    { email, ...submitted }: SubmittedCredentials & { readonly email: string },
    client: Client,
  ): Promise<OpenSession> {
    const { clock } = this.#ports;
    const refusalIsDue = clock.now() + refusalMs;
    try {
      return await this.#logIn(email, submitted, client);
    } catch (error) {
      if (error instanceof InvalidCredentials) await clock.sleep(Math.max(0, refusalIsDue - clock.now()));
      throw error;
    }
  }

  async #logIn(email: string, submitted: SubmittedCredentials, client: Client): Promise<OpenSession> {
    const origin = { actor: { kind: 'anonymous' }, source: client } as const;
    const proof = await this.#credentials.ofLogin(email, submitted, origin);
    const { user } = proof;
    const opened = await this.#sessions.open(user.userId, client, proof).catch(async (error: unknown) => {
      if (error instanceof InvalidTotp) await this.#credentials.refuseCode(user.userId, origin);
      throw error;
    });
    await proof.attempt.succeeded();
    if (isOutdated(user.passwordHash)) await this.#rehash(user, submitted.password);
    return opened;
  }

  /** Hashes the password with the current parameters, which is possible only when it was submitted. */
  async #rehash({ userId, passwordHash }: StoredUser, password: string): Promise<void> {
    const { table, random } = this.#ports;
    const renewed = await hashPassword(password, random);
    const changes = { set: { passwordHash: renewed }, add: { version: 1 } };
    await table.update(userKey(userId), changes, equals('passwordHash', passwordHash)).catch((error: unknown) => {
      // Another login rehashed it first, or the password was changed.
      if (!(error instanceof ConditionFailed)) throw error;
    });
  }
}
