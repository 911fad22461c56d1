import { TokenVerifier } from '#shared/auth/tokens';
import { type Bearer, Connections } from '#shared/connections/connections';
import type { Answer, MessageId, RefusedChannel } from '#shared/connections/message';
import { SUBSCRIPTIONS_PER_CONNECTION_MAX, Subscriptions } from '#shared/connections/subscriptions';
import { RateLimiter } from '#shared/limits/rate-limiter';
import { InvalidInput, LimitExceeded } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { type ClientMessage, messagesIn } from './client-message.ts';
import type { Start } from './feed.ts';
import { type FedChannel, Feeds } from './feeds.ts';
import { inPool } from './pool.ts';
import { Refusal } from './refusal.ts';

/** Messages of a user, over all sockets: enough for every socket to subscribe and ping; more is a client out of control. */
const messagesPerMinute = 240;
const joinsAtOnce = 10;

/** Describes an error as a problem document. */
type ProblemOf = (error: unknown) => unknown;

/** Who speaks, and how errors are described to them. */
interface Speaker {
  readonly connectionId: string;
  readonly bearer: Bearer;
  readonly problemOf: ProblemOf;
  /** Sends the answer to the message. */
  reply(answer: Answer): Promise<boolean>;
}

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'ids' | 'config' | 'logger'>;

/** What clients send on their connections, and the answers to it. */
export class Conversation {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #subscriptions: Subscriptions;
  readonly #feeds: Feeds;
  readonly #verifier: TokenVerifier;
  readonly #limiter: RateLimiter;
  readonly #messagesMax: number;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#subscriptions = new Subscriptions(ports, this.#connections);
    this.#feeds = new Feeds({ ...ports, connections: this.#connections, subscriptions: this.#subscriptions });
    this.#verifier = new TokenVerifier(ports);
    this.#limiter = new RateLimiter(ports);
    this.#messagesMax = Math.max(1, Math.floor(messagesPerMinute * ports.config.http.requestLimitFactor));
  }

  /** Handles a frame of a client: its messages one after the other, each with an answer of its own. */
  async receive(connectionId: string, frame: string, problemOf: ProblemOf): Promise<void> {
    const bearer = await this.#connections.bearerOf(connectionId);
    if (bearer === undefined) return await this.#ports.push.close(connectionId);
    for (const { id, ...received } of messagesIn(frame)) {
      const reply = (answer: Answer) => this.#connections.send(connectionId, [withId(answer, id)]);
      try {
        await this.#count(bearer);
        if ('refusal' in received) throw received.refusal;
        await this.#answer({ connectionId, bearer, problemOf, reply }, received.message, id);
      } catch (error) {
        await reply({ type: 'error', problem: problemOf(error) });
        if (error instanceof Refusal && error.code === 'too-many-requests') {
          return await this.#ports.push.close(connectionId);
        }
      }
    }
  }

  /** @throws {Refusal} the user has sent too much */
  async #count({ userId }: Bearer): Promise<void> {
    const { isAllowed, limit, resetSeconds } = await this.#limiter.take(
      ['USER', userId],
      'messages',
      this.#messagesMax,
    );
    if (isAllowed) return;
    const detail = `${limit} a minute are served; try again in ${resetSeconds} s.`;
    throw new Refusal('too-many-requests', detail, resetSeconds);
  }

  async #answer(speaker: Speaker, message: ClientMessage, id: MessageId | undefined): Promise<void> {
    switch (message.action) {
      case 'ping':
        await speaker.reply({ type: 'pong', at: this.#ports.clock.now() });
        return;
      case 'authenticate':
        return await this.#authenticate(speaker, message.token);
      case 'subscribe':
        return await this.#subscribe(speaker, message, id);
      case 'unsubscribe': {
        const left = [...new Set(message.channels)].map((name) => this.#parse(name, speaker.bearer));
        for (const { channel } of left) await this.#subscriptions.remove(speaker.connectionId, channel);
        await speaker.reply({ type: 'unsubscribed', channels: left.map(({ channel }) => channel.name) });
      }
    }
  }

  /** Authorizes the connection for as long as a newer token of the same session lasts. */
  async #authenticate({ connectionId, bearer, reply }: Speaker, token: string): Promise<void> {
    const verdict = await this.#verifier.verify(token, { freshSession: true });
    if ('refusal' in verdict) throw new Refusal('unauthenticated', 'The access token is not valid.');
    if (verdict.userId !== bearer.userId || verdict.sessionId !== bearer.sessionId) {
      throw new Refusal('forbidden', 'The token is of another session; open another socket with it.');
    }
    const expiresAt = await this.#connections.renew(connectionId, verdict.expiresAt);
    if (expiresAt === undefined) return await this.#ports.push.close(connectionId);
    await reply({ type: 'authenticated', expiresAt });
  }

  /** Subscribes to the channels that there are; the others are refused one by one. */
  async #subscribe(
    { connectionId, bearer, problemOf }: Speaker,
    { channels: names, since = {} }: Extract<ClientMessage, { action: 'subscribe' }>,
    id: MessageId | undefined,
  ): Promise<void> {
    const opened: FedChannel[] = [];
    const refused: RefusedChannel[] = [];
    const open = async (name: string): Promise<FedChannel | RefusedChannel> => {
      try {
        return await this.#open(name, bearer);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { channel: name, problem: problemOf(error) };
      }
    };
    for (const outcome of await Promise.all([...new Set(names)].map(open))) {
      if ('feed' in outcome) opened.push(outcome);
      else refused.push(outcome);
    }
    const channels = opened.map(({ channel }) => channel);
    if (channels.length > 0 && !(await this.#subscriptions.admit(connectionId, channels))) {
      const most = `A connection may have ${SUBSCRIPTIONS_PER_CONNECTION_MAX} channels; unsubscribe from some first.`;
      throw new Refusal('limit-exceeded', most);
    }
    const joining = await Promise.all(
      opened.map(async ({ feed, channel }) => {
        return { feed, channel, start: await feed.start(channel, since[channel.name]) };
      }),
    );
    const subscribed: Answer = {
      type: 'subscribed',
      channels: channels.map(({ name }) => name),
      ...(refused.length === 0 ? {} : { refused }),
    };
    const first = joining.flatMap(({ start }) => start.first);
    if (!(await this.#connections.send(connectionId, [withId(subscribed, id), ...first]))) return;
    await inPool(joinsAtOnce, joining, (channel) => this.#join(connectionId, bearer, channel));
  }

  async #join(
    connectionId: string,
    bearer: Bearer,
    { feed, channel, start }: FedChannel & { readonly start: Start },
  ): Promise<void> {
    const subscription = await this.#subscriptions.add(connectionId, bearer, channel, start.lastSeq);
    await feed.catchUp(channel, subscription, start);
  }

  async #open(name: string, bearer: Bearer): Promise<FedChannel> {
    const fed = this.#parse(name, bearer);
    await fed.feed.open(fed.channel);
    return fed;
  }

  #parse(name: string, { userId }: Bearer): FedChannel {
    const fed = this.#feeds.parse(name, userId);
    if (fed !== undefined) return fed;
    throw new Refusal('invalid-input', `There is no such channel; the channels are ${this.#feeds.syntax}.`);
  }
}

const withId = (answer: Answer, id: MessageId | undefined): Answer => (id === undefined ? answer : { ...answer, id });

/** Whether the channel is the reason, rather than something that fails. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Refusal || error instanceof InvalidInput || error instanceof LimitExceeded;
