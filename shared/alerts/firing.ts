import { directionOf, type Level, type LevelRole, levelKey, opposite } from '#shared/market/crossing-index';
import type { PriceMove } from '#shared/market/tickers';
import { Decimal } from '#shared/model/decimal';
import type { UserId } from '#shared/model/user-id';
import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, equals, type Write } from '#shared/platform/table';
import type { PriceCondition } from './alert.ts';
import {
  alertKey,
  coolsDown,
  feedKey,
  hasEnded,
  type NotificationFeed,
  notificationKey,
  type StoredAlert,
  type StoredNotification,
} from './stored.ts';

/** How far a price must go back through a level before a repeating alert is armed again, as a part of the level. */
const hysteresis = '0.001';
/** Alerts of one user that one transaction fires: each takes up to four writes of the hundred that it may have. */
const firingsPerTransaction = 20;
/** How late a stream may tell of a move: levels outlive their alerts by that, so that one from before the end still fires. */
const streamSeconds = 86_400;
const attemptsMax = 8;
const retryMs = 20;
const usersAtOnce = 16;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random'>;

/** Turns levels that a move reached into notifications. */
export class Firing {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * Fires, or arms again, every alert that waits at these levels. Doing it again changes nothing. Users whose alerts
   * can't be recorded don't hold up the others.
   * @throws what went wrong for the first of those users
   */
  async record(levels: readonly Level[], move: PriceMove): Promise<void> {
    const byUser = [...Map.groupBy(levels, ({ userId }) => userId)];
    const failures: unknown[] = [];
    for (let start = 0; start < byUser.length; start += usersAtOnce) {
      const users = byUser.slice(start, start + usersAtOnce);
      const recorded = await Promise.allSettled(
        users.map(([userId, reached]) => this.#recordOf(userId, reached, move)),
      );
      for (const outcome of recorded) if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    if (failures.length > 0) throw failures[0];
  }

  async #recordOf(userId: UserId, reached: readonly Level[], move: PriceMove): Promise<void> {
    for (let start = 0; start < reached.length; start += firingsPerTransaction) {
      const levels = reached.slice(start, start + firingsPerTransaction);
      await retried(this.#ports, async () => {
        const writes = await this.#writes(userId, levels, move);
        if (writes.length > 0) await this.#ports.table.transact(writes);
      });
    }
  }

  async #writes(userId: UserId, levels: readonly Level[], move: PriceMove): Promise<Write[]> {
    const { table } = this.#ports;
    const keys = levels.map(({ alertId }) => alertKey(userId, alertId));
    const alerts = await table.getMany<StoredAlert>(keys, { consistent: true });
    const feed = new FeedWriter(userId, await table.get<NotificationFeed>(feedKey(userId), { consistent: true }));
    const writes: Write[] = [];
    for (const level of levels) {
      const alert = alerts.find(({ alertId }) => alertId === level.alertId);
      // An alert that left this level meanwhile has been dealt with, also when it is back since.
      if (alert?.level == null || !isSameEntry(alert.level, level)) continue;
      writes.push(...this.#reach(alert, level, move, feed));
    }
    return [...writes, ...feed.writes()];
  }

  #reach(alert: StoredAlert, level: Level, move: PriceMove, feed: FeedWriter): Write[] {
    const next = (changes: Partial<StoredAlert>): Write => ({
      put: { ...alert, ...changes, version: alert.version + 1 },
      if: equals('version', alert.version),
    });
    const leave: Write = { delete: { pk: level.pk, sk: level.sk } };
    if (hasEnded(alert, move.at)) return [next({ status: 'expired', level: null }), leave];
    if (level.role === 'rearm') {
      const armed = levelOf(alert, 'fire', move.version);
      return [next({ level: entryOf(armed) }), leave, { put: armed }];
    }
    if (coolsDown(alert, move.at)) return [];
    const { changes, writes } = fired(this.#ports, alert, move, feed);
    return [next(changes), leave, ...writes];
  }
}

