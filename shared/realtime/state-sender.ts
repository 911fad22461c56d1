import type { Connections } from '#shared/connections/connections';
import type { UpdateMessage } from '#shared/connections/message';
import type { Subscription } from '#shared/connections/stored';
import type { Subscriptions } from '#shared/connections/subscriptions';
import type { Platform } from '#shared/platform/ports';
import type { StateUpdate } from './feed.ts';
import type { Delivery } from './feed-ports.ts';
import { inPool } from './pool.ts';

const sendsAtOnce = 100;
/** A connection that could not be sent to this many times in a row is closed; it starts with a snapshot when it is back. */
const failuresMax = 3;

/** A state that a subscriber is to get. */
interface Due {
  readonly subscription: Subscription;
  readonly update: StateUpdate;
}

interface Missed {
  readonly failures: number;
  /** By audience. */
  readonly due: ReadonlyMap<string, Due>;
}

type Ports = Omit<Delivery, 'epoch'> & Pick<Platform, 'logger'>;

/**
 * Sends states, one frame per connection and batch. What could not be sent is remembered, and the newest state of the
 * channel goes out with the next batch, of whatever channels that is.
 */
export class StateSender {
  readonly #connections: Connections;
  readonly #subscriptions: Subscriptions;
  readonly #logger: Ports['logger'];
  /** By connection. */
  readonly #missed = new Map<string, Missed>();

  constructor({ connections, subscriptions, logger }: Ports) {
    this.#connections = connections;
    this.#subscriptions = subscriptions;
    this.#logger = logger;
  }

  /** @param newest the newest state of each channel that changed, by audience */
  async send(newest: ReadonlyMap<string, StateUpdate>): Promise<void> {
    const due = await this.#due(newest);
    await inPool(sendsAtOnce, due, ([connectionId, states]) => this.#sendTo(connectionId, states));
  }

  /** What each connection is to get, by audience. */
  async #due(newest: ReadonlyMap<string, StateUpdate>): Promise<Map<string, Map<string, Due>>> {
    const due = new Map<string, Map<string, Due>>();
    const add = (audience: string, state: Due): void => {
      const { connectionId } = state.subscription;
      due.set(connectionId, (due.get(connectionId) ?? new Map<string, Due>()).set(audience, state));
    };
    await Promise.all(
      [...newest].map(async ([audience, update]) => {
        for (const subscription of await this.#subscriptions.audience(update.channel)) {
          if (subscription.lastSeq < update.seq) add(audience, { subscription, update });
        }
      }),
    );
    for (const [connectionId, missed] of this.#missed) {
      let isSubscribed = due.has(connectionId);
      for (const [audience, { subscription, update }] of missed.due) {
        if (newest.has(audience)) continue;
        // It may have unsubscribed or started over since, which gave it a newer state.
        const current = await this.#subscriptions.current(subscription);
        if (current === undefined || current.lastSeq >= update.seq) continue;
        add(audience, { subscription: current, update });
        isSubscribed = true;
      }
      if (!isSubscribed) this.#missed.delete(connectionId);
    }
    return due;
  }

  async #sendTo(connectionId: string, due: ReadonlyMap<string, Due>): Promise<void> {
    const advanced: { readonly subscription: Subscription; readonly from: number; readonly to: number }[] = [];
    try {
      const messages: UpdateMessage[] = [];
      for (const { subscription, update } of due.values()) {
        const { channel, seq, data } = update;
        if (subscription.joining === true) {
          const from = await this.#subscriptions.advance(subscription, seq);
          if (from === undefined) continue;
          advanced.push({ subscription, from, to: seq });
        }
        messages.push({ type: 'update', channel: channel.name, seq, data });
      }
      await this.#connections.send(connectionId, messages);
      this.#missed.delete(connectionId);
    } catch (error) {
      this.#logger.warn('States could not be pushed', { error: error as Error });
      for (const { subscription, from, to } of advanced) await this.#subscriptions.takeBack(subscription, to, from);
      await this.#miss(connectionId, due);
    }
  }

  async #miss(connectionId: string, due: ReadonlyMap<string, Due>): Promise<void> {
    const failures = (this.#missed.get(connectionId)?.failures ?? 0) + 1;
    this.#missed.set(connectionId, { failures, due });
    if (failures < failuresMax) return;
    this.#missed.delete(connectionId);
    await this.#connections.end(connectionId, 'too-slow');
  }
}
