import { audienceKey, type Channel } from '#shared/connections/channel';
import { Connections } from '#shared/connections/connections';
import { Subscriptions } from '#shared/connections/subscriptions';
import type { Platform } from '#shared/platform/ports';
import type { Change } from '#shared/platform/table';
import type { LogFeed, StateUpdate, Update, Updates } from './feed.ts';
import { Feeds } from './feeds.ts';
import { inPool } from './pool.ts';
import { StateSender } from './state-sender.ts';

/** Logs that are delivered at a time; each goes to the sockets of one user. */
const logsAtOnce = 50;

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'config' | 'logger'>;

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
    // Logs first: they are what people wait for.
    await inPool(logsAtOnce, this.#newEntries(changes).values(), async ({ feed, channel, entries }) => {
      try {
        const seqs = entries.map(({ seq }) => seq);
        await feed.deliver(channel, seqs);
      } catch (error) {
        this.#logger.error('Entries of a log could not be pushed', { error: error as Error });
        for (const { sequence } of entries) failed.add(sequence);
      }
    });
    const states = this.#newestStates(changes);
    await this.#states.send(states);
    for (const [audience, { seq }] of states) this.#sent.set(audience, seq);
    return failed;
  }

  /** The new entries of each log, by audience. */
  #newEntries(changes: readonly Change[]): ReadonlyMap<string, NewEntries> {
    const logs = new Map<string, NewEntries>();
    for (const change of changes) {
      for (const feed of this.#feeds.all) {
        const update = feed.type === 'log' ? updateOf(feed.updates, change) : undefined;
        if (feed.type !== 'log' || update === undefined) continue;
        const { channel, seq } = update;
        const log = logs.get(audienceKey(channel)) ?? { feed, channel, entries: [] };
        log.entries.push({ seq, sequence: change.sequence });
        logs.set(audienceKey(channel), log);
      }
    }
    return logs;
  }

  /** The newest state of each channel that was not sent yet, by audience. */
  #newestStates(changes: readonly Change[]): ReadonlyMap<string, StateUpdate> {
    const newest = new Map<string, StateUpdate>();
    for (const change of changes) {
      for (const feed of this.#feeds.all) {
        const update = feed.type === 'state' ? updateOf(feed.updates, change) : undefined;
        if (update === undefined) continue;
        const audience = audienceKey(update.channel);
        if (update.seq > (newest.get(audience)?.seq ?? this.#sent.get(audience) ?? 0)) newest.set(audience, update);
      }
    }
    return newest;
  }
}

const updateOf = <U extends Update>(updates: Updates<U>, change: Change): U | undefined =>
  updates[(change.after ?? change.before)?.kind ?? '']?.(change);
