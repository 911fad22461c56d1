import {
  type Feed,
  feedKey,
  notificationKey,
  notificationOf,
  notificationPrefix,
  type StoredNotification,
} from '#shared/alerts/stored';
import { priceOf, Tickers } from '#shared/market/tickers';
import { isStale, readVenueStatus } from '#shared/market/venue-status';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { anyOf, equals, every } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import { type Channel, type Frame, priceChannel } from './channel.ts';
import type { Connections, Subscription } from './connections.ts';

/** Most missed firings that are sent one by one; a client that missed more gets a snapshot. */
const missedMax = 100;
/** Firings in a snapshot of `alerts`, newest first. */
const snapshotFirings = 20;

type Update = Extract<Frame, { type: 'update' }>;
type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;

/** What the channels hold: their state for those who join, and what those who were away missed. */
export class Feeds {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #tickers: Tickers;

  constructor(ports: Ports, connections: Connections) {
    this.#ports = ports;
    this.#connections = connections;
    this.#tickers = new Tickers(ports.table);
  }

  /**
   * Where a subscription starts: after the last message the client has, or with a snapshot.
   * @param since number of the last message that the client has
   */
  async start(
    channel: Channel,
    userId: UserId,
    since: number | undefined,
  ): Promise<{ readonly lastSeq: number; readonly snapshot?: Frame }> {
    if (channel.type === 'prices') return await this.#startPrices(channel.venue, channel.symbol, since);
    const head = await this.#head(userId);
    if (since !== undefined && since <= head && head - since <= missedMax) return { lastSeq: since };
    const { items } = await this.#ports.table.query<StoredNotification>({
      ...{ pk: feedKey(userId).pk, sk: { prefix: notificationPrefix }, descending: true, consistent: true },
      limit: snapshotFirings,
    });
    const firings = items.filter(({ seq }) => seq <= head).map(notificationOf);
    return { lastSeq: head, snapshot: { type: 'snapshot', channel: 'alerts', seq: head, data: firings } };
  }

  /** Sends what came between the start of a subscription and its being stored, when nobody could see it yet. */
  async catchUp(channel: Channel, subscription: Subscription): Promise<void> {
    if (channel.type === 'alerts') {
      return await this.sendFirings(subscription, await this.#head(subscription.userId));
    }
    const ticker = await this.#tickers.of(channel.venue, channel.symbol, { consistent: true });
    if (ticker === undefined || (await this.#connections.advance(subscription, ticker.version)) === undefined) return;
    const data = priceOf(ticker, false);
    await this.#connections.send(subscription.connectionId, [
      { type: 'update', channel: subscription.channel, seq: ticker.version, data },
    ]);
  }

  /** Sends the firings up to the one numbered `seq` that the subscription does not have yet. */
  async sendFirings(subscription: Subscription, seq: number): Promise<void> {
    const after = await this.#connections.advance(subscription, seq);
    if (after === undefined) return;
    const updates: Update[] = [];
    const between = [
      notificationKey(subscription.userId, after + 1).sk,
      notificationKey(subscription.userId, seq).sk,
    ] as const;
    const query = { pk: feedKey(subscription.userId).pk, sk: { between }, consistent: true };
    for await (const firing of every<StoredNotification>(this.#ports.table, query)) {
      if (firing.deliveryStatus.websocket === undefined) continue;
      updates.push({ type: 'update', channel: 'alerts', seq: firing.seq, data: notificationOf(firing) });
    }
    if (updates.length === 0 || !(await this.#connections.send(subscription.connectionId, updates))) return;
    await Promise.all(updates.map((update) => this.settle(subscription.userId, update.seq, 'delivered')));
  }

  /** Writes down how the sockets got a firing. Once one of them has it, it is delivered. */
  async settle(userId: UserId, seq: number, status: 'delivered' | 'no-listener'): Promise<void> {
    const told = { 'deliveryStatus.websocket': status, 'deliveryAt.websocket': this.#ports.clock.now() };
    const pending = equals('deliveryStatus.websocket', 'pending');
    const unheard = equals('deliveryStatus.websocket', 'no-listener');
    try {
      const isOpen = status === 'delivered' ? anyOf(pending, unheard) : pending;
      await this.#ports.table.update(notificationKey(userId, seq), { set: told }, isOpen);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  async #startPrices(venue: string, symbol: string, since: number | undefined) {
    const ticker = await this.#tickers.of(venue, symbol, { consistent: true });
    const seq = ticker?.version ?? 0;
    if (since === seq) return { lastSeq: seq };
    const status = await readVenueStatus(this.#ports.table, venue);
    const stale = isStale(status, this.#ports.clock.now(), this.#ports.config.marketSyncSeconds);
    const data = ticker === undefined ? null : priceOf(ticker, stale);
    return { lastSeq: seq, snapshot: { type: 'snapshot', channel: priceChannel(venue, symbol), seq, data } as const };
  }

  async #head(userId: UserId): Promise<number> {
    return (await this.#ports.table.get<Feed>(feedKey(userId), { consistent: true }))?.seq ?? 0;
  }
}
