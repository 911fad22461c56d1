import type { NotificationChannel } from '#shared/model/channels';
import type { UserId } from '#shared/model/user-id';
import type { Ids } from '#shared/platform/ports';
import { ABSENT, equals, type Table, type Write } from '#shared/platform/table';
import { notificationKind } from './items.ts';
import { feedKey, type NotificationFeed, notificationKey, type StoredNotification } from './notification.ts';

/** A notification before it has a number in its owner's feed. */
export interface NewNotification
  extends Pick<
    StoredNotification,
    | 'alertId'
    | 'firedAt'
    | 'recordedAt'
    | 'condition'
    | 'venue'
    | 'symbol'
    | 'level'
    | 'value'
    | 'values'
    | 'message'
    | 'severity'
  > {
  /** The channels that deliver it. */
  readonly channels: readonly NotificationChannel[];
}

/** Numbers the notifications that one transaction adds to a user's feed. */
export class FeedWriter {
  readonly #ids: Ids;
  readonly #userId: UserId;
  readonly #lastSeq: number;
  readonly #added: StoredNotification[] = [];

  private constructor(ids: Ids, userId: UserId, lastSeq: number) {
    this.#ids = ids;
    this.#userId = userId;
    this.#lastSeq = lastSeq;
  }

  /** A writer that continues the feed as it is now. */
  static async open({ table, ids }: { readonly table: Table; readonly ids: Ids }, userId: UserId): Promise<FeedWriter> {
    const head = await table.get<NotificationFeed>(feedKey(userId), { consistent: true });
    return new FeedWriter(ids, userId, head?.seq ?? 0);
  }

  add({ channels, ...content }: NewNotification): void {
    const seq = this.#lastSeq + this.#added.length + 1;
    this.#added.push({
      ...notificationKey(this.#userId, seq),
      ...notificationKind.stamp,
      userId: this.#userId,
      seq,
      notificationId: this.#ids.next(),
      ...content,
      deliveryStatus: Object.fromEntries(channels.map((channel) => [channel, 'pending'])),
      deliveryAt: {},
      deliveryError: {},
    });
  }

  /**
   * The notifications and the feed's new head, to be written in one transaction; none if nothing was added. It is
   * canceled when another writer continued the feed first.
   */
  writes(): Write[] {
    const last = this.#added.at(-1);
    if (last === undefined) return [];
    const head: NotificationFeed = { ...feedKey(this.#userId), kind: 'feed', seq: last.seq };
    return [
      ...this.#added.map((notification): Write => ({ put: notification, if: ABSENT })),
      { put: head, if: this.#lastSeq === 0 ? ABSENT : equals('seq', this.#lastSeq) },
    ];
  }
}
