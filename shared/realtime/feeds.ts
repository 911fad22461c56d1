import {
  feedKey,
  type NotificationFeed,
  notificationKey,
  notificationOf,
  notificationPrefix,
  type StoredNotification,
} from '#shared/alerts/stored';
import { type FeedChannel, type Frame, priceChannel } from '#shared/connections/channel';
import type { Connections, Subscription } from '#shared/connections/connections';
import { priceQuoteOf, type StoredTicker, Tickers } from '#shared/market/tickers';
import { freshnessOf, readVenueStatus } from '#shared/market/venue-status';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { anyOf, equals, every } from '#shared/platform/table';

/** Most missed firings that are sent one by one; a client that missed more gets a snapshot. */
const missedMax = 100;
/** Firings in a snapshot of `alerts`, newest first. */
const snapshotFirings = 20;

type Update = Extract<Frame, { type: 'update' }>;
/** Where a subscription starts: what is sent first, and the number of the last message in it. */
interface Start {
  readonly lastSeq: number;
  readonly first: readonly Frame[];
}
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
   * Where a subscription starts: with what the client missed, or with a snapshot.
   * @param since number of the last message that the client has
   */
  async start(channel: FeedChannel, userId: UserId, since: number | undefined): Promise<Start> {
    if (channel.type === 'prices') return await this.#startPrices(channel.venue, channel.symbol, since);
    const head = await this.#head(userId);
    if (since !== undefined && since <= head && head - since <= missedMax) {
      return { lastSeq: head, first: await this.#firings(userId, since, head) };
    }
    const { items } = await this.#ports.table.query<StoredNotification>({
      ...{ pk: feedKey(userId).pk, sk: { prefix: notificationPrefix }, descending: true, consistent: true },
      limit: snapshotFirings,
    });
    const isPushed = ({ seq, deliveryStatus }: StoredNotification) =>
      seq <= head && deliveryStatus.websocket !== undefined;
    const firings = items.filter(isPushed).map(notificationOf);
    return { lastSeq: head, first: [{ type: 'snapshot', channel: 'alerts', seq: head, data: firings }] };
  }

  /** Writes down that the first messages of a subscription were sent. */
  async started(userId: UserId, { first }: Start): Promise<void> {
    const missed = first.filter((frame) => frame.type === 'update');
    await Promise.all(missed.map(({ seq }) => this.settle(userId, seq, 'delivered')));
  }

  /** Sends what came between the start of a subscription and its being stored, when nobody could see it yet. */
  async catchUp(channel: FeedChannel, subscription: Subscription): Promise<void> {
    if (channel.type === 'alerts') {
      const sent = await this.sendFirings(subscription, await this.#head(subscription.userId));
      if (sent !== 'gone') await Promise.all(sent.map((seq) => this.settle(subscription.userId, seq, 'delivered')));
      return;
    }
    const ticker = await this.#tickers.of(channel.venue, channel.symbol, { consistent: true });
    if (ticker === undefined || (await this.#connections.advance(subscription, ticker.version)) === undefined) return;
    const data = priceQuoteOf(ticker, false);
    await this.#connections.send(subscription.connectionId, [
      { type: 'update', channel: subscription.channel, seq: ticker.version, data },
    ]);
  }

  /**
   * Sends the firings up to the one numbered `seq` that the subscription does not have yet.
   * @returns the numbers of those that were sent, or that the connection is gone
   * @throws what kept them from being sent; they are still to be sent then
   */
  async sendFirings(subscription: Subscription, seq: number): Promise<readonly number[] | 'gone'> {
    const { userId, lastSeq } = subscription;
    // Read first: between advancing and sending, a later one could be sent before these.
    const read = await this.#firings(userId, lastSeq, seq);
    const after = await this.#connections.advance(subscription, seq);
    if (after === undefined) return [];
    try {
      const updates =
        after < lastSeq ? await this.#firings(userId, after, seq) : read.filter((update) => update.seq > after);
      if (updates.length > 0 && !(await this.#connections.send(subscription.connectionId, updates))) return 'gone';
      return updates.map((update) => update.seq);
    } catch (error) {
      await this.#connections.takeBack(subscription, seq, after);
      throw error;
    }
  }

  /** The firings numbered from after `after` to `seq`, of alerts that are pushed. */
  async #firings(userId: UserId, after: number, seq: number): Promise<Update[]> {
    const updates: Update[] = [];
    if (after >= seq) return updates;
    const between = [notificationKey(userId, after + 1).sk, notificationKey(userId, seq).sk] as const;
    const query = { pk: feedKey(userId).pk, sk: { between }, consistent: true };
    for await (const firing of every<StoredNotification>(this.#ports.table, query)) {
      if (firing.deliveryStatus.websocket === undefined) continue;
      updates.push({ type: 'update', channel: 'alerts', seq: firing.seq, data: notificationOf(firing) });
    }
    return updates;
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

  async #startPrices(venue: string, symbol: string, since: number | undefined): Promise<Start> {
    const ticker = await this.#tickers.of(venue, symbol, { consistent: true });
    const seq = ticker?.version ?? 0;
    if (since === seq) return { lastSeq: seq, first: [] };
    const { table, clock, config } = this.#ports;
    const status = await readVenueStatus(table, venue);
    const quoted = (found: StoredTicker) => {
      const { stale, confirmedAt } = freshnessOf(status, found, clock.now(), config.marketSyncSeconds);
      return priceQuoteOf(found, stale, confirmedAt);
    };
    const data = ticker === undefined ? null : quoted(ticker);
    return { lastSeq: seq, first: [{ type: 'snapshot', channel: priceChannel(venue, symbol), seq, data }] };
  }

  async #head(userId: UserId): Promise<number> {
    return (await this.#ports.table.get<NotificationFeed>(feedKey(userId), { consistent: true }))?.seq ?? 0;
  }
}
