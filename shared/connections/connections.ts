import type { UserId } from '#shared/model/user-id';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, atMost, equals, every, type Item, type Key, keyOf, PRESENT } from '#shared/platform/table';
import { audienceOf, type Frame, frameOf, type GoodbyeReason } from './channel.ts';

/** API Gateway ends a connection after two hours; what is left of it goes soon after. */
const connectionSeconds = 2 * 3600 + 600;
export const SUBSCRIPTIONS_PER_CONNECTION_MAX = 100;

/** For whom a connection is open, and until when: a token does not give access for longer by a socket than by requests. */
export interface Bearer {
  readonly userId: UserId;
  readonly sessionId: string;
  /** When the token expires that opened the connection, epoch ms. */
  readonly expiresAt: number;
}

export interface StoredConnection extends Item {
  readonly kind: 'connection';
  readonly userId: UserId;
  readonly sessionId: string;
  readonly authorizedUntil: number;
}

/** A connection's subscription to a channel, in the partition of the channel's audience. */
export interface Subscription extends Item {
  readonly kind: 'subscription';
  readonly connectionId: string;
  readonly channel: string;
  readonly userId: UserId;
  readonly authorizedUntil: number;
  /** Number of the last message that was sent or is not wanted. */
  readonly lastSeq: number;
}

const connectionKey = (connectionId: string): Key => ({ pk: keyOf('CONNECTION', connectionId), sk: 'SELF' });
const subscriptionKey = (connectionId: string, channel: string, userId: UserId): Key => ({
  pk: audienceOf(channel, userId),
  sk: keyOf('CONNECTION', connectionId),
});

type Ports = Pick<Platform, 'table' | 'push' | 'clock'>;

/** Open sockets, who they belong to and what they listen to. */
export class Connections {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async open(connectionId: string, { userId, sessionId, expiresAt: authorizedUntil }: Bearer): Promise<void> {
    const connection: StoredConnection = {
      ...connectionKey(connectionId),
      kind: 'connection',
      userId,
      sessionId,
      authorizedUntil,
      gsi1pk: keyOf('SESSION', sessionId),
      gsi1sk: connectionId,
      expiresAt: this.#expiry(),
    };
    await this.#ports.table.put(connection);
  }

