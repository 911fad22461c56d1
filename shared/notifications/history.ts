import type { ListPage, PageRequest } from '#shared/model/page';
import type { UserId } from '#shared/model/user-id';
import { InvalidCursor } from '#shared/platform/errors';
import type { Item, Table } from '#shared/platform/table';
import { notificationKind } from './items.ts';
import {
  feedKey,
  type Notification,
  type NotificationFeed,
  notificationKey,
  notificationOf,
  type StoredNotification,
} from './notification.ts';

/** Notifications read at once where a filter leaves out some of them, and at most for one page. */
const filteredAtOnce = 100;
const readPerPageMax = 400;
/** Higher than every number of a feed. */
const seqEnd = 1e12 - 1;
/**
 * How long after it was observed a firing may get its number: a price move that could not be handled waits in the
 * dead letters for up to 14 days (lib/queues.ts).
 */
const numberedLateMs = 14 * 86_400_000;
/** How far the clocks of processes may differ. */
const clockSkewMs = 60_000;

export interface HistoryFilter {
  readonly alertId?: string;
  /** Bounds of `firedAt`, inclusive, epoch ms. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * A page of a user's notifications, newest first. With a filter a page reads at most 400 of them, so that it may have
 * fewer items than its limit, or none, and still be followed by another one.
 *
 * The feed is in the order in which firings were stored, each at or after its `firedAt`. So nothing stored before
 * `from` fired after it, where reading ends; and since a firing is stored 14 days late at most, a binary search over
 * the numbers finds where to begin for `to`.
 * @throws {InvalidCursor}
 */
export const notificationHistory = async (
  table: Table,
  userId: UserId,
  { limit, cursor }: PageRequest,
  filter: HistoryFilter = {},
): Promise<ListPage<Notification>> => {
  const isFiltered = Object.values(filter).some((bound) => bound !== undefined);
  const items: Notification[] = [];
  /** The page continues with the notification before this number. */
  let before = cursor === undefined ? await firstBeyond(table, userId, filter.to) : numberIn(cursor);
  let left = isFiltered ? readPerPageMax : limit;
  while (before > 1 && left > 0 && items.length < limit) {
    const read = await readBefore(table, userId, before, Math.min(left, isFiltered ? filteredAtOnce : limit));
    left -= read.notifications.length;
    before = 1;
    for (const notification of read.notifications) {
      if (storedAt(notification) < (filter.from ?? 0) - clockSkewMs) return { items };
      if (items.length === limit) break;
      before = notification.seq;
      if (matches(notification, filter)) items.push(notificationOf(notification));
    }
    if (!read.hasMore && before === read.notifications.at(-1)?.seq) return { items };
  }
  return { items, ...(before > 1 && { cursor: String(before) }) };
};

const matches = ({ alertId, firedAt }: StoredNotification, filter: HistoryFilter): boolean =>
  (filter.alertId === undefined || alertId === filter.alertId) &&
  (filter.from === undefined || firedAt >= filter.from) &&
  (filter.to === undefined || firedAt <= filter.to);

/** When a notification was stored, epoch ms: its id is a UUIDv7 (RFC 9562), which begins with the time. */
const storedAt = ({ notificationId }: StoredNotification): number =>
  Number.parseInt(notificationId.replace('-', '').slice(0, 12), 16);

const numberIn = (cursor: string): number => {
  if (!/^\d{1,12}$/.test(cursor)) throw new InvalidCursor('The cursor was not issued by this list.');
  return Number(cursor);
};

const readBefore = async (table: Table, userId: UserId, before: number, limit: number) => {
  const between = [notificationKey(userId, 1).sk, notificationKey(userId, before - 1).sk] as const;
  const page = await table.query<Item>({ pk: feedKey(userId).pk, sk: { between }, descending: true, limit });
  return { notifications: page.items.map((item) => notificationKind.read(item)), hasMore: page.cursor !== undefined };
};

/**
 * A number from which on all notifications fired after `to`: within a page of the least one, in a number of reads that
 * grows with the logarithm of the feed's length.
 */
const firstBeyond = async (table: Table, userId: UserId, to: number | undefined): Promise<number> => {
  if (to === undefined) return seqEnd;
  const head = await table.get<NotificationFeed>(feedKey(userId));
  let [low, high] = [0, (head?.seq ?? 0) + 1];
  while (high - low > filteredAtOnce) {
    const middle = Math.floor((low + high) / 2);
    const item = notificationKind.read(await table.get<Item>(notificationKey(userId, middle)));
    if (item !== undefined && item.firedAt > to + numberedLateMs) high = middle;
    else low = middle;
  }
  return high;
};
