import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals } from '#shared/platform/table';
import { Credentials, type SubmittedCredentials } from './credentials.ts';
import { hashPassword, isOutdated } from './passwords.ts';
import { InvalidCredentials, InvalidTotp } from './refusals.ts';
import type { OpenSession, Sessions } from './sessions.ts';
import type { Client } from './stored-session.ts';

/**
 * A refusal of an address or a password is answered no sooner than this after the request: what is done for it differs a little
 * between addresses that have an owner and others (docs/decisions/logins.md), and nobody is to measure it.
 */
export const refusalMs = 400;

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/** Logging in with a password, and a code where there is a second factor. */
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
   * @throws {InvalidCredentials} after the same time for an unknown address and a wrong password
   * @throws {TotpRequired | InvalidTotp | TooManyAttempts}
   */
  async logIn(
    { email, ...shown }: SubmittedCredentials & { readonly email: string },
    client: Client,
  ): Promise<OpenSession> {
    const { clock } = this.#ports;
    const refusalIsDue = clock.now() + refusalMs;
    try {
      return await this.#logIn(email, shown, client);
    } catch (error) {
      if (error instanceof InvalidCredentials) await clock.sleep(Math.max(0, refusalIsDue - clock.now()));
      throw error;
    }
  }

  async #logIn(email: string, shown: SubmittedCredentials, client: Client): Promise<OpenSession> {
    const origin = { actor: { kind: 'anonymous' }, source: client } as const;
    const proof = await this.#credentials.ofLogin(email, shown, origin);
    const { user } = proof;
    const opened = await this.#sessions.open(user.userId, client, proof).catch(async (error: unknown) => {
      if (error instanceof InvalidTotp) await this.#credentials.refuseCode(user.userId, origin);
      throw error;
    });
    await proof.attempt.succeeded();
    if (isOutdated(user.passwordHash)) await this.#rehash(user, shown.password);
    return opened;
  }

  /** Only now is the password known to hash it with the parameters of today. */
  async #rehash({ userId, passwordHash }: StoredUser, password: string): Promise<void> {
    const { table, random } = this.#ports;
    const renewed = await hashPassword(password, random);
    const changes = { set: { passwordHash: renewed }, add: { version: 1 } };
    await table.update(userKey(userId), changes, equals('passwordHash', passwordHash)).catch((error: unknown) => {
      // Another login was first, or the password was changed.
      if (!(error instanceof ConditionFailed)) throw error;
    });
  }
}
