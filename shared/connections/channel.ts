import type { UserId } from '#shared/model/user-id';
import { keyOf } from '#shared/platform/table';

/** A channel that clients subscribe to. A private one always names its owner, so that it can't reach anybody else. */
export type Channel =
  | { readonly privacy: 'public'; readonly name: string }
  | { readonly privacy: 'private'; readonly name: string; readonly userId: UserId };

/** The partition that holds a channel's subscriptions; a private channel has one per user. */
export const audienceKey = (channel: Channel): string => {
  switch (channel.privacy) {
    case 'public':
      return keyOf('AUDIENCE', channel.name);
    case 'private':
      return keyOf('AUDIENCE', channel.name, channel.userId);
  }
};
