import type { UserId } from '#shared/model/user-id';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, atMost, every, type Item, type Key, PRESENT } from '#shared/platform/table';
import { inFrames } from './frames.ts';
import type { GoodbyeReason, ServerMessage } from './message.ts';
import {
  connectionKey,
  expiryOf,
  ofConnection,
  ofSession,
  ofUser,
  type StoredConnection,
  type UserSocket,
  userSocketKey,
} from './stored.ts';

/** Who a connection belongs to, and until when it is authorized: a token grants no more time to a socket than to requests. */
export interface Bearer {
  readonly userId: UserId;
  readonly sessionId: string;
  /** When the token expires, epoch ms. */
  readonly expiresAt: number;
}

type Ports = Pick<Platform, 'table' | 'push' | 'clock'>;

/** Open sockets and who they belong to. */
export class Connections {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async open(connectionId: string, { userId, sessionId, expiresAt: authorizedUntil }: Bearer): Promise<void> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const expiresAt = expiryOf(now);
    const connection: StoredConnection = {
      ...connectionKey(connectionId),
      kind: 'connection',
      userId,
      sessionId,
      authorizedUntil,
      gsi1pk: ofSession(sessionId).pk,
      gsi1sk: connectionId,
      expiresAt,
    };
    const socket: UserSocket = {
      ...userSocketKey(userId, connectionId),
      kind: 'user-socket',
      connectionId,
      openedAt: now,
      gsi1pk: ofConnection(connectionId).pk,
      gsi1sk: 'SOCKET',
      expiresAt,
    };
    await table.writeMany([{ put: connection }, { put: socket }]);
  }

  /** Removes a connection that was opened a moment ago, when the indexes may not show it yet. */
  async discard(connectionId: string, userId: UserId): Promise<void> {
    const keys = [connectionKey(connectionId), userSocketKey(userId, connectionId)];
    await this.#ports.table.writeMany(keys.map((key) => ({ delete: key })));
  }

  /** The sockets of a user, those included whose end was not announced. */
  async socketsOf(userId: UserId): Promise<UserSocket[]> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const sockets: UserSocket[] = [];
    for await (const socket of every<UserSocket>(table, ofUser(userId))) {
      if ((socket.expiresAt ?? 0) * 1000 > now) sockets.push(socket);
    }
    return sockets;
  }

  /** Whether frames still reach a connection; one that is gone is forgotten. */
  async isAlive(connectionId: string): Promise<boolean> {
    try {
      // A frame with no message in it: clients have nothing to do.
      return await this.#sendFrame(connectionId, '[]');
    } catch {
      return true;
    }
  }

  /** Who is connected; undefined when the connection is unknown or its token has expired, which ends it. */
  async bearerOf(connectionId: string): Promise<Bearer | undefined> {
    const { table, clock } = this.#ports;
    const connection = await table.get<StoredConnection>(connectionKey(connectionId), { consistent: true });
    if (connection === undefined) return undefined;
    const { userId, sessionId, authorizedUntil } = connection;
    if (authorizedUntil > clock.now()) return { userId, sessionId, expiresAt: authorizedUntil };
    await this.end(connectionId, 'token-expired');
    return undefined;
  }

  /**
   * Authorizes a connection for longer; never for less. Its subscriptions follow when they are next read.
   * @param expiresAt when its new token expires, epoch ms
   * @returns until when it is authorized now; undefined when it has ended
   */
  async renew(connectionId: string, expiresAt: number): Promise<number | undefined> {
    const { table } = this.#ports;
    const key = connectionKey(connectionId);
    try {
      const isShorter = allOf(PRESENT, atMost('authorizedUntil', expiresAt));
      await table.update(key, { set: { authorizedUntil: expiresAt } }, isShorter);
      return expiresAt;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return (await table.get<StoredConnection>(key, { consistent: true }))?.authorizedUntil;
    }
  }

  /** Ends the connections of a session. One that opens at the same moment lasts until its token expires. */
  async endSession(sessionId: string): Promise<void> {
    for await (const { gsi1sk: connectionId } of every<StoredConnection>(this.#ports.table, ofSession(sessionId))) {
      if (connectionId !== undefined) await this.end(connectionId, 'session-ended');
    }
  }

  /** Says goodbye and closes. The connection is forgotten first, so it gets nothing more even if it can't be reached. */
  async end(connectionId: string, reason: GoodbyeReason): Promise<void> {
    const { push } = this.#ports;
    await this.forget(connectionId);
    const goodbye: ServerMessage = { type: 'goodbye', reason, reconnect: reason !== 'session-ended' };
    const sent = push.send(connectionId, JSON.stringify(goodbye)).then(() => push.close(connectionId));
    await sent.catch(() => undefined);
  }

  /** Removes a connection with all that belongs to it. */
  async forget(connectionId: string): Promise<void> {
    const { table } = this.#ports;
    const keys: Key[] = [connectionKey(connectionId)];
    for await (const { pk, sk } of every<Item>(table, ofConnection(connectionId))) keys.push({ pk, sk });
    await table.writeMany(keys.map((key) => ({ delete: key })));
  }

  /**
   * Sends messages in as few frames as they fit in; a connection that is gone is forgotten.
   * @param sent called after each frame with the number of messages that were sent so far
   * @returns whether all of them were sent
   * @throws what kept a frame from being sent; the frames before it were
   */
  async send(
    connectionId: string,
    messages: readonly ServerMessage[],
    sent: (count: number) => void = () => {},
  ): Promise<boolean> {
    let count = 0;
    for (const { text, size } of inFrames(messages)) {
      if (!(await this.#sendFrame(connectionId, text))) return false;
      count += size;
      sent(count);
    }
    return true;
  }

  async #sendFrame(connectionId: string, text: string): Promise<boolean> {
    if ((await this.#ports.push.send(connectionId, text)) === 'sent') return true;
    await this.forget(connectionId);
    return false;
  }
}
