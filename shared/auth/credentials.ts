import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { type EmailOwner, emailKey, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { networkOf } from '#shared/platform/addresses';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Update } from '#shared/platform/table';
import { type Attempt, LoginDelays, TooManyAttempts } from './login-delays.ts';
import { passwordMatches } from './passwords.ts';
import { InvalidCredentials, TotpRequired, wrongCode } from './refusals.ts';
import { TotpCodes } from './totp-codes.ts';

/** Nobody has this id: read where an address has no owner, so that it takes as many reads. */
const nobody = '00000000-0000-7000-8000-000000000000' as UserId;

/** What somebody shows for being a user; the code where there is a second factor. */
export interface SubmittedCredentials {
  readonly password: string;
  readonly totp?: string | undefined;
}

/** Credentials that were right. */
export interface Proof {
  readonly user: StoredUser;
  readonly method: 'password' | 'totp' | 'recovery-code';
  /** Uses the code up; belongs into the transaction of what it was shown for. */
  readonly writes: readonly Update[];
  /** To be told of the success once that is made. */
  readonly attempt: Attempt;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/**
 * Passwords and codes, with growing waits after wrong ones. The code is asked for only once the password was right, so
 * that nobody learns from it who exists.
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
   * @throws {TotpRequired} the password is right, and a code is needed
   * @throws {InvalidTotp} the code is wrong
   * @throws {TooManyAttempts}
   */
  async ofLogin(email: string, shown: SubmittedCredentials, origin: AuditOrigin): Promise<Proof> {
    const { table } = this.#ports;
    const attempt = await this.#attempt(email, origin);
    const owner = await table.get<EmailOwner>(emailKey(email), { consistent: true });
    const user = await table.get<StoredUser>(userKey(owner?.userId ?? nobody), { consistent: true });
    await this.#checkPassword(user, shown.password, origin);
    if (user === undefined) throw wrongPassword();
    return await this.#withCode(user, shown.totp, attempt, origin);
  }

  /**
   * Checks what a user shows again before they change how they log in.
   * @throws as {@link ofLogin}
   * @throws {NotFound} the user is gone
   */
  async ofUser(userId: UserId, shown: SubmittedCredentials, origin: AuditOrigin): Promise<Proof> {
    const user = await this.#user(userId);
    const attempt = await this.#attempt(user.email, origin);
    await this.#checkPassword(user, shown.password, origin);
    return await this.#withCode(user, shown.totp, attempt, origin);
  }

  /** Checks a code alone, of a user who has a second factor. @throws {InvalidTotp | TooManyAttempts | NotFound} */
  async ofCode(userId: UserId, code: string, origin: AuditOrigin): Promise<Proof> {
    const user = await this.#user(userId);
    return await this.#withCode(user, code, await this.#attempt(user.email, origin), origin);
  }

  /** Writes down that a code failed which was right when it was checked: somebody used it meanwhile. */
  async refuseCode(userId: UserId, origin: AuditOrigin): Promise<void> {
    await this.#refuse(userId, 'totp', origin);
  }

  async #user(userId: UserId): Promise<StoredUser> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw new NotFound('This user does not exist any more.');
    return user;
  }

  async #attempt(email: string, origin: AuditOrigin): Promise<Attempt> {
    try {
      return await this.#delays.attempt(email, networkOf(origin.source.address) ?? 'unknown');
    } catch (error) {
      if (error instanceof TooManyAttempts) {
        const until = Math.ceil(this.#ports.clock.now() + error.retryAfterMs);
        // Without the user: whether there is one is not looked up.
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
      throw new TotpRequired('Send the code of your authenticator app, or a recovery code, as "totp".');
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
    reason: 'unknown-user' | 'password' | 'disabled' | 'totp',
    origin: AuditOrigin,
  ): Promise<void> {
    const whose = userId === undefined ? {} : { trail: userId, target: userId };
    await this.#audit.record({ ...origin, ...whose, type: 'auth.login-failed', after: { reason } });
  }
}

const wrongPassword = () => new InvalidCredentials('The mail address or the password is wrong.');
