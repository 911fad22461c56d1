/** Lists of which a venue tells only so many entries at once, read by stretches of time. */
import { VenueError } from '#shared/exchange/errors';

/** A stretch of time, epoch ms, both ends included. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** How much a venue tells at once. */
export interface WindowLimits {
  /** Longest stretch of one request. */
  readonly windowMs: number;
  /** Most entries of an answer. */
  readonly pageEntries: number;
  /** Furthest that the venue goes back. */
  readonly reachMs: number;
}

/** Where nothing is known of a venue: one answer is taken for all. */
export const wholeList: WindowLimits = {
  windowMs: Number.MAX_SAFE_INTEGER,
  reachMs: Number.MAX_SAFE_INTEGER,
  pageEntries: Number.MAX_SAFE_INTEGER,
};

/** What a venue tells of a stretch. In a full answer some may be missing. */
export interface WindowAnswer<T> {
  readonly entries: readonly T[];
  /** Entries in proportion to the most that one answer has: full from 1 on. */
  readonly filled: number;
}

export type ReadWindow<T> = (window: TimeWindow) => Promise<WindowAnswer<T>>;

/** How many times narrower the next stretch is after a full answer, and wider at most after one that was not. */
const step = 8;
/** How full the next answer shall be, where entries lie as close together as in the last. */
const filledAim = 0.5;
/** Narrowest stretch: what still fills an answer there can't be told apart any further. */
const windowMsMin = 1;

/** Whether a stretch is not asked for in parts, however full its answer is. */
export const isNarrowest = ({ from, to }: TimeWindow): boolean => to - from <= windowMsMin;

/**
 * The entries of the first part of a stretch that the venue tells completely. Where an answer is full, a part
 * of the stretch is asked for: that needs no knowledge of which end the venue begins at.
 * @returns how far was read, and how wide a stretch the next one may be
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

/** All entries of a stretch. The clock may have moved on meanwhile; the stretch has not. */
export const readAll = async <T>(stretch: TimeWindow, limits: WindowLimits, read: ReadWindow<T>): Promise<T[]> => {
  const found: T[] = [];
  let from = Math.max(stretch.from, stretch.to - limits.reachMs);
  let { windowMs } = limits;
  while (from <= stretch.to) {
    const { entries, readTo, widthMs } = await readStart({ from, to: stretch.to }, windowMs, read);
    found.push(...entries);
    from = readTo + 1;
    windowMs = Math.min(widthMs, limits.windowMs);
  }
  return found;
};

/** How long a venue may take until it tells of an entry. */
export const settlingMs = 60_000;
/** Stretches without an entry that are passed over in one call. */
const emptyWindowsMax = 10;

/** How far time was read, epoch ms, and how wide a stretch the next one may be. */
export interface Place {
  readonly from: number;
  readonly widthMs: number;
}

/** A place as a cursor has it: `<epoch ms>/<ms>`. */
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
 * The entries from a place on, until there are some or it was asked often enough; oldest first. The last minute is told
 * again the next time, should something turn up late.
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
    const told = start.entries.filter(({ at }) => at >= from && at <= start.readTo);
    entries.push(...told.sort((a, b) => a.at - b.at));
    widthMs = Math.min(start.widthMs, limits.windowMs);
    from = start.readTo + 1;
    // What is not settled is read to its end: to go on in its midst would leave out what turns up late before that.
    const isEnd = from > now;
    const isPause = from <= settled && (entries.length > 0 || window >= emptyWindowsMax);
    if (isEnd || isPause) return { entries, next: { from: Math.min(from, settled), widthMs }, more: !isEnd };
  }
};
