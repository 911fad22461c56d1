import { audienceKey, type Channel } from '#shared/connections/channel';
import { Connections } from '#shared/connections/connections';
import type { UpdateMessage } from '#shared/connections/message';
import { Subscriptions } from '#shared/connections/subscriptions';
import type { Platform } from '#shared/platform/ports';
import type { Change } from '#shared/platform/table';
import type { LogFeed, StateUpdate, Updates } from './feed.ts';
import { Feeds } from './feeds.ts';

const sendsAtOnce = 100;

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'config' | 'logger'>;

/** Sends what changed to the subscribers: entries of logs one by one, states as one frame per connection and batch. */
export class Publisher {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #subscriptions: Subscriptions;
  readonly #feeds: Feeds;
  /** Number of the newest state that was pushed, by audience: a batch that comes again does not repeat its states. */
  readonly #pushed = new Map<string, number>();

  constructor(ports: Ports) {
    const { table, clock, config } = ports;
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#subscriptions = new Subscriptions(ports, this.#connections);
    const delivery = { connections: this.#connections, subscriptions: this.#subscriptions };
    this.#feeds = new Feeds({ table, clock, config, ...delivery });
  }

  /** @returns the sequences of the changes that have to come again */
  async publish(changes: readonly Change[]): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    // Logs first: they are what people wait for.
    for (const feed of this.#feeds.all) {
      if (feed.type === 'log') await this.#publishLog(feed, changes, failed);
    }
    const states = this.#feeds.all.flatMap((feed) =>
      feed.type === 'state' ? changes.flatMap((change) => updateOf(feed.updates, change) ?? []) : [],
    );
    await this.#publishStates(newestOf(states));
    return failed;
  }

  async #publishLog(feed: LogFeed, changes: readonly Change[], failed: Set<string>): Promise<void> {
    for (const change of changes) {
      const update = updateOf(feed.updates, change);
      if (update === undefined) continue;
      try {
        await feed.deliver(update.channel, [update.seq]);
      } catch (error) {
        this.#ports.logger.error('An entry of a log could not be pushed', { error: error as Error });
        failed.add(change.sequence);
      }
    }
  }

  async #publishStates(newest: ReadonlyMap<string, StateUpdate>): Promise<void> {
    const frames = new Map<string, UpdateMessage[]>();
    await Promise.all(
      [...newest].map(async ([audience, { channel, seq, data }]) => {
        if (seq <= (this.#pushed.get(audience) ?? 0)) return;
        const update: UpdateMessage = { type: 'update', channel: channel.name, seq, data };
        for (const { connectionId, lastSeq } of await this.#subscriptions.audience(channel)) {
          if (lastSeq < seq) frames.set(connectionId, [...(frames.get(connectionId) ?? []), update]);
        }
      }),
    );
    const sends = [...frames];
    for (let start = 0; start < sends.length; start += sendsAtOnce) {
      const batch = sends.slice(start, start + sendsAtOnce);
      await Promise.all(batch.map(([connectionId, messages]) => this.#sendStates(connectionId, messages)));
    }
    for (const [audience, { seq }] of newest)
      this.#pushed.set(audience, Math.max(seq, this.#pushed.get(audience) ?? 0));
  }

  /** A state that could not be sent is not sent again: the next one is newer. */
  async #sendStates(connectionId: string, messages: readonly UpdateMessage[]): Promise<void> {
    try {
      await this.#connections.send(connectionId, messages);
    } catch (error) {
      this.#ports.logger.warn('States could not be pushed', { error: error as Error });
    }
  }
}

const updateOf = <U extends { readonly channel: Channel; readonly seq: number }>(
  updates: Updates<U>,
  change: Change,
): U | undefined => updates[(change.after ?? change.before)?.kind ?? '']?.(change);

/** The newest state of each channel, by audience. */
const newestOf = (updates: readonly StateUpdate[]): ReadonlyMap<string, StateUpdate> => {
  const newest = new Map<string, StateUpdate>();
  for (const update of updates) newest.set(audienceKey(update.channel), update);
  return newest;
};