  /** Who is connected; undefined when the connection is not known (any more). One whose token has expired ends. */
  async bearerOf(connectionId: string): Promise<Bearer | undefined> {
    const connection = await this.#ports.table.get<StoredConnection>(connectionKey(connectionId), { consistent: true });
    if (connection === undefined) return undefined;
    const { userId, sessionId, authorizedUntil } = connection;
    if (!this.#isOver(connection)) return { userId, sessionId, expiresAt: authorizedUntil };
    await this.#end(connectionId, 'token-expired');
    return undefined;
  }

  /** Ends the connections that tokens of a session opened. One that opens at this moment lasts until its token expires. */
  async endSession(sessionId: string): Promise<void> {
    const query = { index: 'gsi1', pk: keyOf('SESSION', sessionId) } as const;
    for await (const { gsi1sk: connectionId } of every<StoredConnection>(this.#ports.table, query)) {
      if (connectionId !== undefined) await this.#end(connectionId, 'session-ended');
    }
  }

  /**
   * Makes room for these channels. Those that the connection listens to already begin anew.
   * @returns false, and changes nothing, when it would listen to too many, or is gone
   */
  async admit(connectionId: string, userId: UserId, channels: readonly string[]): Promise<boolean> {
    const { table } = this.#ports;
    const keys = channels.map((channel) => subscriptionKey(connectionId, channel, userId));
    const known = await table.getMany<Subscription>(keys, { consistent: true });
    const more = channels.length - known.length;
    const most = SUBSCRIPTIONS_PER_CONNECTION_MAX - more;
    const hasRoom = atMost('subscriptions', most);
    try {
      await table.update(connectionKey(connectionId), { add: { subscriptions: more } }, allOf(PRESENT, hasRoom));
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
    await table.writeMany(known.map(({ pk, sk }) => ({ delete: { pk, sk } })));
    return true;
  }

  /** Has the connection, which was admitted to the channel, get what comes on it after `lastSeq`. */
  async subscribe(
    connectionId: string,
    { userId, expiresAt: authorizedUntil }: Bearer,
    channel: string,
    lastSeq: number,
  ): Promise<Subscription> {
    const subscription: Subscription = {
      ...subscriptionKey(connectionId, channel, userId),
      kind: 'subscription',
      connectionId,
      channel,
      userId,
      authorizedUntil,
      lastSeq,
      // The other way round, for a connection that ends: all it listens to.
      gsi1pk: keyOf('CONNECTION', connectionId),
      gsi1sk: channel,
      expiresAt: this.#expiry(),
    };
    await this.#ports.table.put(subscription);
    return subscription;
  }

  async unsubscribe(connectionId: string, userId: UserId, channel: string): Promise<void> {
    const gone = await this.#ports.table.delete(subscriptionKey(connectionId, channel, userId));
    if (gone !== undefined) {
      await this.#ports.table.update(connectionKey(connectionId), { add: { subscriptions: -1 } }, PRESENT);
    }
  }

  /** Removes a connection and all it listens to. */
  async forget(connectionId: string): Promise<void> {
    const subscriptions: Key[] = [];
    const query = { index: 'gsi1', pk: keyOf('CONNECTION', connectionId) } as const;
    for await (const { pk, sk } of every<Subscription>(this.#ports.table, query)) subscriptions.push({ pk, sk });
    await this.#ports.table.writeMany([connectionKey(connectionId), ...subscriptions].map((key) => ({ delete: key })));
  }

  /** Who listens to a channel; for one that belongs to a user, that user's connections. Those whose token has expired end. */
  async audience(channel: string, userId?: UserId): Promise<Subscription[]> {
    const audience: Subscription[] = [];
    const query = { pk: audienceOf(channel, userId), consistent: true };
    for await (const subscription of every<Subscription>(this.#ports.table, query)) {
      if (this.#isOver(subscription)) await this.#end(subscription.connectionId, 'token-expired');
      else audience.push(subscription);
    }
    return audience;
  }

  /**
   * Moves the subscription on to `seq`. Whoever moves it sends what lies between, and nobody else does: so each message
   * is sent once, though the stream and a client that catches up compete for it.
   * @returns the number after which to send; undefined when there is nothing to send
   */
  async advance(subscription: Subscription, seq: number): Promise<number | undefined> {
    const { pk, sk } = subscription;
    for (let current: Subscription | undefined = subscription; current !== undefined; ) {
      const { lastSeq = 0 } = current;
      if (lastSeq >= seq) return undefined;
      try {
        await this.#ports.table.update({ pk, sk }, { set: { lastSeq: seq } }, equals('lastSeq', lastSeq));
        return lastSeq;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        current = await this.#ports.table.get<Subscription>({ pk, sk }, { consistent: true });
      }
    }
    return undefined;
  }

  /** Takes back an advance whose messages could not be sent, unless the subscription moved on meanwhile. */
  async takeBack({ pk, sk }: Subscription, from: number, to: number): Promise<void> {
    try {
      await this.#ports.table.update({ pk, sk }, { set: { lastSeq: to } }, equals('lastSeq', from));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  /** Sends messages in one frame; a connection that is gone is forgotten. @returns whether it was sent */
  async send(connectionId: string, messages: readonly Frame[]): Promise<boolean> {
    if ((await this.#ports.push.send(connectionId, frameOf(messages))) === 'sent') return true;
    await this.forget(connectionId);
    return false;
  }

  #isOver({ authorizedUntil }: Pick<StoredConnection, 'authorizedUntil'>): boolean {
    return authorizedUntil <= this.#ports.clock.now();
  }

  /** Says goodbye and closes. The connection is forgotten first, and gets nothing more even if it can't be told. */
  async #end(connectionId: string, reason: GoodbyeReason): Promise<void> {
    const { push } = this.#ports;
    await this.forget(connectionId);
    const goodbye: Frame = { type: 'goodbye', reason, reconnect: reason === 'token-expired' };
    const sent = push.send(connectionId, frameOf([goodbye])).then(() => push.close(connectionId));
    await sent.catch(() => undefined);
  }

  #expiry(): number {
    return Math.floor(this.#ports.clock.now() / 1000) + connectionSeconds;
  }
}
