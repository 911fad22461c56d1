import { type CrossingEntry, crossingEntry, type Level, type Wait, waitOf } from '#shared/market/crossing-entry';
import { Decimal } from '#shared/model/decimal';
import type { NewNotification } from '#shared/notifications/feed';
import type { Write } from '#shared/platform/table';
import type { AlertRole, Reading } from './conditions/condition.ts';
import { type Condition, kindOf } from './conditions/conditions.ts';
import type { StoredAlert } from './stored.ts';

/**
 * How late the stream may deliver a move. Entries outlive their alerts by that, so that one from before the end still
 * fires.
 */
const streamSeconds = 86_400;

/** Less than two values of a series differ by at least: prices have fewer decimal places. */
const nextToMargin = '1e-40';

/** The levels that a role waits at. */
const levelsOf = (condition: Condition, role: AlertRole, readings: readonly Reading[]): readonly Level[] => {
  const kind = kindOf(condition);
  if (role !== 'recheck') return kind.arm(condition, role);
  // Every move, up or down, passes one of the two. A new series that begins at the same value does with its next move.
  return readings.flatMap(({ series, value }): Level[] =>
    value === undefined
      ? []
      : [
          { series, direction: 'up', value: new Decimal(value).plus(nextToMargin).toFixed(), reachedByFirst: true },
          { series, direction: 'down', value: new Decimal(value).minus(nextToMargin).toFixed(), reachedByFirst: true },
        ],
  );
};

/**
 * The entries of an alert in a role.
 * @param readings of the series on which it waits
 */
const entriesOf = (alert: StoredAlert, role: AlertRole, readings: readonly Reading[]): CrossingEntry[] => {
  const { userId, alertId: id, condition, endsAt } = alert;
  const expiresAt = endsAt === null ? undefined : Math.ceil(endsAt / 1000) + streamSeconds;
  return levelsOf(condition, role, readings).map((level) =>
    crossingEntry(level, { userId, id, role }, versionOf(level.series, readings), expiresAt),
  );
};

const versionOf = (name: string, readings: readonly Reading[]): number => {
  const reading = readings.find(({ series }) => series === name);
  if (reading === undefined) throw new TypeError(`There is no reading of the series ${name}`);
  return reading.version;
};

/** Whether an alert waits at this very entry, not at one that has since replaced it. */
export const waitsAt = ({ waits }: StoredAlert, { pk, sk, seen }: CrossingEntry): boolean =>
  waits.some((wait) => wait.pk === pk && wait.sk === sk && wait.seen === seen);

/** The writes by which an alert leaves the entries where it waited and waits at others. */
export const moveWrites = (before: readonly Wait[], after: readonly CrossingEntry[]): Write[] => {
  const isKept = ({ pk, sk }: Wait) => after.some((entry) => entry.pk === pk && entry.sk === sk);
  return [...leaveWrites(before.filter((wait) => !isKept(wait))), ...after.map((entry): Write => ({ put: entry }))];
};

export const leaveWrites = (waits: readonly Wait[]): Write[] =>
  waits.map(({ pk, sk }): Write => ({ delete: { pk, sk } }));

/** An alert after a change, with the entries where it waits from then on, and what its owner is notified of. */
export interface Transition {
  readonly alert: StoredAlert;
  readonly entries: readonly CrossingEntry[];
  readonly notification?: NewNotification;
}

/**
 * The alert as it waits to fire.
 * @param role `recheck`: it is evaluated at the next move of its series, wherever that goes
 */
export const armed = (
  alert: StoredAlert,
  readings: readonly Reading[],
  role: 'fire' | 'recheck' = 'fire',
): Transition => {
  const entries = entriesOf(alert, role, readings);
  return { alert: { ...alert, waits: entries.map(waitOf) }, entries };
};

/** Why an alert fires. */
export interface Trigger {
  /** Value of the series that decided. */
  readonly value: string;
  /** When that was observed, epoch ms. */
  readonly at: number;
  /** Of the series of the alert, the one that decided first. */
  readonly readings: readonly [Reading, ...Reading[]];
}

/** The alert after firing: one that repeats waits to be armed again. */
export const fired = (alert: StoredAlert, { value, at, readings }: Trigger): Transition => {
  const { alertId, name, condition, severity, channels } = alert;
  const kind = kindOf(condition);
  const sentence = kind.message(condition, value);
  const { recordedAt } = readings[0];
  const entries = alert.repeat === 'always' ? entriesOf(alert, 'rearm', readings) : [];
  return {
    alert: {
      ...alert,
      status: alert.repeat === 'always' ? 'active' : 'triggered',
      waits: entries.map(waitOf),
      lastFiredAt: at,
      firedCount: alert.firedCount + 1,
    },
    entries,
    notification: {
      ...{ alertId, firedAt: at, value, severity, channels, condition },
      ...kind.subject(condition),
      values: Object.fromEntries(
        readings.flatMap((each) => (each.value === undefined ? [] : [[each.series, each.value]])),
      ),
      ...(recordedAt === undefined ? {} : { recordedAt }),
      message: name === null ? sentence : `${name}: ${sentence}`,
    },
  };
};
