import { every, type Item, type Query, type Table } from '#shared/platform/table';
import { type CrossingEntry, levelKind, levelsOf, priceSeries } from './crossing-entry.ts';
import { sortable } from './sortable.ts';
import type { PriceMove } from './tickers.ts';

/** A move of a named series of numbers. */
export interface SeriesMove {
  readonly series: string;
  /** The decimal before; undefined for the first one of the series. */
  readonly from: string | undefined;
  readonly to: string;
  /** Version of the series that it led to: moves are ordered by it. */
  readonly version: number;
  /** When it was observed, epoch ms. */
  readonly at: number;
  /** The time of the new value on the record, epoch ms, where it was played from a recording. */
  readonly recordedAt?: number | undefined;
}

/** A move of a price as one of its series. */
export const priceSeriesMove = ({ venue, symbol, ...move }: PriceMove): SeriesMove => ({
  series: priceSeries(venue, symbol),
  ...move,
});

/** Sorts after every entry at this value and before every entry above it. */
const justAbove = (value: string): string => `${sortable(value)}$`;

/**
 * The crossing index. Entries are stored under their series and direction in the order of their levels, so that finding
 * those that a move reaches costs one range query, however many are stored.
 */
export class CrossingIndex {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * The entries that the move reaches and that were made before it: upwards those in (from, to], downwards those in
   * [to, from). The first value of a series is no move: it reaches those at or beyond it that are `reachedByFirst`.
   */
  async reachedBy({ series, from, to, version }: SeriesMove): Promise<CrossingEntry[]> {
    const up = levelsOf(series, 'up');
    const down = levelsOf(series, 'down');
    if (from === undefined) {
      const entries = [
        ...(await this.#entries({ pk: up, sk: { before: justAbove(to) } }, version)),
        ...(await this.#entries({ pk: down, sk: { after: sortable(to) } }, version)),
      ];
      return entries.filter(({ reachedByFirst }) => reachedByFirst);
    }
    const [low, high] = [sortable(from), sortable(to)].sort() as [string, string];
    if (low === high) return [];
    return high === sortable(to)
      ? await this.#entries({ pk: up, sk: { between: [justAbove(from), justAbove(to)] } }, version)
      : await this.#entries({ pk: down, sk: { between: [sortable(to), sortable(from)] } }, version);
  }

  async #entries(query: Query, version: number): Promise<CrossingEntry[]> {
    const entries: CrossingEntry[] = [];
    for await (const item of every<Item>(this.#table, { ...query, consistent: true })) {
      const entry = levelKind.read(item);
      if (entry.seen < version) entries.push(entry);
    }
    return entries;
  }
}
