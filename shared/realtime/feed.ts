import type { Channel } from '#shared/connections/channel';
import type { ServerMessage } from '#shared/connections/message';
import type { Subscription } from '#shared/connections/stored';
import type { UserId } from '#shared/model/user-id';
import { changeOf, type KindDeclaration } from '#shared/platform/item-kind';
import type { Change, Item } from '#shared/platform/table';

/** The last message that a client has: its number, and the epoch in which it was given where the client says so. */
export interface Since {
  readonly epoch: string | undefined;
  readonly seq: number;
}

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

/** What a change of an item means for a feed. */
export interface Reaction<U extends Update> {
  /** The items that it reacts to. */
  readonly kind: string;
  /** @returns undefined when the change means nothing, or is of another kind @throws it can't be read */
  update(change: Change): U | undefined;
}

/** Reacts to the items of a declared kind, in their current shape. */
export const onChange = <T extends Item, U extends Update>(
  declaration: KindDeclaration<T>,
  update: (change: Change<T>) => U | undefined,
): Reaction<U> => ({
  kind: declaration.kind,
  update(change) {
    const read = changeOf(declaration, change);
    return read === undefined ? undefined : update(read);
  },
});

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
  readonly updates: readonly Reaction<StateUpdate>[];
}

/** A family of channels whose every entry counts: `seq` has no gaps. */
export interface LogFeed<C extends Channel = Channel> extends Joinable<C> {
  readonly type: 'log';
  readonly updates: readonly Reaction<Update>[];
  /** Sends the entries up to the highest of these to everybody who lacks them. @throws what kept one of them back */
  deliver(channel: C, seqs: readonly number[]): Promise<void>;
}

/** A family of channels. */
export type Feed<C extends Channel = Channel> = StateFeed<C> | LogFeed<C>;
