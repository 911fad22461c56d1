import type { QueuedChannel } from './channel.ts';
import { mailChannel } from './mail.ts';
import { webhookChannel } from './webhook.ts';

/** The channels; one more is a file and an entry here. */
const channels = [mailChannel, webhookChannel] as const;

export type QueuedChannelName = (typeof channels)[number]['name'];

/** Every channel whose deliveries go through the queue. */
export const QUEUED_CHANNELS: readonly QueuedChannel<QueuedChannelName>[] = channels;

export const QUEUED_CHANNEL_NAMES: readonly QueuedChannelName[] = channels.map(({ name }) => name);

/** The channel of each name. */
export const queuedChannelOf = Object.fromEntries(QUEUED_CHANNELS.map((channel) => [channel.name, channel])) as {
  readonly [name in QueuedChannelName]: QueuedChannel<name>;
};
