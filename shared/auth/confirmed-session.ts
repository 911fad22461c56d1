import type { UserId } from '#shared/model/user-id';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { SessionEnded } from './refusals.ts';
import { confirmedAtOf, isOver, type SessionId, type StoredSession, sessionKey } from './stored-session.ts';

/** How long a session counts as confirmed. */
export const confirmedMinutes = 10;

/** The session was confirmed too long ago for what is requested. */
export class ConfirmationRequired extends DomainError {
  readonly code = 'confirmation-required';
  override readonly name = 'ConfirmationRequired';
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
