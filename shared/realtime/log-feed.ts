import type { Channel } from '#shared/connections/channel';
import { FRAME_BYTES_MAX, fitting } from '#shared/connections/frames';
import type { UpdateMessage } from '#shared/connections/message';
import type { Subscription } from '#shared/connections/stored';
import type { Family, LogFeed, Reaction, Update } from './feed.ts';
import type { Delivery } from './feed-ports.ts';

/** Most missed entries that are sent one by one; a client that missed more gets a snapshot. */
const missedMax = 100;
/** Entries in a snapshot, newest first, as many of them as fit in one frame with the rest of the message. */
const snapshotEntries = 20;
const snapshotBytesMax = FRAME_BYTES_MAX - 1_000;

export interface LogEntry {
  readonly seq: number;
  readonly data: unknown;
}

/** How the sockets got an entry. */
export type LogOutcome = 'delivered' | 'no-listener';

/** Where the entries of a family's channels are. Entries that are not pushed keep their number and are left out. */
export interface LogSource<C extends Channel> extends Family<C> {
  readonly updates: readonly Reaction<Update>[];
  /** Number of the newest entry, read consistently; 0 when there is none. */
  head(channel: C): Promise<number>;
  /** The newest entries numbered up to `seq`, newest first. */
  newest(channel: C, seq: number, limit: number): Promise<readonly LogEntry[]>;
  /** The entries numbered from after `after` to `seq`, in their order. */
  between(channel: C, after: number, seq: number): Promise<readonly LogEntry[]>;
  /** Records how the sockets got an entry; once one of them has it, it is delivered. */
  settle(channel: C, seq: number, outcome: LogOutcome): Promise<void>;
}

export const logFeed = <C extends Channel>(
  { connections, subscriptions, epoch: epochs }: Delivery,
  source: LogSource<C>,
): LogFeed<C> => {
  const updatesBetween = async (channel: C, after: number, seq: number): Promise<UpdateMessage[]> => {
    if (after >= seq) return [];
    const entries = await source.between(channel, after, seq);
    return entries.map((entry) => ({ type: 'update', channel: channel.name, ...entry }));
  };

  const settleAll = async (channel: C, seqs: readonly number[], outcome: LogOutcome): Promise<void> => {
    await Promise.all(seqs.map((seq) => source.settle(channel, seq, outcome)));
  };

  /** Sends the entries up to the one numbered `seq` that the subscription lacks. @returns their numbers */
  const send = async (channel: C, subscription: Subscription, seq: number): Promise<readonly number[] | 'gone'> => {
    const { lastSeq, connectionId } = subscription;
    // Read first: between advancing and sending, a later one could be sent before these.
    const read = await updatesBetween(channel, lastSeq, seq);
    const after = await subscriptions.advance(subscription, seq);
    if (after === undefined) return [];
    let sentSeq = after;
    try {
      const updates =
        after < lastSeq ? await updatesBetween(channel, after, seq) : read.filter((update) => update.seq > after);
      const isSent = await connections.send(connectionId, updates, (count) => {
        sentSeq = updates[count - 1]?.seq ?? sentSeq;
      });
      return isSent ? updates.map((update) => update.seq) : 'gone';
    } catch (error) {
      await subscriptions.takeBack(subscription, seq, sentSeq);
      throw error;
    }
  };

  return {
    ...source,
    type: 'log',

    async start(channel, since) {
      const [epoch, head] = await Promise.all([epochs.current(), source.head(channel)]);
      if (since !== undefined && (since.epoch ?? epoch) === epoch) {
        const missed = head - since.seq;
        if (missed >= 0 && missed <= missedMax) {
          return { lastSeq: head, first: await updatesBetween(channel, since.seq, head) };
        }
      }
      const entries = await source.newest(channel, head, snapshotEntries);
      const data = fitting(
        entries.map((entry) => entry.data),
        snapshotBytesMax,
      );
      const message = { type: 'snapshot', channel: channel.name, epoch, seq: head, data } as const;
      return { lastSeq: head, first: [since === undefined ? message : { ...message, recovered: false }] };
    },

    async catchUp(channel, subscription, { first }) {
      const sent = await send(channel, subscription, await source.head(channel));
      if (sent !== 'gone') await settleAll(channel, sent, 'delivered');
      const missed = first.flatMap((message) => (message.type === 'update' ? message.seq : []));
      await settleAll(channel, missed, 'delivered');
    },

    async deliver(channel, seqs) {
      const newest = Math.max(...seqs);
      const audience = await subscriptions.audience(channel);
      const sent = await Promise.all(audience.map((subscription) => send(channel, subscription, newest)));
      await settleAll(channel, seqs, sent.every((outcome) => outcome === 'gone') ? 'no-listener' : 'delivered');
    },
  };
};
