/** Lists of which a venue tells only so many entries at once, read by stretches of time. */

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
