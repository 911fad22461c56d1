import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { Connections } from '#shared/connections/connections';
import { hasCredentialsOf, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, every, type Item, PRESENT, type Put, type Write } from '#shared/platform/table';
import { type OpenSession, RefreshReused, RefreshTokens, type StoredRefreshToken } from './refresh-tokens.ts';
import { InvalidCredentials, wrongCode } from './refusals.ts';
import type { Session } from './session.ts';
import {
  type Client,
  isOver,
  newSession,
  type SessionId,
  type StoredSession,
  sessionKey,
  sessionsGuardKey,
  sessionsOf,
} from './stored-session.ts';

export type { OpenSession } from './refresh-tokens.ts';

/** Most sessions of a user; a further login ends the session that was unused for the longest time. */
export const SESSIONS_PER_USER_MAX = 30;
const message = 'Too many log in as this user at once.';

/** How the user of a session to be opened was authenticated. */
export interface LoginProof {
  readonly method: 'password' | 'totp' | 'recovery-code';
  /** The user at the time of the check; no session is opened if password or second factor have changed since. */
  readonly user?: StoredUser;
  /** Mark single-use credentials as used. */
  readonly writes: readonly Write[];
}

const byPassword: LoginProof = { method: 'password', writes: [] };

type Ports = Pick<Platform, 'table' | 'secrets' | 'push' | 'clock' | 'ids' | 'random' | 'logger'>;

