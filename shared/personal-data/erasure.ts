import type { AccountRemoval } from '#shared/accounts/account-removal';
import type { Alerts } from '#shared/alerts/alerts';
import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { ApiKeys } from '#shared/auth/api-keys';
import { Credentials, type SubmittedCredentials } from '#shared/auth/credentials';
import { wrongCode } from '#shared/auth/refusals';
import type { Sessions } from '#shared/auth/sessions';
import type { SessionId, StoredSession } from '#shared/auth/stored-session';
import { emailKey, noSuchUser, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, NotFound, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals, type Item, type Key, PRESENT, type Write } from '#shared/platform/table';
import { adminsCounted, checkAdminStays } from '#shared/users/admins';

const attemptsMax = 10;
const itemsAtOnce = 200;

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger'>;

interface Belongings {
  readonly accounts: AccountRemoval;
  readonly alerts: Alerts;
  readonly sessions: Sessions;
}

/**
 * Deletes users with everything that is theirs, but for their audit trail (docs/decisions/user-deletion.md). It begins with one
 * transaction, after which the user is disabled and `removing`, and ends with one that removes the user. What is cut
 * short in between is taken up by deleting the user again.
 */
export class UserRemoval {
  readonly #ports: Ports;
  readonly #belongings: Belongings;
  readonly #keys: ApiKeys;
  readonly #audit: AuditLog;
  readonly #credentials: Credentials;

  constructor(ports: Ports, belongings: Belongings) {
    this.#ports = ports;
    this.#belongings = belongings;
    this.#keys = new ApiKeys(ports);
    this.#audit = new AuditLog(ports);
    this.#credentials = new Credentials(ports);
  }

  /**
   * Deletes a user who shows password and code. The session that asks lasts to the end, so that it can ask again, which
   * takes no further proof; until then it may do what a viewer may.
   * @throws {InvalidCredentials | TotpRequired | InvalidTotp | TooManyAttempts}
   * @throws {Conflict} there would be no admin left, or an account is being synchronised: to be asked again
   */
  async ofOneself(
    userId: UserId,
    sessionId: SessionId,
    shown: SubmittedCredentials,
    origin: AuditOrigin,
  ): Promise<void> {
    const user = await this.#stored(userId);
    if (user === undefined) throw noSuchUser();
    if (user.removing !== true) {
      const { writes, attempt } = await this.#credentials.ofUser(userId, shown, origin);
      await this.#begin(userId, sessionId, origin, writes);
      await attempt.succeeded();
    }
    await this.#finish(userId, origin);
  }

  /**
   * Deletes a user, or what is left of one.
   * @throws {NotFound} @throws {Conflict} as above, or it is the admin who asks
   */
  async byAdmin(userId: UserId, by: UserId, origin: AuditOrigin): Promise<void> {
    if (userId === by) throw new Conflict('Delete yourself with DELETE /api/user and your password.');
    const { items } = await this.#ports.table.query({ pk: userKey(userId).pk, limit: 1, consistent: true });
    if (items.length === 0) throw new NotFound('There is no such user.');
    await this.#begin(userId, undefined, origin);
    await this.#finish(userId, origin);
  }

  /**
   * From here on the user can't log in, and nothing but the session that asks knows them any more.
   * @param proof what uses up the code that was shown
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
      const { sessions, guard } = await this.#belongings.sessions.hold(userId);
      const isKept = ({ sessionId }: StoredSession) => sessionId === kept;
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
        await this.#audit.transact(writes, {
          ...{ ...origin, type: 'data.deletion-begun', trail: userId, target: userId },
        });
        return await this.#belongings.sessions.closeConnections(sessions);
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        if (error.failed.some((position) => position < proof.length)) throw wrongCode();
        checkAdminStays(error, counted, writes.length);
        // The user or a session changed meanwhile.
      }
    }
    throw new Unavailable('This user changes too often.');
  }

  async #finish(userId: UserId, origin: AuditOrigin): Promise<void> {
    await this.#belongings.accounts.removeAll(userId);
    await this.#belongings.alerts.removeAll(userId);
    await this.#keys.removeAll(userId);
    await this.#sweep(userId, ({ kind }) => kind !== 'user' && kind !== 'session');
    await this.#removeUser(userId, origin);
    await this.#sweep(userId, () => true);
  }

  async #removeUser(userId: UserId, origin: AuditOrigin): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await this.#stored(userId);
      if (user === undefined) return;
      const { sessions } = await this.#belongings.sessions.hold(userId);
      const writes: Write[] = [
        { delete: userKey(userId), if: equals('version', user.version) },
        { delete: emailKey(user.email) },
        ...sessions.map(({ pk, sk }): Write => ({ delete: { pk, sk } })),
      ];
      try {
        await this.#audit.transact(writes, { ...origin, type: 'data.user-deleted', trail: userId, target: userId });
        return await this.#belongings.sessions.closeConnections(sessions);
      } catch (error) {
        // Somebody else finished it at the same time, or changed the user.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
    throw new Unavailable('This user changes too often.');
  }

  /** Deletes what nothing else refers to. */
  async #sweep(userId: UserId, isWanted: (item: Item) => boolean): Promise<void> {
    const { table } = this.#ports;
    const query = { pk: userKey(userId).pk, limit: itemsAtOnce, consistent: true };
    let cursor: string | undefined;
    do {
      const page = await table.query<Item>(cursor === undefined ? query : { ...query, cursor });
      const keys = page.items.filter(isWanted).map(({ pk, sk }): Key => ({ pk, sk }));
      if (keys.length > 0) await table.writeMany(keys.map((key) => ({ delete: key })));
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async #stored(userId: UserId): Promise<StoredUser | undefined> {
    return await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
  }
}
