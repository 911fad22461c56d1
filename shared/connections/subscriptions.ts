import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, atMost, equals, every, PRESENT } from '#shared/platform/table';
import { audienceKey, type Channel } from './channel.ts';
import type { Bearer, Connections } from './connections.ts';
import { connectionKey, expiryOf, ofConnection, type Subscription, subscriptionKey } from './stored.ts';

export const SUBSCRIPTIONS_PER_CONNECTION_MAX = 100;

type Ports = Pick<Platform, 'table' | 'clock'>;

/** What connections are subscribed to, and how far each has got. */
export class Subscriptions {
  readonly #ports: Ports;
  readonly #connections: Connections;

  constructor(ports: Ports, connections: Connections) {
    this.#ports = ports;
    this.#connections = connections;
  }

  /**
   * Makes room for these channels; subscriptions to any of them that the connection has already are removed.
   * @returns false, and changes nothing, when the connection would have too many subscriptions or is gone
   */
  async admit(connectionId: string, channels: readonly Channel[]): Promise<boolean> {
    const { table } = this.#ports;
    const keys = channels.map((channel) => subscriptionKey(connectionId, channel));
    const known = await table.getMany<Subscription>(keys, { consistent: true });
    const added = channels.length - known.length;
    const hasRoom = atMost('subscriptions', SUBSCRIPTIONS_PER_CONNECTION_MAX - added);
    try {
      await table.update(connectionKey(connectionId), { add: { subscriptions: added } }, allOf(PRESENT, hasRoom));
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
    await table.writeMany(known.map(({ pk, sk }) => ({ delete: { pk, sk } })));
    return true;
  }

  /** Subscribes a connection, which was admitted to the channel, to what follows `lastSeq`; it is joining until {@link joined}. */
  async add(
    connectionId: string,
    { userId, expiresAt: authorizedUntil }: Bearer,
    channel: Channel,
    lastSeq: number,
  ): Promise<Subscription> {
    const { table, clock } = this.#ports;
    const subscription: Subscription = {
      ...subscriptionKey(connectionId, channel),
      kind: 'subscription',
      connectionId,
      channel: channel.name,
      userId,
      authorizedUntil,
      lastSeq,
      joining: true,
      gsi1pk: ofConnection(connectionId).pk,
      gsi1sk: channel.name,
      expiresAt: expiryOf(clock.now()),
    };
    await table.put(subscription);
    return subscription;
  }

  /** The subscriber is up to date: from now on the stream alone sends to it. */
  async joined({ pk, sk }: Subscription): Promise<void> {
    await unlessGone(this.#ports.table.update({ pk, sk }, { remove: ['joining'] }, PRESENT));
  }

  /** The subscription as it is now; undefined when it has ended. */
  async current({ pk, sk }: Subscription): Promise<Subscription | undefined> {
    return await this.#ports.table.get<Subscription>({ pk, sk }, { consistent: true });
  }

  async remove(connectionId: string, channel: Channel): Promise<void> {
    const { table } = this.#ports;
    const removed = await table.delete(subscriptionKey(connectionId, channel));
    if (removed === undefined) return;
    await table.update(connectionKey(connectionId), { add: { subscriptions: -1 } }, PRESENT);
  }

  /** The subscriptions to a channel. Connections whose token has expired are ended and left out. */
  async audience(channel: Channel): Promise<Subscription[]> {
    const { table, clock } = this.#ports;
    const audience: Subscription[] = [];
    for await (const subscription of every<Subscription>(table, { pk: audienceKey(channel), consistent: true })) {
      if (subscription.authorizedUntil > clock.now() || (await this.#isRenewed(subscription))) {
        audience.push(subscription);
      }
    }
    return audience;
  }

  /** Whether the connection was authorized for longer since it subscribed; one that was not is ended. */
  async #isRenewed({ pk, sk, connectionId }: Subscription): Promise<boolean> {
    const bearer = await this.#connections.bearerOf(connectionId);
    const { table } = this.#ports;
    if (bearer === undefined) {
      await table.delete({ pk, sk });
      return false;
    }
    await unlessGone(table.update({ pk, sk }, { set: { authorizedUntil: bearer.expiresAt } }, PRESENT));
    return true;
  }

  /**
   * Moves the subscription on to `seq`. Only the writer that moves it sends what lies between, so that each message is
   * sent once although the stream and a client that catches up compete.
   * @returns the number after which to send; undefined when there is nothing to send
   */
  async advance(subscription: Subscription, seq: number): Promise<number | undefined> {
    const { table } = this.#ports;
    const { pk, sk } = subscription;
    for (let current: Subscription | undefined = subscription; current !== undefined; ) {
      const { lastSeq = 0 } = current;
      if (lastSeq >= seq) return undefined;
      try {
        await table.update({ pk, sk }, { set: { lastSeq: seq } }, equals('lastSeq', lastSeq));
        return lastSeq;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        current = await this.current(subscription);
      }
    }
    return undefined;
  }

  /** Takes back an advance whose messages could not be sent, unless the subscription has moved on since. */
  async takeBack({ pk, sk }: Subscription, from: number, to: number): Promise<void> {
    await unlessGone(this.#ports.table.update({ pk, sk }, { set: { lastSeq: to } }, equals('lastSeq', from)));
  }
}

/** A condition that does not hold is fine: the subscription has ended or moved on. */
const unlessGone = async (update: Promise<unknown>): Promise<void> => {
  try {
    await update;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
};
