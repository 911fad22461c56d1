/** How long repetitions count together. */
const windowMs = 3_600_000;
/** The first ones of a window have an entry each; then only every doubling of their number has one. */
const individually = 4;

export interface Tally {
  /** When its window began, epoch ms. */
  readonly startedAt: number;
  /** Events of this window. */
  readonly seen: number;
}

/**
 * Counts one more event. Each of the first four of an hour has an entry, then the 8th, 16th, 32nd and so on, which stands
 * for those since the one before. So a flood of n events makes log n entries, and none is forgotten: what no
 * entry stood for when the hour was over is told by the next one.
 * @returns the tally afterwards, and how many events the entry to write stands for; none is written without
 */
export const counted = (
  tally: Tally | undefined,
  now: number,
): { readonly tally: Tally; readonly occurrences?: number } => {
  if (tally === undefined || now >= tally.startedAt + windowMs) {
    return { tally: { startedAt: now, seen: 1 }, occurrences: 1 + untold(tally?.seen ?? 0) };
  }
  const seen = tally.seen + 1;
  const after = { startedAt: tally.startedAt, seen };
  return told(seen) === seen ? { tally: after, occurrences: 1 + untold(tally.seen) } : { tally: after };
};

/** How many of the first `seen` events have been told by entries. */
const told = (seen: number): number => (seen <= individually ? seen : 2 ** (31 - Math.clz32(seen)));
const untold = (seen: number): number => seen - told(seen);
