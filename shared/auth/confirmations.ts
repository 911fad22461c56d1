import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import type { UserId } from '#shared/model/user-id';
import { DomainError, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { PRESENT } from '#shared/platform/table';
import { Credentials, type SubmittedCredentials } from './credentials.ts';
import { SessionEnded, wrongCodeAgain } from './refusals.ts';
import { confirmedAtOf, isOver, type SessionId, type StoredSession, sessionKey } from './stored-session.ts';

/** How long a session counts as confirmed. */
export const confirmedMinutes = 10;

/** The session was confirmed too long ago for what is requested. */
export class ConfirmationRequired extends DomainError {
  readonly code = 'confirmation-required';
  override readonly name = 'ConfirmationRequired';
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'random' | 'logger'>;

/**
 * Confirmation of sessions (step-up): what outlives a session or reaches the outside requires that its user submitted their
 * password, and code, within the last {@link confirmedMinutes} minutes, so that a stolen access token is not enough.
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

/** @throws {ConfirmationRequired} @throws {SessionEnded} also where a cache still has the session */
export const checkConfirmed = async (
  { table, clock }: Pick<Platform, 'table' | 'clock'>,
  userId: UserId,
  sessionId: SessionId,
): Promise<void> => {
  const session = await table.get<StoredSession>(sessionKey(userId, sessionId), { consistent: true });
  const now = clock.now();
  if (session === undefined || isOver(session, now)) throw new SessionEnded();
  if (now < confirmedAtOf(session) + confirmedMinutes * 60_000) return;
  throw new ConfirmationRequired(
    `This requires the password, and the code of a second factor, within the last ${confirmedMinutes} minutes: POST /api/user/confirm.`,
  );
};
