/** Lists of which a venue gives only so many entries at once, read by time windows. */
import { VenueError } from '#shared/exchange/errors';

/** Epoch ms, both ends included. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** How much a venue gives at once. */
export interface WindowLimits {
  /** Longest window of one request. */
  readonly windowMs: number;
  /** Most entries of an answer. */
  readonly pageEntries: number;
  /** Furthest that the venue goes back. */
  readonly reachMs: number;
}

/** Where nothing is known of a venue: one answer counts as complete. */
export const wholeList: WindowLimits = {
  windowMs: Number.MAX_SAFE_INTEGER,
  reachMs: Number.MAX_SAFE_INTEGER,
  pageEntries: Number.MAX_SAFE_INTEGER,
};

/** What a venue lists in a window. A full answer may not be complete. */
export interface WindowAnswer<T> {
  readonly entries: readonly T[];
  /** Entries in proportion to the most that one answer has: full from 1 on. */
  readonly filled: number;
}

export type ReadWindow<T> = (window: TimeWindow) => Promise<WindowAnswer<T>>;

/** How many times narrower the next window is after a full answer, and wider at most after one that was not. */
const step = 8;
/** How full the next answer should be if entries are as dense as in the last one. */
const filledAim = 0.5;
/** Narrowest window: entries that still fill an answer there can't be separated by time. */
const windowMsMin = 1;

/** Whether a window is not split any further, however full its answer is. */
export const isNarrowest = ({ from, to }: TimeWindow): boolean => to - from <= windowMsMin;

/**
 * The entries of the first part of a window that the venue lists completely. Where an answer is full, a part
 * of the window is read: that works whichever end the venue begins at.
 * @returns how far was read, and how wide the next window may be
 */
export const readStart = async <T>(
  { from, to }: TimeWindow,
  windowMs: number,
  read: ReadWindow<T>,
): Promise<{ readonly entries: readonly T[]; readonly readTo: number; readonly widthMs: number }> => {
  for (let widthMs = windowMs; ; widthMs = Math.max(Math.floor(Math.min(widthMs, to - from) / step), windowMsMin)) {
    const readTo = Math.min(from + widthMs, to);
    const { entries, filled } = await read({ from, to: readTo });
    if (filled < 1 || isNarrowest({ from, to: readTo })) {
      return { entries, readTo, widthMs: Math.ceil(widthMs * Math.min(step, filledAim / filled)) };
    }
  }
};

/** All entries of a range. The range stays the same while time passes. */
export const readAll = async <T>(range: TimeWindow, limits: WindowLimits, read: ReadWindow<T>): Promise<T[]> => {
  const found: T[] = [];
  let from = Math.max(range.from, range.to - limits.reachMs);
  let { windowMs } = limits;
  while (from <= range.to) {
    const { entries, readTo, widthMs } = await readStart({ from, to: range.to }, windowMs, read);
    found.push(...entries);
    from = readTo + 1;
    windowMs = Math.min(widthMs, limits.windowMs);
  }
  return found;
};

/** How long a venue may take until it lists an entry. */
export const settlingMs = 60_000;
/** Most empty windows that are skipped in one call. */
const emptyWindowsMax = 10;

/** How far time was read, epoch ms, and how wide the next window may be. */
export interface Place {
  readonly from: number;
  readonly widthMs: number;
}

/** A place, as a cursor stores it: `<epoch ms>/<ms>`. */
export const placeText = ({ from, widthMs }: Place): string => `${from}/${widthMs}`;

/** @throws {VenueError} `unknown`: it is no place */
export const readPlace = (venue: string, text: string): Place => {
  if (!/^\d{1,16}\/\d{1,16}$/.test(text)) {
    throw new VenueError(venue, 'unknown', `Where to go on with the trades of ${venue} is not known`);
  }
  const [from, widthMs] = text.split('/');
  return { from: Number(from), widthMs: Math.max(Number(widthMs), 1) };
};

/**
 * The entries from a place on, until there are some or enough windows were empty; oldest first. The last minute is read
 * again the next time, in case entries turn up late.
 */
export const readOn = async <T extends { readonly at: number }>(
  last: Place,
  limits: WindowLimits,
  now: number,
  read: ReadWindow<T>,
): Promise<{ readonly entries: readonly T[]; readonly next: Place; readonly more: boolean }> => {
  const begin = Math.max(last.from, now - limits.reachMs, 0);
  const settled = Math.max(now - settlingMs, begin);
  const entries: T[] = [];
  let { widthMs } = last;

  for (let from = begin, window = 0; ; window++) {
    const start = await readStart({ from, to: now }, Math.min(widthMs, limits.windowMs), read);
    const inWindow = start.entries.filter(({ at }) => at >= from && at <= start.readTo);
    entries.push(...inWindow.sort((a, b) => a.at - b.at));
    widthMs = Math.min(start.widthMs, limits.windowMs);
    from = start.readTo + 1;
    // What is not settled is read to its end: to continue in its middle would skip what turns up late before that.
    const isEnd = from > now;
    const isPause = from <= settled && (entries.length > 0 || window >= emptyWindowsMax);
    if (isEnd || isPause) return { entries, next: { from: Math.min(from, settled), widthMs }, more: !isEnd };
  }
};
