import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { Connections } from '#shared/connections/connections';
import { hasCredentialsOf, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, every, type Item, PRESENT, type Put, type Write } from '#shared/platform/table';
import { InvalidRefreshToken, newRefreshToken, refreshTokenKey, type StoredRefreshToken } from './refresh-token.ts';
import { InvalidCredentials, wrongCode } from './refusals.ts';
import type { Session } from './session.ts';
import {
  type Client,
  isOver,
  lifeEndsAt,
  newSession,
  type SessionId,
  type StoredSession,
  sessionEndsAt,
  sessionKey,
  sessionsGuardKey,
  sessionsOf,
} from './stored-session.ts';

/** Most sessions of a user; whoever logs in once more ends the one that was not used for the longest time. */
export const SESSIONS_PER_USER_MAX = 30;
const attemptsMax = 10;

/** A session with the refresh token that goes on with it; the token is told this once. */
export interface OpenSession {
  readonly session: StoredSession;
  readonly refreshToken: string;
}

/** How it was proved whose session is to be opened. */
export interface LoginProof {
  readonly method: 'password' | 'totp' | 'recovery-code';
  /** The user as they were when it was checked; nothing is opened when password or second factor changed since. */
  readonly user?: StoredUser;
  /** Uses up what is good once. */
  readonly writes: readonly Write[];
}

const byPassword: LoginProof = { method: 'password', writes: [] };

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'ids' | 'random' | 'logger'>;

