import { itemKind } from '#shared/platform/item-kind';
import { type NotificationFeed, notificationOf, type StoredNotification } from './notification.ts';

export const notificationKind = itemKind<StoredNotification>({
  kind: 'notification',
  owner: 'user',
  export: { view: notificationOf },
  erase: 'swept',
  shape: 2,
  // Shape 1 had no condition and no values by series; its sentence is all that is known.
  migrate: { 1: (old) => ({ ...old, condition: null, values: {} }) },
});

/** The kinds of items of notifications. */
export const notificationsItems = [
  notificationKind,
  itemKind<NotificationFeed>({
    kind: 'feed',
    owner: 'user',
    export: { omitted: 'the number of the newest notification' },
    erase: 'swept',
  }),
] as const;
