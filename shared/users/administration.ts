import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { inSession } from '#shared/auth/in-session';
import { SessionEnded } from '#shared/auth/refusals';
import { enqueueSecurityNotice } from '#shared/auth/security-mail-job';
import type { Sessions } from '#shared/auth/sessions';
import type { StoredSession } from '#shared/auth/stored-session';
import { allUsers, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserChange, UserRecord } from '#shared/identity/user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, NotFound, TransactionCanceled } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { equals, PRESENT, type Write } from '#shared/platform/table';
import { adminsCounted, checkAdminStays } from './admins.ts';

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** The administration of users by admins. */
export class UserAdministration {
  readonly #ports: Ports;
  readonly #sessions: Sessions;
  readonly #audit: AuditLog;

  constructor(ports: Ports, sessions: Sessions) {
    this.#ports = ports;
    this.#sessions = sessions;
    this.#audit = new AuditLog(ports);
  }

  /** Every user, in order of registration. */
  async list(page: {
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: UserRecord[]; readonly cursor?: string }> {
    const { items, cursor } = await this.#ports.table.query<StoredUser>({ index: 'gsi1', pk: allUsers, ...page });
    return { items: items.map(recordOf), ...(cursor === undefined ? {} : { cursor }) };
  }

  /**
   * Changes what a user may do, and mails them a notice of a new role. The same transaction gives the new role to the user's sessions, or ends them if the user is
   * disabled, so that no session keeps the former permissions.
   * @param origin the admin who makes the change
   * @throws {NotFound}
   * @throws {Conflict} there would be no admin left, or the user is being deleted
   * @throws {SessionEnded} of the request
   */
  async change(userId: UserId, change: UserChange, origin: AuditOrigin): Promise<UserRecord> {
    const { table } = this.#ports;
    const apply = async () => {
      const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined) throw new NotFound('There is no such user.');
      if (user.removing === true) throw new Conflict('This user is being deleted.');
      const { role = user.role, disabled = user.disabled ?? false } = change;
      const changed: StoredUser = { ...user, role, disabled };
      if (role === user.role && disabled === (user.disabled ?? false)) return { user, ended: [] };
      const { sessions, guard } = await this.#sessions.hold(userId);
      const isOwn = isActor(origin, userId);
      if (isOwn) checkOwnSession(origin, sessions);
      const counted = adminsCounted(user, changed);
      const roleChange = role === user.role ? {} : await this.#announceRole(userId, origin);
      const writes: Write[] = [
        {
          update: userKey(userId),
          changes: { set: { role, disabled, ...roleChange }, add: { version: 1 } },
          if: equals('version', user.version),
        },
        guard,
        ...sessions.map(
          ({ pk, sk }): Write =>
            disabled
              ? { delete: { pk, sk }, if: PRESENT }
              : { update: { pk, sk }, changes: { set: { role } }, if: PRESENT },
        ),
        ...counted,
      ];
      try {
        const event = eventOf(user, changed, origin);
        const transact = (all: readonly Write[]) => this.#audit.transact(all, event);
        // The own session is among those that are changed.
        await (isOwn ? transact(writes) : inSession(origin, writes, transact));
      } catch (error) {
        if (error instanceof TransactionCanceled) checkAdminStays(error, counted, writes.length);
        throw error;
      }
      return { user: changed, ended: disabled ? sessions : [] };
    };
    // The user or a session may change meanwhile.
    const { user, ended } = await optimistic(this.#ports, apply, { message: 'This user changes too often.' });
    await this.#sessions.closeConnections(ended);
    return recordOf(user);
  }

  async #announceRole(userId: UserId, { source }: AuditOrigin): Promise<{ readonly roleChange: string }> {
    const { clock, ids } = this.#ports;
    const roleChange = ids.next();
    const request = { requestId: roleChange, requestedAt: clock.now() };
    await enqueueSecurityNotice(this.#ports, { mail: 'role-changed', ...request, userId, source });
    return { roleChange };
  }
}

const isActor = ({ actor }: AuditOrigin, userId: UserId): boolean => actor.kind === 'user' && actor.userId === userId;

const checkOwnSession = ({ actor }: AuditOrigin, sessions: readonly StoredSession[]): void => {
  if (actor.kind !== 'user' || actor.sessionId === undefined) return;
  if (!sessions.some(({ sessionId }) => sessionId === actor.sessionId)) throw new SessionEnded();
};

const eventOf = (before: StoredUser, after: StoredUser, origin: AuditOrigin): AuditEvent => {
  const { userId, disabled = false } = after;
  const isSwitched = disabled !== (before.disabled ?? false);
  const type = isSwitched ? (disabled ? 'auth.user-disabled' : 'auth.user-enabled') : 'auth.role-changed';
  return { ...origin, type, trail: userId, target: userId, before: { disabled: false, ...before }, after };
};

const recordOf = ({
  userId,
  email,
  name,
  role,
  disabled = false,
  removing = false,
  createdAt,
}: StoredUser): UserRecord => ({
  userId,
  email,
  name,
  role,
  disabled,
  removing,
  createdAt,
});
