import type { Channel } from '#shared/connections/channel';
import type { ServerMessage } from '#shared/connections/message';
import type { Subscription } from '#shared/connections/stored';
import type { UserId } from '#shared/model/user-id';
import type { Change } from '#shared/platform/table';

/** Number of the last message that a client has. */
export type Since = number;

/** Where a subscription starts: the messages to send first, and the number of the last one that they cover. */
export interface Start {
  readonly lastSeq: number;
  readonly first: readonly ServerMessage[];
}

/** A message of a channel, by its number. */
export interface Update {
  readonly channel: Channel;
  readonly seq: number;
}

export interface StateUpdate extends Update {
  readonly data: unknown;
}

/** What a change of an item means for a feed, by the item's kind; undefined when it means nothing. */
export type Updates<U extends Update> = { readonly [kind: string]: (change: Change) => U | undefined };

/** Which channels a family has. */
export interface Family<C extends Channel> {
  /** How the names of its channels look, for people. */
  readonly syntax: string;
  /** Reads a channel's name as this user sends it; undefined when it is none of this family. */
  parse(name: string, userId: UserId): C | undefined;
  /**
   * Makes sure that the channel is fed.
   * @throws a {@link DomainError} that says why it can't be
   */
  open(channel: C): Promise<void>;
}

interface Joinable<C extends Channel> extends Family<C> {
  /** What a new subscriber gets first: what it missed since the message that it has, or a snapshot. */
  start(channel: C, since: Since | undefined): Promise<Start>;
  /** Sends what came between the start of a subscription and its being stored, when the stream could not see it yet. */
  catchUp(channel: C, subscription: Subscription, start: Start): Promise<void>;
}

/** A family of channels whose newest state replaces the ones before: updates conflate, and gaps in `seq` are normal. */
export interface StateFeed<C extends Channel = Channel> extends Joinable<C> {
  readonly type: 'state';
  readonly updates: Updates<StateUpdate>;
}

/** A family of channels whose every entry counts: `seq` has no gaps. */
export interface LogFeed<C extends Channel = Channel> extends Joinable<C> {
  readonly type: 'log';
  readonly updates: Updates<Update>;
  /** Sends the entries up to the highest of these to everybody who lacks them. @throws what kept one of them back */
  deliver(channel: C, seqs: readonly number[]): Promise<void>;
}

/** A family of channels. */
export type Feed<C extends Channel = Channel> = StateFeed<C> | LogFeed<C>;
