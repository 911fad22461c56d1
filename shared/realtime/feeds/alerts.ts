import type { Channel } from '#shared/connections/channel';
import type { UserId } from '#shared/model/user-id';
import { notificationKind } from '#shared/notifications/items';
import {
  feedKey,
  type NotificationFeed,
  notificationKey,
  notificationOf,
  notificationPrefix,
  type StoredNotification,
} from '#shared/notifications/notification';
import { ConditionFailed } from '#shared/platform/errors';
import { anyOf, type Change, equals, every, type Item } from '#shared/platform/table';
import { onChange, type Update } from '../feed.ts';
import type { FeedPorts } from '../feed-ports.ts';
import { logFeed } from '../log-feed.ts';

type AlertsChannel = Extract<Channel, { privacy: 'private' }>;

const name = 'alerts';
const alertsOf = (userId: UserId): AlertsChannel => ({ privacy: 'private', name, userId });

const isPushed = ({ deliveryStatus }: StoredNotification): boolean => deliveryStatus.websocket !== undefined;
const entryOf = (firing: StoredNotification) => ({ seq: firing.seq, data: notificationOf(firing) });

const updateOf = ({ event, after }: Change<StoredNotification>): Update | undefined => {
  if (event !== 'INSERT' || after === undefined || !isPushed(after)) return undefined;
  return { channel: alertsOf(after.userId), seq: after.seq };
};

/** The firings of the user's own alerts, `alerts`; numbered in the user's notification feed. */
export const alertsFeed = (ports: FeedPorts) => {
  const { table, clock } = ports;
  return logFeed<AlertsChannel>(ports, {
    syntax: name,
    parse: (requested, userId) => (requested === name ? alertsOf(userId) : undefined),
    async open() {},

    async head({ userId }) {
      return (await table.get<NotificationFeed>(feedKey(userId), { consistent: true }))?.seq ?? 0;
    },

    async newest({ userId }, seq, limit) {
      const { items } = await table.query<Item>({
        ...{ pk: feedKey(userId).pk, sk: { prefix: notificationPrefix }, descending: true, consistent: true },
        limit,
      });
      const firings = items.map((item) => notificationKind.read(item));
      return firings.filter((firing) => firing.seq <= seq && isPushed(firing)).map(entryOf);
    },

    async between({ userId }, after, seq) {
      const between = [notificationKey(userId, after + 1).sk, notificationKey(userId, seq).sk] as const;
      const query = { pk: feedKey(userId).pk, sk: { between }, consistent: true };
      const entries = [];
      for await (const item of every<Item>(table, query)) {
        const firing = notificationKind.read(item);
        if (isPushed(firing)) entries.push(entryOf(firing));
      }
      return entries;
    },

    async settle({ userId }, seq, outcome) {
      const settled = { 'deliveryStatus.websocket': outcome, 'deliveryAt.websocket': clock.now() };
      const pending = equals('deliveryStatus.websocket', 'pending');
      const noListener = equals('deliveryStatus.websocket', 'no-listener');
      const isOpen = outcome === 'delivered' ? anyOf(pending, noListener) : pending;
      try {
        await table.update(notificationKey(userId, seq), { set: settled }, isOpen);
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    },

    updates: [onChange(notificationKind, updateOf)],
  });
};
