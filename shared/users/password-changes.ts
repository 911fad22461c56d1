import type { AuditOrigin } from '#shared/audit/entry';
import { Credentials } from '#shared/auth/credentials';
import { invalidToken, MailedTokens } from '#shared/auth/mailed-token';
import { checkNewPassword } from '#shared/auth/password-policy';
import { hashPassword } from '#shared/auth/passwords';
import { wrongCode } from '#shared/auth/refusals';
import type { Sessions } from '#shared/auth/sessions';
import type { SessionId } from '#shared/auth/stored-session';
import { hasCredentialsOf, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, PRESENT, type Update, type WriteCondition } from '#shared/platform/table';
import { enqueueSecurityMail, enqueueSecurityNotice } from './security-mail-job.ts';

const field = 'newPassword';
const isEnabled: WriteCondition = { path: 'disabled', is: '<>', value: true };

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** How passwords become other ones: by their users, or with a token that was mailed. Whoever was logged in is out afterwards. */
export class PasswordChanges {
  readonly #ports: Ports;
  readonly #sessions: Sessions;
  readonly #credentials: Credentials;
  readonly #tokens: MailedTokens;

  constructor(ports: Ports, sessions: Sessions) {
    this.#ports = ports;
    this.#sessions = sessions;
    this.#credentials = new Credentials(ports);
    this.#tokens = new MailedTokens(ports, 'password-reset');
  }

  /**
   * Changes the password of a user who shows the present one, ends their other sessions, and mails a notice.
   * @param session the one that stays
   * @throws {InvalidInput} the new password is weak, or the present one
   * @throws {InvalidCredentials | TotpRequired | InvalidTotp | TooManyAttempts | NotFound}
   * @throws {Conflict} password or second factor were changed meanwhile
   */
  async change(
    userId: UserId,
    session: SessionId,
    asked: { readonly currentPassword: string; readonly newPassword: string; readonly totp?: string | undefined },
    origin: AuditOrigin,
  ): Promise<void> {
    const { currentPassword, newPassword, totp } = asked;
    const { user, writes, attempt } = await this.#credentials.ofUser(
      userId,
      { password: currentPassword, totp },
      origin,
    );
    checkNewPassword(newPassword, user, field);
    if (newPassword === currentPassword) throw new InvalidInput(field, 'must not be the present password');
    const set = await this.#changed(userId, newPassword, origin);
    const update: Update = {
      update: userKey(userId),
      changes: { set, add: { version: 1 } },
      if: allOf(PRESENT, hasCredentialsOf(user)),
    };
    const event = { ...origin, type: 'auth.password-changed', trail: userId, target: userId } as const;
    try {
      await this.#sessions.endWith(userId, session, [...writes, update], () => event);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      if (!error.failed.includes(writes.length)) throw wrongCode();
      throw new Conflict('The password or the second factor was changed meanwhile.');
    }
    await attempt.succeeded();
  }

  /** Has a token mailed to the owner of the address, if there is one: the answer and its time are the same without. */
  async requestReset(email: string, { source }: AuditOrigin): Promise<void> {
    const { clock, ids } = this.#ports;
    const order = { mail: 'password-reset', orderId: ids.next(), at: clock.now(), email, source } as const;
    await enqueueSecurityMail(this.#ports, order);
  }

  /**
   * Sets the password of whoever shows the token that was mailed, ends their sessions, and mails a notice. A second factor
   * stays. That the mail was read proves the address as well.
   * @throws {InvalidMailedToken} it is not good, or somebody used it at the same moment
   * @throws {InvalidInput} the new password is weak; the token stays good
   */
  async reset(token: string, newPassword: string, origin: AuditOrigin): Promise<void> {
    const { table, clock } = this.#ports;
    const { userId, email, write } = await this.#tokens.prove(token);
    const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined || user.disabled === true || user.email !== email) throw invalidToken();
    checkNewPassword(newPassword, user, field);
    const { emailVerifiedAt = clock.now() } = user;
    const set = { ...(await this.#changed(userId, newPassword, origin)), emailVerifiedAt };
    const update: Update = {
      update: userKey(userId),
      changes: { set, add: { version: 1 } },
      if: allOf(PRESENT, isEnabled),
    };
    const event = { ...origin, type: 'auth.password-reset', trail: userId, target: userId } as const;
    try {
      await this.#sessions.endWith(userId, undefined, [write, update], () => event);
    } catch (error) {
      throw error instanceof TransactionCanceled ? invalidToken() : error;
    }
  }

  /** What a change of the password sets, once its notice is ordered. */
  async #changed(userId: UserId, newPassword: string, { source }: AuditOrigin) {
    const { clock, ids, random } = this.#ports;
    const passwordHash = await hashPassword(newPassword, random);
    const passwordChange = ids.next();
    const notice = { mail: 'password-changed', orderId: passwordChange, at: clock.now(), userId, source } as const;
    await enqueueSecurityNotice(this.#ports, notice);
    return { passwordHash, passwordChange };
  }
}
