import type { Connections } from '#shared/connections/connections';
import type { Subscriptions } from '#shared/connections/subscriptions';
import type { Platform } from '#shared/platform/ports';
import type { Epoch } from './epoch.ts';

/** What delivering to subscribers needs. */
export interface Delivery {
  readonly connections: Connections;
  readonly subscriptions: Subscriptions;
  readonly epoch: Epoch;
}

/** What a feed may depend on. */
export interface FeedPorts extends Delivery, Pick<Platform, 'table' | 'clock' | 'config'> {}
