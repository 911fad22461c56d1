import type { AuditOrigin } from '#shared/audit/entry';
import { TransactionCanceled } from '#shared/platform/errors';
import { PRESENT, type Write } from '#shared/platform/table';
import { SessionEnded } from './refusals.ts';
import { type SessionId, sessionKey } from './stored-session.ts';

/**
 * Makes a change only while the session that requests it exists: the gateway may accept a session for up to a minute after its
 * end. A change that no session requests is made without this check.
 * @param writes none of them on the session's own item
 * @param transact makes the transaction, and throws {@link TransactionCanceled} with indices among the writes it receives
 * @throws {SessionEnded}
 * @throws {TransactionCanceled} with indices among `writes`
 */
export const inSession = async (
  { actor }: Pick<AuditOrigin, 'actor'>,
  writes: readonly Write[],
  transact: (writes: readonly Write[]) => Promise<void>,
): Promise<void> => {
  if (actor.kind !== 'user' || actor.sessionId === undefined) return await transact(writes);
  const check = { check: sessionKey(actor.userId, actor.sessionId as SessionId), if: PRESENT };
  try {
    await transact([...writes, check]);
  } catch (error) {
    if (!(error instanceof TransactionCanceled)) throw error;
    // A change that came first may have ended the session as well: that it came first is the answer.
    const others = error.failed.filter((index) => index < writes.length);
    throw others.length > 0 ? new TransactionCanceled(others) : new SessionEnded();
  }
};
