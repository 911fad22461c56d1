import { accountKey, type StoredAccount } from '#shared/accounts/stored';
import { AuditLog } from '#shared/audit/audit-log';
import { MailedTokens } from '#shared/auth/mailed-token';
import type { SecurityMailJob, SecurityNotice } from '#shared/auth/security-mail-job';
import { type ApiKeyId, apiKeyKey } from '#shared/auth/stored-api-key';
import { type EmailOwner, emailKey, isEmailVerified, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { noticeMail, resetMail, verificationMail } from './security-mail-texts.ts';

type Ports = Pick<Platform, 'config' | 'table' | 'secrets' | 'random' | 'clock' | 'logger' | 'mailer'>;
type JobOf<Kind extends SecurityMailJob['mail']> = Extract<SecurityMailJob, { readonly mail: Kind }>;

/** Sends security mails; a job that is delivered again sends nothing new. */
export class SecurityMails {
  readonly #ports: Ports;
  readonly #resets: MailedTokens;
  readonly #verifications: MailedTokens;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#resets = new MailedTokens(ports, 'password-reset');
    this.#verifications = new MailedTokens(ports, 'email-verification');
    this.#audit = new AuditLog(ports);
  }

  /** @throws the mail was not sent; the job is to be retried */
  async send(job: SecurityMailJob): Promise<void> {
    switch (job.mail) {
      case 'password-reset':
        return await this.#sendReset(job);
      case 'email-verification':
        return await this.#sendVerification(job);
      default:
        return await this.#sendNotice(job);
    }
  }

  async #sendReset(job: JobOf<'password-reset'>): Promise<void> {
    const { table, mailer, config } = this.#ports;
    const owner = await table.get<EmailOwner>(emailKey(job.email), { consistent: true });
    const user = owner && (await this.#user(owner.userId));
    if (user === undefined) return;
    const { userId, email } = user;
    const issued = await this.#resets.issue(userId, email, job);
    if (issued === undefined) return;
    if (issued.write !== undefined) {
      const origin = { actor: { kind: 'anonymous' }, source: job.source } as const;
      const type = 'auth.password-reset-requested';
      await this.#audit.transact([issued.write], { ...origin, type, trail: userId, target: userId }).catch(ifOvertaken);
    }
    await mailer.send(resetMail(job.requestId, email, issued.token, this.#resets.validMinutes, config.mail.appUrl));
    await this.#resets.mailed(userId, job);
  }

  async #sendVerification(job: JobOf<'email-verification'>): Promise<void> {
    const { table, mailer, config } = this.#ports;
    const user = await this.#user(job.userId as UserId);
    if (user === undefined || user.emailVerifiedAt !== undefined) return;
    const { userId, email } = user;
    const issued = await this.#verifications.issue(userId, email, job);
    if (issued === undefined) return;
    if (issued.write !== undefined) await table.transact([issued.write]).catch(ifOvertaken);
    await mailer.send(
      verificationMail(job.requestId, email, issued.token, this.#verifications.validMinutes, config.mail.appUrl),
    );
    await this.#verifications.mailed(userId, job);
  }

  async #sendNotice(notice: SecurityNotice): Promise<void> {
    const user = await this.#user(notice.userId as UserId);
    // Otherwise the change was not made, or a later one has its own notice.
    if (user === undefined || !(await this.#isMade(notice, user))) return;
    await this.#ports.mailer.send(noticeMail(notice, user.email));
  }

  async #isMade({ mail, requestId, accountId = '' }: SecurityNotice, user: StoredUser): Promise<boolean> {
    const { table, config } = this.#ports;
    const { userId } = user;
    switch (mail) {
      case 'password-changed':
        return user.passwordChange === requestId;
      case 'totp-enabled':
      case 'totp-disabled':
        return user.totpChange === requestId;
    }
    // These can be caused at will, so they go to no address that its owner did not verify.
    if (!isEmailVerified(user, config)) return false;
    switch (mail) {
      case 'role-changed':
        return user.roleChange === requestId;
      case 'webhook-changed':
        return user.webhookChange === requestId;
      case 'api-key-created':
        return (await table.get(apiKeyKey(userId, requestId as ApiKeyId), { consistent: true })) !== undefined;
      case 'exchange-key-added':
        return (
          (await table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true }))?.keyChange === requestId
        );
    }
  }

  async #user(userId: UserId): Promise<StoredUser | undefined> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    return user?.disabled === true ? undefined : user;
  }
}

const ifOvertaken = (error: unknown): never => {
  if (!(error instanceof TransactionCanceled)) throw error;
  throw new Unavailable('Another job for this mail is in progress.', { cause: error });
};
