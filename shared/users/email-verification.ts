import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { invalidToken, MailedTokens } from '#shared/auth/mailed-token';
import { enqueueSecurityMail } from '#shared/auth/security-mail-job';
import { userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals, type Update } from '#shared/platform/table';

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** The verification of mail addresses. */
export class EmailVerification {
  readonly #ports: Ports;
  readonly #tokens: MailedTokens;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#tokens = new MailedTokens(ports, 'email-verification');
    this.#audit = new AuditLog(ports);
  }

  /** Has a token mailed to the user, unless the address is verified or a mail was just sent. */
  async request(userId: UserId): Promise<void> {
    const { clock, ids } = this.#ports;
    await enqueueSecurityMail(this.#ports, {
      mail: 'email-verification',
      requestId: ids.next(),
      requestedAt: clock.now(),
      userId,
    });
  }

  /** @throws {InvalidMailedToken} */
  async verify(token: string, origin: AuditOrigin): Promise<void> {
    const { userId, email, write } = await this.#tokens.prove(token);
    const update: Update = {
      update: userKey(userId),
      changes: { set: { emailVerifiedAt: this.#ports.clock.now() }, add: { version: 1 } },
      if: equals('email', email),
    };
    const event = { ...origin, type: 'auth.email-verified', trail: userId, target: userId } as const;
    try {
      await this.#audit.transact([write, update], event);
    } catch (error) {
      throw error instanceof TransactionCanceled ? invalidToken() : error;
    }
  }
}
