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
  readonly full: boolean;
}

export type ReadWindow<T> = (window: TimeWindow) => Promise<WindowAnswer<T>>;

/** Narrowest stretch: what still fills an answer there can't be told apart any further. */
const windowMsMin = 1;

/**
 * The entries of the first part of a stretch that the venue tells completely. Where an answer is full, half of the
 * stretch is asked for: that needs no knowledge of which end the venue begins at.
 * @returns how far was read, and how wide a stretch the next one may be
 */
export const readStart = async <T>(
  { from, to }: TimeWindow,
  windowMs: number,
  read: ReadWindow<T>,
): Promise<{ readonly entries: readonly T[]; readonly readTo: number; readonly widthMs: number }> => {
  for (let widthMs = windowMs; ; widthMs = Math.max(Math.floor(Math.min(widthMs, to - from) / 2), windowMsMin)) {
    const readTo = Math.min(from + widthMs, to);
    const { entries, full } = await read({ from, to: readTo });
    if (!full || readTo - from <= windowMsMin) return { entries, readTo, widthMs };
  }
};

/** All entries of a stretch. The clock may have moved on meanwhile; the stretch has not. */
export const readAll = async <T>(stretch: TimeWindow, limits: WindowLimits, read: ReadWindow<T>): Promise<T[]> => {
  const found: T[] = [];
  let from = Math.max(stretch.from, stretch.to - limits.reachMs);
  while (from <= stretch.to) {
    const { entries, readTo } = await readStart({ from, to: stretch.to }, limits.windowMs, read);
    found.push(...entries);
    from = readTo + 1;
  }
  return found;
};
