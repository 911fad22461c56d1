import type { Channel } from '#shared/connections/channel';
import type { UserId } from '#shared/model/user-id';
import type { Platform } from '#shared/platform/ports';
import { Epoch } from './epoch.ts';
import type { Feed } from './feed.ts';
import type { FeedPorts } from './feed-ports.ts';
import { alertsFeed } from './feeds/alerts.ts';
import { pricesFeed } from './feeds/prices.ts';

/** Every family of channels. */
const families: readonly ((ports: FeedPorts) => Feed)[] = [pricesFeed, alertsFeed];

/** A channel with the feed that serves it. */
export interface FedChannel {
  readonly feed: Feed;
  readonly channel: Channel;
}

/** The feeds that clients can subscribe to. */
export class Feeds {
  readonly all: readonly Feed[];

  constructor(ports: Omit<FeedPorts, 'epoch'> & Pick<Platform, 'ids'>) {
    const epoch = new Epoch(ports);
    this.all = families.map((family) => family({ ...ports, epoch }));
  }

  /** Reads a channel's name as this user sends it; undefined when no feed has such a channel. */
  parse(name: string, userId: UserId): FedChannel | undefined {
    for (const feed of this.all) {
      const channel = feed.parse(name, userId);
      if (channel !== undefined) return { feed, channel };
    }
    return undefined;
  }

  /** How channel names look, for people. */
  get syntax(): string {
    return this.all.map(({ syntax }) => syntax).join(', ');
  }
}