/** The sessions of users: opened with credentials, continued with single-use refresh tokens, ended in many ways. */
export class Sessions {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #audit: AuditLog;
  readonly #refreshTokens: RefreshTokens;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#audit = new AuditLog(ports);
    this.#refreshTokens = new RefreshTokens(ports);
  }

  /**
   * Opens a session for a user whose credentials were checked, marks single-use credentials as used, and records the login,
   * all in one transaction.
   * @throws {InvalidCredentials} the user is disabled or gone, or the credentials changed since they were checked
   * @throws {InvalidTotp} the code was used meanwhile
   */
  async open(userId: UserId, client: Client, proof = byPassword): Promise<OpenSession> {
    const { table, clock, ids } = this.#ports;
    const { method, writes } = proof;
    const open = async () => {
      const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined || user.disabled === true || !hasSameCredentials(user, proof.user ?? user))
        throw new InvalidCredentials('The mail address or the password is wrong.');
      const { sessions, guard } = await this.hold(userId);
      const surplus = sessions
        .toSorted((one, other) => one.lastUsedAt - other.lastUsedAt)
        .slice(0, Math.max(0, sessions.length + 1 - SESSIONS_PER_USER_MAX));
      const session = newSession(user, ids.next() as SessionId, client, clock.now());
      const { open: issued, put } = this.#refreshTokens.issue(session);
      const isEnabled = { path: 'disabled', is: '<>', value: true } as const;
      const mayLogIn = allOf(equals('role', user.role), isEnabled, hasCredentialsOf(user));
      const opening: Write[] = [
        ...writes,
        { check: userKey(userId), if: mayLogIn },
        guard,
        ...surplus.map(({ pk, sk }) => ({ delete: { pk, sk } })),
        { put: session, if: ABSENT },
        put,
      ];
      await this.#audit.transact(opening, {
        type: 'auth.login-succeeded',
        actor: { kind: 'user', userId, sessionId: session.sessionId },
        source: client,
        target: session.sessionId,
        after: { method },
      });
      return { issued, surplus };
    };
    // Another login, or an admin who changed the user, may come first.
    const opened = await optimistic(this.#ports, open, { callersWrites: writes.length, message }).catch((error) => {
      throw error instanceof TransactionCanceled ? wrongCode() : error;
    });
    await this.closeConnections(opened.surplus);
    return opened.issued;
  }

  /**
   * Continues the session of a refresh token, which is single-use. A used one that comes back soon gets the same answer; later
   * it or its successor was stolen, and the session ends (RFC 9700, 4.14.2).
   * @throws {InvalidRefreshToken | RefreshReused}
   */
  async refresh(refreshToken: string, client: Client): Promise<OpenSession> {
    const rotated = await this.#refreshTokens.rotate(refreshToken, client.address);
    return 'reused' in rotated ? await this.#reused(rotated.reused, client) : rotated;
  }

  /** The user's sessions, newest first. */
  async list(
    userId: UserId,
    current: SessionId,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: Session[]; readonly cursor?: string }> {
    const { table, clock } = this.#ports;
    const query = { ...sessionsOf(userId), ...page, descending: true, consistent: true };
    const { items, cursor } = await table.query<StoredSession>(query);
    const live = items.filter((session) => !isOver(session, clock.now()));
    return { items: live.map((session) => viewOf(session, current)), ...(cursor === undefined ? {} : { cursor }) };
  }

  /** The user ends one of their sessions. @returns whether they had it */
  async end(userId: UserId, sessionId: SessionId, origin: AuditOrigin): Promise<boolean> {
    const { actor } = origin;
    const isOwn = actor.kind === 'user' && actor.sessionId === sessionId;
    const type = isOwn ? 'auth.logged-out' : 'auth.session-revoked';
    return await this.#end(userId, sessionId, { ...origin, trail: userId, type, target: sessionId });
  }

  /** The user ends all of their sessions but one. */
  async endOthers(userId: UserId, kept: SessionId, origin: AuditOrigin): Promise<void> {
    await this.endWith(userId, kept, [], (sessions) => ({
      ...{ ...origin, type: 'auth.sessions-revoked', trail: userId, target: userId },
      after: { sessions },
    }));
  }

  /**
   * Makes a change that ends every session of the user but one, with its entry in the audit log, in one transaction.
   * @param writes few enough for {@link SESSIONS_PER_USER_MAX} more and an entry to fit into a transaction
   * @param event receives how many sessions end
   * @throws {TransactionCanceled} with the indices among `writes` whose condition did not hold
   */
  async endWith(
    userId: UserId,
    kept: SessionId | undefined,
    writes: readonly Write[],
    event: (sessions: number) => AuditEvent,
  ): Promise<void> {
    const end = async () => {
      const { sessions, guard } = await this.hold(userId);
      const ended = sessions.filter(({ sessionId }) => sessionId !== kept);
      if (ended.length === 0 && writes.length === 0) return [];
      const deletes = ended.map(({ pk, sk }): Write => ({ delete: { pk, sk } }));
      await this.#audit.transact([...writes, guard, ...deletes], event(ended.length));
      return ended;
    };
    // Somebody may log in meanwhile.
    await this.closeConnections(await optimistic(this.#ports, end, { callersWrites: writes.length, message }));
  }

  /**
   * Every session of a user, and the write by which a transaction ensures that no other was opened meanwhile.
   * At most {@link SESSIONS_PER_USER_MAX}, so that one transaction can change or end all of them.
   */
  async hold(userId: UserId): Promise<{ readonly sessions: readonly StoredSession[]; readonly guard: Put }> {
    const { table } = this.#ports;
    const key = sessionsGuardKey(userId);
    // The guard is read first: opening a session afterwards changes it.
    const { version = 0 } = (await table.get<Item>(key, { consistent: true })) ?? {};
    const sessions: StoredSession[] = [];
    const query = { ...sessionsOf(userId), consistent: true };
    for await (const session of every<StoredSession>(table, query)) sessions.push(session);
    const unchanged = version === 0 ? ABSENT : equals('version', version);
    return { sessions, guard: { put: { ...key, kind: 'sessions', version: version + 1 }, if: unchanged } };
  }

  /** Closes the sockets of sessions that have ended. */
  async closeConnections(sessions: readonly StoredSession[]): Promise<void> {
    for (const { sessionId } of sessions) await this.#connections.endSession(sessionId);
  }

  async #end(userId: UserId, sessionId: SessionId, event: AuditEvent): Promise<boolean> {
    const session = await this.#ports.table.get<StoredSession>(sessionKey(userId, sessionId), { consistent: true });
    if (session === undefined) return false;
    try {
      await this.#audit.transact([{ delete: sessionKey(userId, sessionId), if: PRESENT }], event);
    } catch (error) {
      if (error instanceof TransactionCanceled) return false;
      throw error;
    }
    await this.closeConnections([session]);
    return true;
  }

  async #reused({ userId, sessionId }: StoredRefreshToken, source: Client): Promise<never> {
    const actor = { kind: 'anonymous' } as const;
    await this.#end(userId, sessionId, {
      type: 'auth.refresh-reused',
      actor,
      source,
      trail: userId,
      target: sessionId,
    });
    throw new RefreshReused('This refresh token was used before, so its session has been ended; log in again.');
  }
}

const hasSameCredentials = (one: StoredUser, other: StoredUser): boolean =>
  one.passwordChange === other.passwordChange && one.totpChange === other.totpChange;

const viewOf = (session: StoredSession, current: SessionId): Session => ({
  id: session.sessionId,
  device: session.device,
  address: session.address,
  createdAt: session.createdAt,
  lastUsedAt: session.lastUsedAt,
  current: session.sessionId === current,
});
