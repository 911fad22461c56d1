import type { UserId } from '#shared/model/user-id';
import { itemKind } from '#shared/platform/item-kind';
import { type Item, type Key, keyOf, type Value } from '#shared/platform/table';
import { sortable } from './sortable.ts';

/** Which way a series must move through a level to reach it. */
export type Direction = 'up' | 'down';
export const opposite = (direction: Direction): Direction => (direction === 'up' ? 'down' : 'up');

/** A level of a named series of numbers. */
export interface Level {
  /** The name, without `#`. */
  readonly series: string;
  readonly direction: Direction;
  /** A decimal of either sign. */
  readonly value: string;
  /** Whether the first value of a series reaches it, which is no move, if it is at the level or beyond. */
  readonly reachedByFirst: boolean;
}

/** What waits at a level: something of a user, such as an alert or a resting paper order. */
export interface Waiter {
  readonly userId: UserId;
  readonly id: string;
  /** What reaching the level does to it. Each capability has roles of its own, by which it knows its entries. */
  readonly role: string;
}

/** An entry of the crossing index: a waiter at a level. */
export interface CrossingEntry extends Item, Waiter {
  readonly [attribute: string]: Value | undefined;
  readonly kind: 'level';
  readonly reachedByFirst: boolean;
  /** Version of the series when the entry was made: only later moves reach it, so that a redelivered move counts once. */
  readonly seen: number;
}

/** An entry as its waiter keeps it, to recognise it and to leave it. */
export type Wait = Pick<CrossingEntry, 'pk' | 'sk' | 'seen'>;

/** An entry in its first shape, when only alerts on prices could wait. */
interface AlertLevel extends Item {
  readonly alertId: string;
  readonly role: 'fire' | 'rearm';
  readonly operator: 'above' | 'below' | 'crosses_above' | 'crosses_below';
}

export const levelKind = itemKind<CrossingEntry>({
  kind: 'level',
  owner: 'user',
  export: { omitted: 'where an alert waits, which follows from its condition' },
  erase: 'eraser',
  shape: 2,
  migrate: {
    1: ({ alertId: id, operator, ...entry }: AlertLevel) => {
      const reachedByFirst = entry.role === 'rearm' || operator === 'above' || operator === 'below';
      return { ...entry, id, reachedByFirst };
    },
  },
});

/** The series of a symbol's last price at a venue. */
export const priceSeries = (venue: string, symbol: string): string => `price:${venue}:${symbol}`;

/** The partition of a series and direction. Prices have venue and symbol as parts of their own. */
export const levelsOf = (series: string, direction: Direction): string => {
  const { venue, symbol } = /^price:(?<venue>[^:]+):(?<symbol>.+)$/.exec(series)?.groups ?? {};
  return venue === undefined || symbol === undefined
    ? keyOf('LEVEL', series, direction)
    : keyOf('LEVEL', venue, symbol, direction);
};

const entryKey = ({ series, direction, value }: Level, id: string): Key => ({
  pk: levelsOf(series, direction),
  sk: keyOf(sortable(value), id),
});

/**
 * The entry of a waiter at a level; it has one at most per series, direction and value.
 * @param seen the series' present version; only later moves reach the entry
 * @param expiresAt epoch seconds after which the entry may be removed
 */
export const crossingEntry = (level: Level, waiter: Waiter, seen: number, expiresAt?: number): CrossingEntry => ({
  ...entryKey(level, waiter.id),
  ...levelKind.stamp,
  ...waiter,
  reachedByFirst: level.reachedByFirst,
  seen,
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

export const waitOf = ({ pk, sk, seen }: CrossingEntry): Wait => ({ pk, sk, seen });
