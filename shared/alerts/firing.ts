import type { CrossingEntry } from '#shared/market/crossing-entry';
import type { SeriesMove } from '#shared/market/crossing-index';
import type { UserId } from '#shared/model/user-id';
import { FeedWriter, type NewNotification } from '#shared/notifications/feed';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { equals, type Item, TRANSACTION_WRITES_MAX, type Write } from '#shared/platform/table';
import { armed, fired, moveWrites, type Transition, waitsAt } from './arming.ts';
import type { AlertRole, Reading } from './conditions/condition.ts';
import { kindOf } from './conditions/conditions.ts';
import { alertKind } from './items.ts';
import { alertKey, coolsDown, hasEnded, type StoredAlert } from './stored.ts';

/** Alerts of one user that one transaction changes, at most. */
const alertsPerTransaction = 20;
/** Writes of a transaction that move the head of the user's feed. */
const feedHeadWrites = 1;
const usersAtOnce = 16;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random'>;

/** What a move does to one alert. */
interface Outcome {
  readonly writes: readonly Write[];
  readonly notification?: NewNotification;
}

/** Turns entries of the crossing index that a move reached into notifications. */
export class Firing {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * Fires, or arms again, every alert that waits at these entries; other entries are ignored. Doing it again changes
   * nothing. Users whose alerts can't be recorded don't hold up the others.
   * @throws the failure of the first of those users
   */
  async record(entries: readonly CrossingEntry[], move: SeriesMove): Promise<void> {
    const byUser = [...Map.groupBy(entries.filter(isOfAlert), ({ userId }) => userId)];
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

  async #recordOf(userId: UserId, reached: readonly CrossingEntry[], move: SeriesMove): Promise<void> {
    let left = [...Map.groupBy(reached, ({ id }) => id)];
    while (left.length > 0) {
      const alerts = left.slice(0, alertsPerTransaction);
      const done = await optimistic(this.#ports, () => this.#recordSome(userId, alerts, move));
      left = left.slice(done);
    }
  }

  /** Records what happens to the first of these alerts, as many as one transaction takes. @returns how many */
  async #recordSome(
    userId: UserId,
    reached: readonly (readonly [id: string, entries: readonly CrossingEntry[]])[],
    move: SeriesMove,
  ): Promise<number> {
    const { table } = this.#ports;
    const keys = reached.map(([alertId]) => alertKey(userId, alertId));
    const stored = await table.getMany<Item>(keys, { consistent: true });
    const alerts = stored.map((item) => alertKind.read(item));
    const feed = await FeedWriter.open(this.#ports, userId);
    const writes: Write[] = [];
    let [done, free] = [0, TRANSACTION_WRITES_MAX - feedHeadWrites];
    for (const [alertId, entries] of reached) {
      const alert = alerts.find((each) => each.alertId === alertId);
      const outcome = alert === undefined ? nothing : outcomeOf(alert, entries, move);
      free -= outcome.writes.length + (outcome.notification === undefined ? 0 : 1);
      if (free < 0 && done > 0) break;
      writes.push(...outcome.writes);
      if (outcome.notification !== undefined) feed.add(outcome.notification);
      done += 1;
    }
    const all = [...writes, ...feed.writes()];
    if (all.length > 0) await table.transact(all);
    return done;
  }
}

const nothing: Outcome = { writes: [] };
const roles: readonly string[] = ['fire', 'rearm', 'recheck'] satisfies AlertRole[];
const isOfAlert = ({ role }: CrossingEntry): boolean => roles.includes(role);

/** What happens to an alert as a move reaches entries of it. */
const outcomeOf = (alert: StoredAlert, entries: readonly CrossingEntry[], move: SeriesMove): Outcome => {
  // An entry that the alert has left since has been dealt with, even where it is back at the same level.
  const reached = entries.filter((entry) => waitsAt(alert, entry));
  if (reached.length === 0) return nothing;
  if (hasEnded(alert, move.at)) {
    return recorded(alert, { alert: { ...alert, status: 'expired', waits: [] }, entries: [] });
  }
  const { series, from: previous, to: value, version, at, recordedAt } = move;
  const readings: readonly [Reading] = [{ series, previous, value, version, recordedAt }];
  if (reached.some(({ role }) => role === 'rearm')) return recorded(alert, armed(alert, readings));
  const holds = kindOf(alert.condition).evaluate(alert.condition, readings) === true;
  if (holds && !coolsDown(alert, at)) return recorded(alert, fired(alert, { value, at, readings }));
  return reached.some(({ role }) => role === 'recheck') ? recorded(alert, armed(alert, readings)) : nothing;
};

const recorded = (before: StoredAlert, { alert, entries, notification }: Transition): Outcome => ({
  writes: [
    { put: { ...alert, version: before.version + 1 }, if: equals('version', before.version) },
    ...moveWrites(before.waits, entries),
  ],
  ...(notification === undefined ? {} : { notification }),
});
