import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import { alertOf, type NotificationFeed, notificationOf, type StoredAlert, type StoredNotification } from './stored.ts';

interface AlertCount extends Item {
  readonly kind: 'alert-count';
}

export const alertKind = itemKind<StoredAlert>({
  kind: 'alert',
  owner: 'user',
  export: { view: (alert, { clock }) => alertOf(alert, clock) },
  erase: 'eraser',
});

export const notificationKind = itemKind<StoredNotification>({
  kind: 'notification',
  owner: 'user',
  export: { view: notificationOf },
  erase: 'swept',
});

/** The kinds of items of alerts and of their firings. */
export const alertsItems = [
  alertKind,
  notificationKind,
  itemKind<AlertCount>({
    kind: 'alert-count',
    owner: 'user',
    export: { omitted: 'the number of alerts, which are exported' },
    erase: 'swept',
  }),
  itemKind<NotificationFeed>({
    kind: 'feed',
    owner: 'user',
    export: { omitted: 'the number of the newest notification' },
    erase: 'swept',
  }),
] as const;
