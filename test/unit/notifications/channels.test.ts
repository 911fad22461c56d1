import { describe, expect, it } from 'vitest';
import { NotificationChannel } from '#shared/model/channels';
import type { UserId } from '#shared/model/user-id';
import { QUEUED_CHANNEL_NAMES, QUEUED_CHANNELS, queuedChannelOf } from '#shared/notifications/channels/channels';

const contact = { userId: 'u' as UserId, email: 'ada@example.com', emailVerified: false, webhookUrl: null };

describe('the channels of notifications', () => {
  it('go through the queue, every one but WebSockets, which the stream serves', () => {
    expect([...QUEUED_CHANNEL_NAMES, 'websocket'].sort()).toEqual(NotificationChannel.options.toSorted());
    for (const channel of QUEUED_CHANNELS) expect(queuedChannelOf[channel.name]).toBe(channel);
  });

  it('can be chosen once they are set up', () => {
    const problems = (details: object) =>
      QUEUED_CHANNELS.flatMap(({ name, ...channel }) =>
        channel.validate?.({ ...contact, ...details }) === undefined ? [] : [name],
      );
    expect(problems({})).toEqual(['webhook']);
    expect(problems({ webhookUrl: 'https://example.com/hook' })).toEqual([]);
  });
});
