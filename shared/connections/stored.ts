import type { UserId } from '#shared/model/user-id';
import { type Item, type Key, keyOf } from '#shared/platform/table';
import { audienceKey, type Channel } from './channel.ts';

/** API Gateway closes a connection after two hours; its items outlive it by a little. */
const connectionSeconds = 2 * 3600 + 600;

export interface StoredConnection extends Item {
  readonly kind: 'connection';
  readonly userId: UserId;
  readonly sessionId: string;
  /** Epoch ms. */
  readonly authorizedUntil: number;
}

/** A socket of a user, counted against the limit of each. */
export interface UserSocket extends Item {
  readonly kind: 'user-socket';
  readonly connectionId: string;
  /** Epoch ms. */
  readonly openedAt: number;
}

/** A connection's subscription to a channel, in the partition of the channel's audience. */
export interface Subscription extends Item {
  readonly kind: 'subscription';
  readonly connectionId: string;
  /** The channel's name. */
  readonly channel: string;
  readonly userId: UserId;
  /** A copy of the connection's, epoch ms. */
  readonly authorizedUntil: number;
  /**
   * Number of the last message that was sent or is not wanted. Of states it is kept only while the subscription is
   * joining: a write for each tick and subscriber would cost more than the frames.
   */
  readonly lastSeq: number;
  /** The subscriber is being brought up to date, so the stream is not the only one that sends to it. */
  readonly joining?: boolean;
}

export const connectionKey = (connectionId: string): Key => ({ pk: keyOf('CONNECTION', connectionId), sk: 'SELF' });

export const subscriptionKey = (connectionId: string, channel: Channel): Key => ({
  pk: audienceKey(channel),
  sk: keyOf('CONNECTION', connectionId),
});

const socketsPartition = (userId: UserId): string => keyOf('SOCKETS', userId);
export const userSocketKey = (userId: UserId, connectionId: string): Key => ({
  pk: socketsPartition(userId),
  sk: keyOf('CONNECTION', connectionId),
});

/** Finds the sockets of a user. */
export const ofUser = (userId: UserId) => ({ pk: socketsPartition(userId), consistent: true });
/** Finds the connections of a session. */
export const ofSession = (sessionId: string) => ({ index: 'gsi1', pk: keyOf('SESSION', sessionId) }) as const;
/** Finds what belongs to a connection: its subscriptions and its place among the user's sockets. */
export const ofConnection = (connectionId: string) =>
  ({ index: 'gsi1', pk: keyOf('CONNECTION', connectionId) }) as const;

/** When the items of a connection expire, epoch seconds. @param now epoch ms */
export const expiryOf = (now: number): number => Math.floor(now / 1000) + connectionSeconds;
