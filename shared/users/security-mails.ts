import { AuditLog } from '#shared/audit/audit-log';
import { MailedTokens } from '#shared/auth/mailed-token';
import { type EmailOwner, emailKey, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { SecurityMailJob, SecurityNotice } from './security-mail-job.ts';
import { noticeMail, resetMail, verificationMail } from './security-mail-texts.ts';

type Ports = Pick<Platform, 'config' | 'table' | 'secrets' | 'random' | 'clock' | 'logger' | 'mailer'>;
type OrderOf<Kind extends SecurityMailJob['mail']> = Extract<SecurityMailJob, { readonly mail: Kind }>;

/** Sends the mails about accounts that were ordered; an order that comes again sends nothing new. */
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

  /** @throws the mail was not sent and is to be tried again */
  async send(order: SecurityMailJob): Promise<void> {
    switch (order.mail) {
      case 'password-reset':
        return await this.#sendReset(order);
      case 'email-verification':
        return await this.#sendVerification(order);
      default:
        return await this.#sendNotice(order);
    }
  }

  async #sendReset(order: OrderOf<'password-reset'>): Promise<void> {
    const { table, mailer, config } = this.#ports;
    const owner = await table.get<EmailOwner>(emailKey(order.email), { consistent: true });
    const user = owner && (await this.#user(owner.userId));
    if (user === undefined) return;
    const { userId, email } = user;
    const issued = await this.#resets.issue(userId, email, order);
    if (issued === undefined) return;
    if (issued.write !== undefined) {
      const asked = { actor: { kind: 'anonymous' }, source: order.source } as const;
      const type = 'auth.password-reset-requested';
      await this.#audit.transact([issued.write], { ...asked, type, trail: userId, target: userId }).catch(ifOvertaken);
    }
    await mailer.send(resetMail(order.orderId, email, issued.token, this.#resets.goodMinutes, config.mail.appUrl));
    await this.#resets.mailed(userId, order);
  }

  async #sendVerification(order: OrderOf<'email-verification'>): Promise<void> {
    const { table, mailer, config } = this.#ports;
    const user = await this.#user(order.userId as UserId);
    if (user === undefined || user.emailVerifiedAt !== undefined) return;
    const { userId, email } = user;
    const issued = await this.#verifications.issue(userId, email, order);
    if (issued === undefined) return;
    if (issued.write !== undefined) await table.transact([issued.write]).catch(ifOvertaken);
    await mailer.send(
      verificationMail(order.orderId, email, issued.token, this.#verifications.goodMinutes, config.mail.appUrl),
    );
    await this.#verifications.mailed(userId, order);
  }

  async #sendNotice(notice: SecurityNotice): Promise<void> {
    const user = await this.#user(notice.userId as UserId);
    if (user === undefined) return;
    // Else the change was not made, or a later one has its own notice.
    const change = notice.mail === 'password-changed' ? user.passwordChange : user.totpChange;
    if (change === notice.orderId) await this.#ports.mailer.send(noticeMail(notice, user.email));
  }

  async #user(userId: UserId): Promise<StoredUser | undefined> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    return user?.disabled === true ? undefined : user;
  }
}

const ifOvertaken = (error: unknown): never => {
  if (!(error instanceof TransactionCanceled)) throw error;
  throw new Unavailable('Another order of this mail is under way.', { cause: error });
};
