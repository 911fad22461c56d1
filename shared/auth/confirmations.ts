import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { PRESENT } from '#shared/platform/table';
import { Credentials, type SubmittedCredentials } from './credentials.ts';
import { SessionEnded, wrongCodeAgain } from './refusals.ts';
import { type SessionId, sessionKey } from './stored-session.ts';

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/**
 * Confirmation of sessions (step-up): what outlives a session or reaches the outside requires that its user submitted their
 * password, and code, within the last `confirmedMinutes` minutes, so that a stolen access token is not enough.
 */
export class Confirmations {
  readonly #ports: Ports;
  readonly #credentials: Credentials;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#credentials = new Credentials(ports);
    this.#audit = new AuditLog(ports);
  }

  /** Confirms a session. @throws {WrongCredentials | TooManyAttempts | SessionEnded | NotFound} */
  async confirm(
    userId: UserId,
    sessionId: SessionId,
    submitted: SubmittedCredentials,
    origin: AuditOrigin,
  ): Promise<void> {
    const { method, writes, attempt } = await this.#credentials.ofUser(userId, submitted, origin);
    const set = { confirmedAt: this.#ports.clock.now() };
    const confirmed = { update: sessionKey(userId, sessionId), changes: { set }, if: PRESENT };
    const event = { ...origin, type: 'auth.session-confirmed', target: sessionId, after: { method } } as const;
    try {
      await this.#audit.transact([...writes, confirmed], event);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      throw error.failed.includes(writes.length) ? new SessionEnded() : wrongCodeAgain();
    }
    await attempt.succeeded();
  }
}
