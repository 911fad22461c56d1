import type { AuditOrigin } from '#shared/audit/entry';
import { ApiKeys } from '#shared/auth/api-keys';
import { Credentials } from '#shared/auth/credentials';
import { inSession } from '#shared/auth/in-session';
import { invalidToken, MailedTokens } from '#shared/auth/mailed-token';
import { checkNewPassword } from '#shared/auth/password-policy';
import { hashPassword } from '#shared/auth/passwords';
import { wrongCodeAgain } from '#shared/auth/refusals';
import { enqueueSecurityMail, enqueueSecurityNotice } from '#shared/auth/security-mail-job';
import type { Sessions } from '#shared/auth/sessions';
import type { SessionId } from '#shared/auth/stored-session';
import { hasCredentialsOf, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, PRESENT, type Update, type WriteCondition } from '#shared/platform/table';

const field = 'newPassword';
const isEnabled: WriteCondition = { path: 'disabled', is: '<>', value: true };

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** Changes of passwords, by their users or with a mailed token. The user's other sessions end, and their API keys are deleted. */
export class PasswordChanges {
  readonly #ports: Ports;
  readonly #sessions: Sessions;
  readonly #credentials: Credentials;
  readonly #tokens: MailedTokens;
  readonly #apiKeys: ApiKeys;

  constructor(ports: Ports, sessions: Sessions) {
    this.#ports = ports;
    this.#sessions = sessions;
    this.#credentials = new Credentials(ports);
    this.#tokens = new MailedTokens(ports, 'password-reset');
    this.#apiKeys = new ApiKeys(ports);
  }

  /**
   * Changes the password of a user who submits the current one, ends their other sessions, deletes their API keys unless
   * `keepApiKeys`, and mails a notice.
   * @param session the session that is kept
   * @throws {InvalidInput} the new password is weak, or the same as the current one
   * @throws {WrongCredentials | TooManyAttempts | NotFound}
   * @throws {Conflict} the password, the second factor or the API keys were changed meanwhile
   * @throws {SessionEnded} of the request
   */
  async change(
    userId: UserId,
    session: SessionId,
    submitted: {
      readonly currentPassword: string;
      readonly newPassword: string;
      readonly totp?: string | undefined;
      readonly keepApiKeys?: boolean | undefined;
    },
    origin: AuditOrigin,
  ): Promise<void> {
    const { currentPassword, newPassword, totp, keepApiKeys = false } = submitted;
    const { user, writes, attempt } = await this.#credentials.ofUser(
      userId,
      { password: currentPassword, totp },
      origin,
      'currentPassword',
    );
    await checkNewPassword(newPassword, user, field);
    if (newPassword === currentPassword) throw new InvalidInput(field, 'must not be the current password');
    const set = await this.#changed(userId, newPassword, origin);
    const update: Update = {
      update: userKey(userId),
      changes: { set, add: { version: 1 } },
      if: allOf(PRESENT, hasCredentialsOf(user)),
    };
    const removed = keepApiKeys ? { keys: 0, writes: [] } : await this.#apiKeys.removals(userId);
    const changed = { ...origin, type: 'auth.password-changed', trail: userId, target: userId } as const;
    const event = { ...changed, after: { apiKeysDeleted: removed.keys } };
    try {
      await inSession(origin, [...writes, update, ...removed.writes], (all) =>
        this.#sessions.endWith(userId, session, all, () => event),
      );
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      if (error.failed.every((index) => index < writes.length)) throw wrongCodeAgain();
      throw new Conflict('The password, the second factor or the API keys were changed meanwhile.');
    }
    await attempt.succeeded();
  }

  /** Has a token mailed to the owner of the address, if there is one; the answer and its time do not depend on that. */
  async requestReset(email: string, { source }: AuditOrigin): Promise<void> {
    const { clock, ids } = this.#ports;
    const request = { requestId: ids.next(), requestedAt: clock.now() };
    await enqueueSecurityMail(this.#ports, { mail: 'password-reset', ...request, email, source });
  }

  /**
   * Sets a password with a mailed token, ends the user's sessions, deletes their API keys, and mails a notice. The second factor is kept. The token
   * verifies the mail address as well.
   * @throws {InvalidMailedToken} it is not valid, or was used at the same moment
   * @throws {InvalidInput} the new password is weak; the token remains valid
   * @throws {Conflict} an API key was created meanwhile; the token remains valid
   */
  async reset(token: string, newPassword: string, origin: AuditOrigin): Promise<void> {
    const { table, clock } = this.#ports;
    const { userId, email, write } = await this.#tokens.prove(token);
    const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined || user.disabled === true || user.email !== email) throw invalidToken();
    await checkNewPassword(newPassword, user, field);
    const { emailVerifiedAt = clock.now() } = user;
    const set = { ...(await this.#changed(userId, newPassword, origin)), emailVerifiedAt };
    const update: Update = {
      update: userKey(userId),
      changes: { set, add: { version: 1 } },
      if: allOf(PRESENT, isEnabled),
    };
    const removed = await this.#apiKeys.removals(userId);
    const done = { ...origin, type: 'auth.password-reset', trail: userId, target: userId } as const;
    const event = { ...done, after: { apiKeysDeleted: removed.keys } };
    const own = [write, update];
    try {
      await this.#sessions.endWith(userId, undefined, [...own, ...removed.writes], () => event);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      if (error.failed.some((index) => index < own.length)) throw invalidToken();
      throw new Conflict('The API keys were changed meanwhile; try again.');
    }
  }

  /** Enqueues the notice of a change, and returns the attributes that make it. */
  async #changed(userId: UserId, newPassword: string, { source }: AuditOrigin) {
    const { clock, ids, random } = this.#ports;
    const passwordHash = await hashPassword(newPassword, random);
    const passwordChange = ids.next();
    const request = { requestId: passwordChange, requestedAt: clock.now() };
    await enqueueSecurityNotice(this.#ports, { mail: 'password-changed', ...request, userId, source });
    return { passwordHash, passwordChange };
  }
}
