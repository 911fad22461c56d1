import type { UserId } from '#shared/model/user-id';
import { keyOf } from '#shared/platform/table';

/** What a client can subscribe to: the price of a symbol, or the firings of the user's own alerts. */
export type FeedChannel =
  | { readonly type: 'prices'; readonly venue: string; readonly symbol: string }
  | { readonly type: 'alerts' };

/** Reads a channel's name, `prices:binance:BTC/USDT` or `alerts`; undefined when there is none of this name. */
export const feedChannelOf = (name: string): FeedChannel | undefined => {
  if (name === 'alerts') return { type: 'alerts' };
  const match = /^prices:(?<venue>[a-z0-9]{2,32}):(?<symbol>[^\s#\p{Surrogate}]{3,64})$/u.exec(name);
  const { venue, symbol } = match?.groups ?? {};
  return venue === undefined || symbol === undefined ? undefined : { type: 'prices', venue, symbol };
};

export const priceChannel = (venue: string, symbol: string): string => `prices:${venue}:${symbol}`;

/** The partition that holds a channel's subscriptions. What belongs to a user is apart for each user. */
export const audienceOf = (channel: string, userId: UserId | undefined): string =>
  channel === 'alerts' ? keyOf('AUDIENCE', channel, userId ?? '') : keyOf('AUDIENCE', channel);

/** What the server sends; one frame carries one of these or an array of them. */
export type Frame =
  | { readonly type: 'subscribed'; readonly channels: readonly string[] }
  | { readonly type: 'snapshot'; readonly channel: string; readonly seq: number; readonly data: unknown }
  | { readonly type: 'update'; readonly channel: string; readonly seq: number; readonly data: unknown }
  | { readonly type: 'error'; readonly problem: unknown }
  | { readonly type: 'pong' }
  | { readonly type: 'goodbye'; readonly reason: GoodbyeReason; readonly reconnect: boolean };

/** Why the server ends a connection by itself. */
export type GoodbyeReason = 'token-expired' | 'session-ended';

export const frameOf = (messages: readonly Frame[]): string =>
  JSON.stringify(messages.length === 1 ? messages[0] : messages);
