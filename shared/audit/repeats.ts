/** How long repetitions are counted together. */
const windowMs = 3_600_000;
/** The first ones of a window have an entry each; after that only every doubling of their number has one. */
const individually = 4;

export interface Tally {
  /** Start of its window, epoch ms. */
  readonly startedAt: number;
  /** Events in this window. */
  readonly seen: number;
}

/**
 * Counts one more event. Each of the first four of an hour has an entry, then the 8th, 16th, 32nd and so on, which
 * represents those since the previous entry. So a flood of n events makes log n entries and none is lost: events not yet
 * recorded at the end of the hour are included in the next entry.
 * @returns the new tally, and how many events the entry to write represents; without it no entry is written
 */
export const counted = (
  tally: Tally | undefined,
  now: number,
): { readonly tally: Tally; readonly occurrences?: number } => {
  if (tally === undefined || now >= tally.startedAt + windowMs) {
    return { tally: { startedAt: now, seen: 1 }, occurrences: 1 + pending(tally?.seen ?? 0) };
  }
  const seen = tally.seen + 1;
  const after = { startedAt: tally.startedAt, seen };
  return recorded(seen) === seen ? { tally: after, occurrences: 1 + pending(tally.seen) } : { tally: after };
};

/** How many of the first `seen` events are covered by entries. */
const recorded = (seen: number): number => (seen <= individually ? seen : 2 ** (31 - Math.clz32(seen)));
const pending = (seen: number): number => seen - recorded(seen);
