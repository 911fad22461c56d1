import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { type EmailOwner, emailKey, noSuchUser, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { networkOf, siteOf } from '#shared/platform/addresses';
import type { Platform } from '#shared/platform/ports';
import type { Update } from '#shared/platform/table';
import { type Attempt, LoginDelays, TooManyAttempts } from './login-delays.ts';
import { passwordMatches } from './passwords.ts';
import { InvalidCredentials, InvalidTotp, TotpRequired, WrongCredentials, wrongCode } from './refusals.ts';
import { TotpCodes } from './totp-codes.ts';

/** Nobody has this id. It is read if an address has no owner, so that the number of reads is the same. */
const nobody = '00000000-0000-7000-8000-000000000000' as UserId;

/** Submitted to prove to be a user; with a code if the user has a second factor. */
export interface SubmittedCredentials {
  readonly password: string;
  readonly totp?: string | undefined;
}

/** The result of a successful check. */
export interface Proof {
  readonly user: StoredUser;
  readonly method: 'password' | 'totp' | 'recovery-code';
  /** Mark the code as used; belong into the transaction that the credentials were submitted for. */
  readonly writes: readonly Update[];
  /** To be reported as succeeded after that transaction. */
  readonly attempt: Attempt;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/**
 * Checks passwords and codes, with increasing waits after failures. A code is required only after a correct password, so
 * that its requirement does not reveal who exists.
 */
export class Credentials {
  readonly #ports: Ports;
  readonly #delays: LoginDelays;
  readonly #codes: TotpCodes;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#delays = new LoginDelays(ports);
    this.#codes = new TotpCodes(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Checks a login.
   * @throws {InvalidCredentials} the address is unknown, the password is wrong, or the user is disabled
   * @throws {TotpRequired} the password is correct, and a code is required
   * @throws {InvalidTotp} the code is wrong
   * @throws {TooManyAttempts}
   */
  async ofLogin(email: string, submitted: SubmittedCredentials, origin: AuditOrigin): Promise<Proof> {
    const { table } = this.#ports;
    const attempt = await this.#attempt(email, origin);
    const owner = await table.get<EmailOwner>(emailKey(email), { consistent: true });
    const user = await table.get<StoredUser>(userKey(owner?.userId ?? nobody), { consistent: true });
    await this.#checkPassword(user, submitted.password, origin);
    if (user === undefined) throw wrongPassword();
    return await this.#withCode(user, submitted.totp, attempt, origin);
  }

  /**
   * Checks the credentials that a user has to submit again in a session.
   * @param passwordField the field of the request that has the password
   * @throws {WrongCredentials} the password or the code is wrong, or a required code is missing
   * @throws {TooManyAttempts}
   * @throws {NotFound} the user is gone
   */
  async ofUser(
    userId: UserId,
    submitted: SubmittedCredentials,
    origin: AuditOrigin,
    passwordField = 'password',
  ): Promise<Proof> {
    const user = await this.#user(userId);
    const attempt = await this.#attempt(user.email, origin);
    return await inSession(passwordField, async () => {
      await this.#checkPassword(user, submitted.password, origin);
      return await this.#withCode(user, submitted.totp, attempt, origin);
    });
  }

  /** Records the failure of a code that was correct when it was checked and was used meanwhile. */
  async refuseCode(userId: UserId, origin: AuditOrigin): Promise<void> {
    await this.#refuse(userId, 'totp', origin);
  }

  async #user(userId: UserId): Promise<StoredUser> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw noSuchUser();
    return user;
  }

  async #attempt(email: string, origin: AuditOrigin): Promise<Attempt> {
    try {
      const { address } = origin.source;
      return await this.#delays.attempt(email, networkOf(address) ?? 'unknown', siteOf(address));
    } catch (error) {
      if (error instanceof TooManyAttempts) {
        const until = Math.ceil(this.#ports.clock.now() + error.retryAfterMs);
        // Without the user: whether the address has an owner has not been looked up.
        await this.#audit.record({ ...origin, type: 'auth.locked', after: { until } });
      }
      throw error;
    }
  }

  async #checkPassword(user: StoredUser | undefined, password: string, origin: AuditOrigin): Promise<void> {
    const isRight = await passwordMatches(password, user?.passwordHash);
    if (isRight && user !== undefined && user.disabled !== true) return;
    await this.#refuse(user?.userId, user === undefined ? 'unknown-user' : isRight ? 'disabled' : 'password', origin);
    throw wrongPassword();
  }

  async #withCode(user: StoredUser, code: string | undefined, attempt: Attempt, origin: AuditOrigin): Promise<Proof> {
    if (user.totpEnabled !== true) return { user, method: 'password', writes: [], attempt };
    if (code === undefined) {
      await attempt.withdraw();
      // Not a failure that delays, but the user should see that somebody has their password.
      await this.#refuse(user.userId, 'no-code', origin);
      throw new TotpRequired('Send the code from your authenticator app, or a recovery code, as "totp".');
    }
    const proof = await this.#codes.prove(user.userId, code);
    if (proof === undefined) {
      await this.#refuse(user.userId, 'totp', origin);
      throw wrongCode();
    }
    return { user, method: proof.method, writes: [proof.write], attempt };
  }

  async #refuse(
    userId: UserId | undefined,
    reason: 'unknown-user' | 'password' | 'disabled' | 'totp' | 'no-code',
    origin: AuditOrigin,
  ): Promise<void> {
    const whose = userId === undefined ? {} : { trail: userId, target: userId };
    await this.#audit.record({ ...origin, ...whose, type: 'auth.login-failed', after: { reason } });
  }
}

/** Whoever is logged in is told which field is wrong: they know that they exist. */
const inSession = async (passwordField: string, check: () => Promise<Proof>): Promise<Proof> => {
  try {
    return await check();
  } catch (error) {
    if (error instanceof InvalidCredentials) throw new WrongCredentials(passwordField, 'The password is wrong.');
    if (error instanceof InvalidTotp || error instanceof TotpRequired) {
      throw new WrongCredentials('totp', error.message);
    }
    throw error;
  }
};

const wrongPassword = () => new InvalidCredentials('The mail address or the password is wrong.');
