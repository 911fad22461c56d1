import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { every, type Key } from '#shared/platform/table';
import { frameOf, type GoodbyeReason, type ServerMessage } from './message.ts';
import {
  connectionKey,
  expiryOf,
  ofConnection,
  ofSession,
  type StoredConnection,
  type Subscription,
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
    const connection: StoredConnection = {
      ...connectionKey(connectionId),
      kind: 'connection',
      userId,
      sessionId,
      authorizedUntil,
      gsi1pk: ofSession(sessionId).pk,
      gsi1sk: connectionId,
      expiresAt: expiryOf(clock.now()),
    };
    await table.put(connection);
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
    const goodbye: ServerMessage = { type: 'goodbye', reason, reconnect: reason === 'token-expired' };
    const sent = push.send(connectionId, frameOf([goodbye])).then(() => push.close(connectionId));
    await sent.catch(() => undefined);
  }

  /** Removes a connection and its subscriptions. */
  async forget(connectionId: string): Promise<void> {
    const { table } = this.#ports;
    const keys: Key[] = [connectionKey(connectionId)];
    for await (const { pk, sk } of every<Subscription>(table, ofConnection(connectionId))) keys.push({ pk, sk });
    await table.writeMany(keys.map((key) => ({ delete: key })));
  }

  /** Sends messages in one frame; a connection that is gone is forgotten. @returns whether it was sent */
  async send(connectionId: string, messages: readonly ServerMessage[]): Promise<boolean> {
    if ((await this.#ports.push.send(connectionId, frameOf(messages))) === 'sent') return true;
    await this.forget(connectionId);
    return false;
  }
}
