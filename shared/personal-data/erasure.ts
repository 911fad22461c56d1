import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { Credentials, type SubmittedCredentials } from '#shared/auth/credentials';
import { inSession } from '#shared/auth/in-session';
import { SessionEnded, wrongCodeAgain } from '#shared/auth/refusals';
import { Sessions } from '#shared/auth/sessions';
import type { SessionId, StoredSession } from '#shared/auth/stored-session';
import { emailKey, noSuchUser, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, NotFound, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Erasure } from '#shared/platform/item-kind';
import { equals, type Item, type Key, PRESENT, type Write } from '#shared/platform/table';
import { adminsCounted, checkAdminStays } from '#shared/users/admins';
import { type EraserPorts, erasersOf } from './erasers.ts';
import { declarationOf } from './item-kinds.ts';

const attemptsMax = 10;
const itemsAtOnce = 200;

/**
 * Deletes users with everything that is theirs except their audit trail (docs/decisions/user-deletion.md). A deletion
 * begins with one transaction, after which the user is disabled and `removing`, and ends with another that removes the
 * user. One that was interrupted is finished by deleting the user again.
 */
export class UserRemoval {
  readonly #ports: EraserPorts;
  readonly #sessions: Sessions;
  readonly #audit: AuditLog;
  readonly #credentials: Credentials;

  constructor(ports: EraserPorts) {
    this.#ports = ports;
    this.#sessions = new Sessions(ports);
    this.#audit = new AuditLog(ports);
    this.#credentials = new Credentials(ports);
  }

  /**
   * Deletes the user who sends the request, with their password and code. The session of the request stays open to the
   * end with the scopes of a viewer, so that it can retry; a retry needs no further proof.
   * @throws {WrongCredentials | TooManyAttempts}
   * @throws {Conflict} no admin would be left, or an account is being synchronised: retry
   */
  async ofOneself(
    userId: UserId,
    sessionId: SessionId,
    submitted: SubmittedCredentials,
    origin: AuditOrigin,
  ): Promise<void> {
    const user = await this.#stored(userId);
    if (user === undefined) throw noSuchUser();
    if (user.removing !== true) {
      const { writes, attempt } = await this.#credentials.ofUser(userId, submitted, origin);
      await this.#begin(userId, sessionId, origin, writes);
      await attempt.succeeded();
    }
    await this.#finish(userId, origin);
  }

  /**
   * Deletes a user, or what is left of one.
   * @throws {NotFound} @throws {Conflict} as in {@link ofOneself}, or the user is `by`
   */
  async byAdmin(userId: UserId, by: UserId, origin: AuditOrigin): Promise<void> {
    if (userId === by) throw new Conflict('Delete yourself with DELETE /api/user and your password.');
    const { items } = await this.#ports.table.query({ pk: userKey(userId).pk, limit: 1, consistent: true });
    if (items.length === 0) throw new NotFound('There is no such user.');
    await this.#begin(userId, undefined, origin);
    await this.#finish(userId, origin);
  }

  /**
   * Disables the user and ends every session except `kept`.
   * @param proof the write that uses up the submitted code
   */
  async #begin(
    userId: UserId,
    kept: SessionId | undefined,
    origin: AuditOrigin,
    proof: readonly Write[] = [],
  ): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await this.#stored(userId);
      if (user === undefined || user.removing === true) return;
      const { sessions, guard } = await this.#sessions.hold(userId);
      const isKept = ({ sessionId }: StoredSession) => sessionId === kept;
      if (kept !== undefined && !sessions.some(isKept)) throw new SessionEnded();
      const counted = adminsCounted(user, { ...user, disabled: true });
      const writes: Write[] = [
        ...proof,
        {
          update: userKey(userId),
          changes: { set: { removing: true, disabled: true }, add: { version: 1 } },
          if: equals('version', user.version),
        },
        guard,
        ...sessions.map((session): Write => {
          const { pk, sk } = session;
          return isKept(session)
            ? { update: { pk, sk }, changes: { set: { role: 'viewer' } }, if: PRESENT }
            : { delete: { pk, sk } };
        }),
        ...counted,
      ];
      try {
        const event = { ...origin, type: 'data.deletion-begun', trail: userId, target: userId } as const;
        const transact = (all: readonly Write[]) => this.#audit.transact(all, event);
        // The session of a user who leaves is among those that are changed.
        await (kept === undefined ? inSession(origin, writes, transact) : transact(writes));
        return await this.#sessions.closeConnections(sessions);
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        if (error.failed.some((index) => index < proof.length)) throw wrongCodeAgain();
        checkAdminStays(error, counted, writes.length);
        // The user or a session changed in the meantime: retry.
      }
    }
    throw new Unavailable('This user changes too often.');
  }

  async #finish(userId: UserId, origin: AuditOrigin): Promise<void> {
    for (const eraser of erasersOf(this.#ports)) await eraser.removeAll(userId);
    await this.#sweep(userId, (erase) => erase !== 'with-user');
    await this.#removeUser(userId, origin);
    await this.#sweep(userId, () => true);
  }

  async #removeUser(userId: UserId, origin: AuditOrigin): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await this.#stored(userId);
      if (user === undefined) return;
      const { sessions } = await this.#sessions.hold(userId);
      const writes: Write[] = [
        { delete: userKey(userId), if: equals('version', user.version) },
        { delete: emailKey(user.email) },
        ...sessions.map(({ pk, sk }): Write => ({ delete: { pk, sk } })),
      ];
      try {
        await this.#audit.transact(writes, { ...origin, type: 'data.user-deleted', trail: userId, target: userId });
        return await this.#sessions.closeConnections(sessions);
      } catch (error) {
        // A concurrent request finished the deletion or changed the user: retry.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
    throw new Unavailable('This user changes too often.');
  }

  /** Deletes what is left in the user's partition and may go, also items of kinds that this version does not know. */
  async #sweep(userId: UserId, mayGo: (erase: Erasure) => boolean): Promise<void> {
    const { table } = this.#ports;
    const query = { pk: userKey(userId).pk, limit: itemsAtOnce, consistent: true };
    let cursor: string | undefined;
    do {
      const page = await table.query<Item>(cursor === undefined ? query : { ...query, cursor });
      const keys = page.items
        .filter(({ kind }) => !isKept(erasureOf(kind)) && mayGo(erasureOf(kind)))
        .map(({ pk, sk }): Key => ({ pk, sk }));
      if (keys.length > 0) await table.writeMany(keys.map((key) => ({ delete: key })));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async #stored(userId: UserId): Promise<StoredUser | undefined> {
    return await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
  }
}

/** An item of a kind that this version does not know is personal data all the same. */
const erasureOf = (kind: string): Erasure => {
  const declaration = declarationOf(kind);
  return declaration?.owner === 'user' ? declaration.erase : 'swept';
};

const isKept = (erase: Erasure): boolean => typeof erase === 'object' && 'kept' in erase;
