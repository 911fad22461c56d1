/** Lists that a venue gives newest first, a page at an offset, together with how many entries there are. */

/** What a venue lists at an offset into a time range. */
export interface OffsetAnswer<T> {
  /** Newest first. */
  readonly entries: readonly T[];
  /** How many there are in the whole range. */
  readonly total: number;
}

export interface OffsetRead<T> {
  /** Most entries of an answer. */
  readonly pageEntries: number;
  /** @param range epoch seconds; begins before or at `from`, and ends with `to` */
  read(range: { readonly from: number; readonly to: number }, offset: number): Promise<OffsetAnswer<T>>;
}

/** How long a venue may take until it lists an entry. */
const settlingSeconds = 60;

/** How far a range has been read from its oldest entry on. */
interface Position {
  readonly from: number;
  readonly to: number;
  /** Entries of the range when it was last read. */
  readonly total: number;
  /** How many of them, the oldest, have been read. */
  readonly done: number;
}

/** Whether {@link readOffsets} gave this cursor. */
export const isOffsetCursor = (cursor: string): boolean => /^\d{1,11}(?:\/\d{1,11}\/\d{1,9}\/\d{1,9})?$/.test(cursor);

const parse = (cursor: string, now: number): Position => {
  const [from = 0, to, total = 0, done = 0] = cursor.split('/').map(Number);
  return { from, to: Math.max(to ?? Math.ceil(now / 1000), from), total, done };
};

/**
 * The next entries after a cursor, by one request. A range ends at a fixed time, so that what happens afterwards
 * moves nothing; within it the last page, which has the oldest entries, is read first. An entry that turns up late
 * shifts the pages: the number of entries shows that, and the page is read again at its new place.
 * @param cursor from the beginning when null
 * @param now epoch ms
 * @returns entries oldest first; undefined when the venue left out entries that it counted
 */
export const readOffsets = async <T>(
  { pageEntries, read }: OffsetRead<T>,
  cursor: string | null,
  now: number,
): Promise<{ readonly entries: readonly T[]; readonly cursor: string; readonly more: boolean } | undefined> => {
  const position = parse(cursor ?? '0', now);
  const { from, to, done } = position;
  const offset = Math.max(position.total - done - pageEntries, 0);
  const { entries, total } = await read({ from, to }, offset);
  const older = total - offset - entries.length;
  if (older <= done && (offset === 0 || total === position.total)) {
    // The last page overlaps what was already read.
    const unread = entries.slice(0, Math.max(entries.length - (done - older), 0));
    const next = offset === 0 ? Math.max(to - settlingSeconds, from) : `${from}/${to}/${total}/${total - offset}`;
    return { entries: unread.toReversed(), cursor: String(next), more: offset > 0 };
  }
  if (total === position.total) return undefined;
  return { entries: [], cursor: `${from}/${to}/${total}/${Math.min(done, total)}`, more: true };
};