/** What firing an alert changes in it, and the further writes that belong to the same transaction. */
export const fired = (
  { ids }: Pick<Platform, 'ids'>,
  alert: StoredAlert,
  { to, version, at }: Pick<PriceMove, 'to' | 'version' | 'at'>,
  feed: FeedWriter,
): { readonly changes: Partial<StoredAlert>; readonly writes: Write[] } => {
  const seq = feed.next();
  const notification: StoredNotification = {
    ...notificationKey(alert.userId, seq),
    kind: 'notification',
    userId: alert.userId,
    seq,
    notificationId: ids.next(),
    alertId: alert.alertId,
    firedAt: at,
    value: to,
    message: messageOf(alert, to),
    severity: alert.severity,
    deliveryStatus: Object.fromEntries(alert.channels.map((channel) => [channel, 'pending'])),
    deliveryAt: {},
    deliveryError: {},
  };
  const rearm = alert.repeat === 'always' ? levelOf(alert, 'rearm', version) : undefined;
  return {
    changes: {
      status: alert.repeat === 'always' ? 'active' : 'triggered',
      level: rearm === undefined ? null : entryOf(rearm),
      lastFiredAt: at,
      firedCount: alert.firedCount + 1,
    },
    writes: [{ put: notification, if: ABSENT }, ...(rearm === undefined ? [] : [{ put: rearm }])],
  };
};

/** Numbers the firings of one transaction in their owner's feed. */
export class FeedWriter {
  readonly #userId: UserId;
  readonly #before: number;
  #seq: number;

  constructor(userId: UserId, feed: NotificationFeed | undefined) {
    this.#userId = userId;
    this.#before = feed?.seq ?? 0;
    this.#seq = this.#before;
  }

  next(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Moves the feed's head on, if anything was numbered and nobody else did meanwhile. */
  writes(): Write[] {
    if (this.#seq === this.#before) return [];
    const head: NotificationFeed = { ...feedKey(this.#userId), kind: 'feed', seq: this.#seq };
    return [{ put: head, if: this.#before === 0 ? ABSENT : equals('seq', this.#before) }];
  }
}

/** The level that an alert waits for: its own to fire, or one a little back through it to be armed again. */
export const levelOf = (alert: StoredAlert, role: LevelRole, seen: number): Level => {
  const { venue, symbol, operator, value } = alert.condition;
  const direction = directionOf(operator);
  const key =
    role === 'fire'
      ? levelKey(venue, symbol, direction, value, alert.alertId)
      : levelKey(venue, symbol, opposite(direction), rearmValue(alert.condition), alert.alertId);
  return {
    ...key,
    kind: 'level',
    userId: alert.userId,
    alertId: alert.alertId,
    role,
    operator,
    seen,
    ...(alert.endsAt === null ? {} : { expiresAt: Math.ceil(alert.endsAt / 1000) + streamSeconds }),
  };
};

/** A level as its alert knows it. */
export const entryOf = ({ pk, sk, seen }: Level) => ({ pk, sk, seen });

const isSameEntry = (entry: ReturnType<typeof entryOf>, { pk, sk, seen }: Level): boolean =>
  entry.pk === pk && entry.sk === sk && entry.seen === seen;

const rearmValue = ({ operator, value }: PriceCondition): string => {
  const back = new Decimal(value).times(hysteresis);
  const rearm = directionOf(operator) === 'up' ? new Decimal(value).minus(back) : new Decimal(value).plus(back);
  return rearm.toFixed();
};

const words = {
  above: 'is above',
  below: 'is below',
  crosses_above: 'crossed above',
  crosses_below: 'crossed below',
} as const;

const messageOf = ({ name, condition }: StoredAlert, price: string): string => {
  const { venue, symbol, operator, value } = condition;
  const sentence = `${symbol} on ${venue} ${words[operator]} ${value}: the last price is ${price}.`;
  return name === null ? sentence : `${name}: ${sentence}`;
};

/** Runs a transaction made from what was just read, anew when somebody else changed it meanwhile. */
export const retried = async <T>(
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  run: () => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      if (attempt === attemptsMax) throw new Unavailable('Too many changes at once; try again.', { cause: error });
      await clock.sleep(random.number() * retryMs * 2 ** attempt);
    }
  }
};
