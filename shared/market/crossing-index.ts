import type { PriceCondition } from '#shared/alerts/alert';
import type { UserId } from '#shared/model/user-id';
import { every, type Item, type Key, keyOf, type Query, type Table } from '#shared/platform/table';
import type { PriceMove } from './tickers.ts';

type Operator = PriceCondition['operator'];
/** Which way a price must move through a level to reach it. */
export type Direction = 'up' | 'down';

/** What happens when a level is reached: the alert fires, or a fired one that repeats is armed again. */
export type LevelRole = 'fire' | 'rearm';

/** A level that an alert waits for: its entry in the crossing index. */
export interface Level extends Item {
  readonly kind: 'level';
  readonly userId: UserId;
  readonly alertId: string;
  readonly role: LevelRole;
  readonly operator: Operator;
  /** Version of the ticker when it was set: only later moves reach it, so that a move that is told twice counts once. */
  readonly seen: number;
}

export const directionOf = (operator: Operator): Direction =>
  operator === 'above' || operator === 'crosses_above' ? 'up' : 'down';
export const opposite = (direction: Direction): Direction => (direction === 'up' ? 'down' : 'up');

/**
 * A positive decimal as a string that sorts as the number does: the count of its integer digits, then the digits without
 * trailing zeros. After it in a sort key stands `#`, which sorts before `.` and all digits.
 */
export const sortable = (decimal: string): string => {
  const [integer = '0', fraction = ''] = decimal.split('.');
  const digits = integer.replace(/^0+(?=\d)/, '');
  const rest = fraction.replace(/0+$/, '');
  return `${String(digits.length).padStart(2, '0')}:${digits}${rest === '' ? '' : `.${rest}`}`;
};

const partition = (venue: string, symbol: string, direction: Direction) => keyOf('LEVEL', venue, symbol, direction);

export const levelKey = (venue: string, symbol: string, direction: Direction, value: string, alertId: string): Key => ({
  pk: partition(venue, symbol, direction),
  sk: keyOf(sortable(value), alertId),
});

/** Sorts after every entry at this price and before every entry above it. */
const justAbove = (price: string): string => `${sortable(price)}$`;

/**
 * The crossing index. Levels stand under their instrument and direction in the order of their prices, so that finding
 * those that a move reaches costs one range query, however many levels are stored.
 */
export class LevelIndex {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * Levels that the move reaches and that were set before it: upwards those in (from, to], downwards those in [to, from).
   * The first price of a series is no move: it reaches only what it satisfies, of `above`, `below` and those that it arms again.
   */
  async reachedBy(move: PriceMove): Promise<Level[]> {
    const { venue, symbol, from, to } = move;
    const up = partition(venue, symbol, 'up');
    const down = partition(venue, symbol, 'down');
    if (from === undefined) {
      return [
        ...(await this.#set({ pk: up, sk: { before: justAbove(to) } }, move, 'above')),
        ...(await this.#set({ pk: down, sk: { after: sortable(to) } }, move, 'below')),
      ];
    }
    const [low, high] = [sortable(from), sortable(to)].sort() as [string, string];
    if (low === high) return [];
    return high === sortable(to)
      ? await this.#set({ pk: up, sk: { between: [justAbove(from), justAbove(to)] } }, move)
      : await this.#set({ pk: down, sk: { between: [sortable(to), sortable(from)] } }, move);
  }

  async #set(query: Query, { version }: PriceMove, operator?: Operator): Promise<Level[]> {
    const levels: Level[] = [];
    for await (const level of every<Level>(this.#table, { ...query, consistent: true })) {
      const isMeant = operator === undefined || level.role === 'rearm' || level.operator === operator;
      if (isMeant && level.seen < version) levels.push(level);
    }
    return levels;
  }
}
