import { audienceKey, type Channel } from '#shared/connections/channel';
import { Connections } from '#shared/connections/connections';
import { Subscriptions } from '#shared/connections/subscriptions';
import type { Platform } from '#shared/platform/ports';
import type { Change } from '#shared/platform/table';
import type { LogFeed, StateFeed, StateUpdate } from './feed.ts';
import { Feeds } from './feeds.ts';
import { inPool } from './pool.ts';
import { StateSender } from './state-sender.ts';

/** Logs that are delivered at a time; each goes to the sockets of one user. */
const logsAtOnce = 50;

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'ids' | 'config' | 'logger'>;

/** The new entries of one log, with the changes that they came with. */
interface NewEntries {
  readonly feed: LogFeed;
  readonly channel: Channel;
  readonly entries: { readonly seq: number; readonly sequence: string }[];
}

/** Sends what changed to the subscribers: every entry of a log, and the newest state. */
export class Publisher {
  readonly #logger: Ports['logger'];
  readonly #feeds: Feeds;
  readonly #states: StateSender;
  /** Number of the newest state that was sent, by audience: a batch that comes again does not repeat its states. */
  readonly #sent = new Map<string, number>();

  constructor({ logger, ...ports }: Ports) {
    const connections = new Connections(ports);
    const subscriptions = new Subscriptions(ports, connections);
    this.#logger = logger;
    this.#feeds = new Feeds({ ...ports, connections, subscriptions });
    this.#states = new StateSender({ connections, subscriptions, logger });
  }

  /** @returns the sequences of the changes that have to come again */
  async publish(changes: readonly Change[]): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    const { logs, states } = this.#read(changes, failed);
    // Logs first: they are what people wait for.
    await inPool(logsAtOnce, logs.values(), async ({ feed, channel, entries }) => {
      try {
        const seqs = entries.map(({ seq }) => seq);
        await feed.deliver(channel, seqs);
      } catch (error) {
        this.#logger.error('Entries of a log could not be pushed', { error: error as Error });
        for (const { sequence } of entries) failed.add(sequence);
      }
    });
    await this.#states.send(states);
    for (const [audience, { seq }] of states) this.#sent.set(audience, seq);
    return failed;
  }

  /** What the changes mean, by audience. A change that can't be read fails alone. */
  #read(changes: readonly Change[], failed: Set<string>) {
    const logs = new Map<string, NewEntries>();
    const states = new Map<string, StateUpdate>();
    for (const change of changes) {
      for (const feed of this.#feeds.all) {
        try {
          if (feed.type === 'log') addEntries(logs, feed, change);
          else this.#addStates(states, feed, change);
        } catch (error) {
          this.#logger.error('A change could not be read', { error: error as Error });
          failed.add(change.sequence);
        }
      }
    }
    return { logs, states };
  }

  /** Keeps the newest state of each channel, unless it was sent before. */
  #addStates(states: Map<string, StateUpdate>, feed: StateFeed, change: Change): void {
    for (const reaction of feed.updates) {
      const update = reaction.update(change);
      if (update === undefined) continue;
      const audience = audienceKey(update.channel);
      const newest = states.get(audience)?.seq ?? this.#sent.get(audience) ?? 0;
      if (update.seq > newest) states.set(audience, update);
    }
  }
}

const addEntries = (logs: Map<string, NewEntries>, feed: LogFeed, change: Change): void => {
  for (const reaction of feed.updates) {
    const update = reaction.update(change);
    if (update === undefined) continue;
    const { channel, seq } = update;
    const audience = audienceKey(channel);
    const log = logs.get(audience) ?? { feed, channel, entries: [] };
    log.entries.push({ seq, sequence: change.sequence });
    logs.set(audience, log);
  }
};
