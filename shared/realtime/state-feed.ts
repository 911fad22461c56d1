import type { Channel } from '#shared/connections/channel';
import type { Family, Reaction, StateFeed, StateUpdate } from './feed.ts';
import type { Delivery } from './feed-ports.ts';

/** Where the state of a family's channels is. */
export interface StateSource<C extends Channel> extends Family<C> {
  readonly updates: readonly Reaction<StateUpdate>[];
  /** The state that is stored now, read consistently; number 0 when there is none yet. */
  current(channel: C): Promise<CurrentState>;
}

export interface CurrentState {
  readonly seq: number;
  /** What a snapshot of it carries. */
  snapshot(): Promise<unknown>;
  /** What an update to it carries. */
  update(): unknown;
}

export const stateFeed = <C extends Channel>(
  { connections, subscriptions, epoch: epochs }: Delivery,
  source: StateSource<C>,
): StateFeed<C> => ({
  ...source,
  type: 'state',

  async start(channel, since) {
    const [epoch, { seq, snapshot }] = await Promise.all([epochs.current(), source.current(channel)]);
    const isOfEpoch = since === undefined || (since.epoch ?? epoch) === epoch;
    if (isOfEpoch && since?.seq === seq) return { lastSeq: seq, first: [] };
    const message = { type: 'snapshot', channel: channel.name, epoch, seq, data: await snapshot() } as const;
    return { lastSeq: seq, first: [isOfEpoch ? message : { ...message, recovered: false }] };
  },

  async catchUp(channel, subscription) {
    const { seq, update } = await source.current(channel);
    if ((await subscriptions.advance(subscription, seq)) === undefined) return;
    await connections.send(subscription.connectionId, [{ type: 'update', channel: channel.name, seq, data: update() }]);
  },
});