/** The logins of users: opened by a credential, kept by refresh tokens that are good once, ended in many ways. */
export class Sessions {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Opens a session for a user whose credentials were checked, uses up what was good once, and writes the login down: all
   * of it or nothing.
   * @throws {InvalidCredentials} the user is disabled or gone, or the credentials changed since they were checked
   * @throws {InvalidTotp} the code was used meanwhile
   */
  async open(userId: UserId, client: Client, proof = byPassword): Promise<OpenSession> {
    const { table, clock, ids } = this.#ports;
    const { method, writes } = proof;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined || user.disabled === true || !hasSameCredentials(user, proof.user ?? user))
        throw new InvalidCredentials('The mail address or the password is wrong.');
      const { sessions, guard } = await this.hold(userId);
      const surplus = sessions
        .toSorted((one, other) => one.lastUsedAt - other.lastUsedAt)
        .slice(0, Math.max(0, sessions.length + 1 - SESSIONS_PER_USER_MAX));
      const session = newSession(user, ids.next() as SessionId, client, clock.now());
      const { token, put } = this.#newToken(session);
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
      try {
        await this.#audit.transact(opening, {
          type: 'auth.login-succeeded',
          actor: { kind: 'user', userId, sessionId: session.sessionId },
          source: client,
          target: session.sessionId,
          after: { method },
        });
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        if (error.failed.some((position) => position < writes.length)) throw wrongCode();
        // Another login, or an admin who changed the user, came first.
        continue;
      }
      await this.closeConnections(surplus);
      return { session, refreshToken: token };
    }
    throw new Unavailable('Too many log in as this user at once.');
  }

  /**
   * Goes on with the session of a refresh token, which is good once: a used one that comes back was stolen, or its successor
   * was, and the session ends (RFC 9700, 4.14.2).
   * @throws {InvalidRefreshToken}
   */
  async refresh(refreshToken: string, client: Client): Promise<OpenSession> {
    const { table, clock } = this.#ports;
    const { address } = client;
    const key = refreshTokenKey(refreshToken);
    const stored = await table.get<StoredRefreshToken>(key, { consistent: true });
    if (stored === undefined) throw refused();
    if (stored.usedAt !== undefined) return await this.#reused(stored, client);
    const before = await table.get<StoredSession>(sessionKey(stored.userId, stored.sessionId), { consistent: true });
    const now = clock.now();
    if (before === undefined || isOver(before, now)) throw refused();
    const { createdAt } = before;
    const used = { lastUsedAt: now, address, expiresAt: sessionEndsAt({ createdAt, lastUsedAt: now }) };
    const session = { ...before, ...used };
    const { token, put } = this.#newToken(session);
    try {
      await table.transact([
        { update: key, changes: { set: { usedAt: now } }, if: allOf(PRESENT, { path: 'usedAt', is: 'absent' }) },
        put,
        { update: { pk: session.pk, sk: session.sk }, changes: { set: used }, if: PRESENT },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      // The first write fails where somebody else used the token at the same moment, the last where the session has ended.
      if (error.failed.includes(0)) return await this.#reused(stored, client);
      throw refused();
    }
    return { session, refreshToken: token };
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

  /** The user ends every session of theirs but one. */
  async endOthers(userId: UserId, kept: SessionId, origin: AuditOrigin): Promise<void> {
    await this.endWith(userId, kept, [], (sessions) => ({
      ...{ ...origin, type: 'auth.sessions-revoked', trail: userId, target: userId },
      after: { sessions },
    }));
  }

  /**
   * Makes a change that ends every session of the user but one, with its entry in the audit log: all of it or nothing.
   * @param writes few enough for {@link SESSIONS_PER_USER_MAX} more and an entry to fit into a transaction
   * @param event given how many sessions end
   * @throws {TransactionCanceled} with the positions among `writes` whose condition did not hold
   */
  async endWith(
    userId: UserId,
    kept: SessionId | undefined,
    writes: readonly Write[],
    event: (sessions: number) => AuditEvent,
  ): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { sessions, guard } = await this.hold(userId);
      const ended = sessions.filter(({ sessionId }) => sessionId !== kept);
      if (ended.length === 0 && writes.length === 0) return;
      const deletes = ended.map(({ pk, sk }): Write => ({ delete: { pk, sk } }));
      try {
        await this.#audit.transact([...writes, guard, ...deletes], event(ended.length));
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        const failed = error.failed.filter((position) => position < writes.length);
        if (failed.length > 0) throw new TransactionCanceled(failed);
        // Somebody logged in meanwhile.
        continue;
      }
      await this.closeConnections(ended);
      return;
    }
    throw new Unavailable('Too many log in as this user at once.');
  }

  /**
   * Every session of a user, and the write by which a transaction makes sure that no other was opened meanwhile.
   * At most {@link SESSIONS_PER_USER_MAX}, so that one transaction can change or end all of them.
   */
  async hold(userId: UserId): Promise<{ readonly sessions: readonly StoredSession[]; readonly guard: Put }> {
    const { table } = this.#ports;
    const key = sessionsGuardKey(userId);
    // The guard comes first: a session that is opened after it changes it.
    const { version = 0 } = (await table.get<Item>(key, { consistent: true })) ?? {};
    const sessions: StoredSession[] = [];
    const query = { ...sessionsOf(userId), consistent: true };
    for await (const session of every<StoredSession>(table, query)) sessions.push(session);
    const unchanged = version === 0 ? ABSENT : equals('version', version);
    return { sessions, guard: { put: { ...key, kind: 'sessions', version: version + 1 }, if: unchanged } };
  }

  /** Closes what sessions that have ended still listen with. */
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
    throw refused();
  }

  #newToken(session: StoredSession): { readonly token: string; readonly put: Put } {
    const { userId, sessionId } = session;
    const token = newRefreshToken(this.#ports.random);
    const stored: StoredRefreshToken = {
      ...refreshTokenKey(token),
      kind: 'refresh-token',
      userId,
      sessionId,
      expiresAt: lifeEndsAt(session),
    };
    return { token, put: { put: stored, if: ABSENT } };
  }
}

const hasSameCredentials = (one: StoredUser, other: StoredUser): boolean =>
  one.passwordChange === other.passwordChange && one.totpChange === other.totpChange;

const refused = () => new InvalidRefreshToken('The refresh token is not valid; log in again.');

const viewOf = (session: StoredSession, current: SessionId): Session => ({
  id: session.sessionId,
  device: session.device,
  address: session.address,
  createdAt: session.createdAt,
  lastUsedAt: session.lastUsedAt,
  current: session.sessionId === current,
});
