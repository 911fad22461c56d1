import type { RejectedRow, VenueList } from '#shared/exchange/account-venue';
import { unparsed } from './odd-rows.ts';

/** A list in which nothing is. */
export const emptyList: VenueList<never> = { items: [], rejected: [] };

/** The rows of a list that can be read, and those that can't. @param idOf the venue's id of a row, if it has one */
export const readRows = <N, T>(
  list: RejectedRow['list'],
  rows: readonly N[],
  idOf: (row: N) => unknown,
  read: (row: N) => T,
): VenueList<T> => {
  const items: T[] = [];
  const rejected: RejectedRow[] = [];
  for (const row of rows) {
    try {
      if (typeof row === 'object' && row !== null && unparsed in row) throw new Error('unparsed');
      items.push(read(row));
    } catch (error) {
      rejected.push(rejectedRow(list, idOf(row), error));
    }
  }
  return { items, rejected };
};

/** Longest id that is reported, characters. */
const idLengthMax = 100;

/** Our own words about a field are kept; an error of another kind may quote the row. */
export const rejectedRow = (list: RejectedRow['list'], id: unknown, error: unknown): RejectedRow => ({
  list,
  id: (typeof id === 'string' && id !== '') || typeof id === 'number' ? String(id).slice(0, idLengthMax) : null,
  reason: error instanceof Error && error.name === 'BadResponse' ? error.message : 'unreadable row',
});

export const concatenated = <T>(lists: readonly VenueList<T>[]): VenueList<T> => ({
  items: lists.flatMap(({ items }) => items),
  rejected: lists.flatMap(({ rejected }) => rejected),
});
