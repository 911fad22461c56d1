import { type Bearer, Connections } from '#shared/connections/connections';
import { SUBSCRIPTIONS_PER_CONNECTION_MAX, Subscriptions } from '#shared/connections/subscriptions';
import { RateLimiter } from '#shared/limits/rate-limiter';
import type { Platform } from '#shared/platform/ports';
import { parseMessage } from './client-message.ts';
import type { Since } from './feed.ts';
import { type FedChannel, Feeds } from './feeds.ts';
import { Refusal } from './refusal.ts';

/** Messages of a user, over all sockets. A client only subscribes, authenticates and pings; one that sends more is out of control and closed. */
const messagesPerMinute = 240;

type ProblemOf = (error: unknown) => unknown;
type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'config' | 'logger'>;

/** What clients send on their connections, and the answers to it. */
export class Conversation {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #subscriptions: Subscriptions;
  readonly #feeds: Feeds;
  readonly #limiter: RateLimiter;
  readonly #messagesMax: number;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#subscriptions = new Subscriptions(ports, this.#connections);
    const { table, clock, config } = ports;
    const delivery = { connections: this.#connections, subscriptions: this.#subscriptions };
    this.#feeds = new Feeds({ table, clock, config, ...delivery });
    this.#limiter = new RateLimiter(ports);
    this.#messagesMax = Math.max(1, Math.floor(messagesPerMinute * config.requestLimitFactor));
  }

  /**
   * Handles a frame of a client. What is wrong with it is sent to the client.
   * @param problemOf describes an error as a problem document
   */
  async receive(connectionId: string, text: string, problemOf: ProblemOf): Promise<void> {
    const bearer = await this.#connections.bearerOf(connectionId);
    if (bearer === undefined) return await this.#ports.push.close(connectionId);
    const refuse = async (error: unknown): Promise<void> => {
      await this.#connections.send(connectionId, [{ type: 'error', problem: problemOf(error) }]);
    };
    try {
      const { isAllowed, limit, resetSeconds } = await this.#limiter.take(
        ['USER', bearer.userId],
        'messages',
        this.#messagesMax,
      );
      if (isAllowed) return await this.#answer(connectionId, bearer, text);
      const detail = `${limit} a minute are served; try again in ${resetSeconds} s.`;
      await refuse(new Refusal('too-many-requests', detail, resetSeconds));
      await this.#ports.push.close(connectionId);
    } catch (error) {
      await refuse(error);
    }
  }

  async #answer(connectionId: string, bearer: Bearer, text: string): Promise<void> {
    const message = parseMessage(text);
    switch (message.action) {
      case 'ping':
        await this.#connections.send(connectionId, [{ type: 'pong' }]);
        return;
      case 'subscribe':
        return await this.#subscribe(connectionId, bearer, new Set(message.channels), message.since ?? {});
      case 'unsubscribe': {
        const joined = [...new Set(message.channels)].map((name) => this.#parse(name, bearer));
        for (const { channel } of joined) await this.#subscriptions.remove(connectionId, channel);
      }
    }
  }

  async #subscribe(
    connectionId: string,
    bearer: Bearer,
    names: ReadonlySet<string>,
    since: Readonly<Record<string, Since>>,
  ): Promise<void> {
    const joined = await Promise.all([...names].map((name) => this.#open(name, bearer)));
    const channels = joined.map(({ channel }) => channel);
    if (!(await this.#subscriptions.admit(connectionId, channels))) {
      const most = `A connection may listen to ${SUBSCRIPTIONS_PER_CONNECTION_MAX} channels; unsubscribe from some first.`;
      throw new Refusal('limit-exceeded', most);
    }
    const joining = await Promise.all(
      joined.map(async ({ feed, channel }) => {
        return { feed, channel, start: await feed.start(channel, since[channel.name]) };
      }),
    );
    const first = joining.flatMap(({ start }) => start.first);
    const subscribed = { type: 'subscribed', channels: [...names] } as const;
    if (!(await this.#connections.send(connectionId, [subscribed, ...first]))) return;
    for (const { feed, channel, start } of joining) {
      const subscription = await this.#subscriptions.add(connectionId, bearer, channel, start.lastSeq);
      await feed.catchUp(channel, subscription, start);
    }
  }

  async #open(name: string, bearer: Bearer): Promise<FedChannel> {
    const fed = this.#parse(name, bearer);
    await fed.feed.open(fed.channel);
    return fed;
  }

  #parse(name: string, { userId }: Bearer): FedChannel {
    const fed = this.#feeds.parse(name, userId);
    if (fed !== undefined) return fed;
    throw new Refusal(
      'invalid-input',
      `There is no channel ${JSON.stringify(name)}; the channels are ${this.#feeds.syntax}.`,
    );
  }
}
