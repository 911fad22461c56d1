import { itemKind } from '#shared/platform/item-kind';
import { notificationOf, type StoredNotification } from './stored.ts';

export const notificationKind = itemKind<StoredNotification>({
  kind: 'notification',
  owner: 'user',
  export: { view: notificationOf },
  erase: 'swept',
});
