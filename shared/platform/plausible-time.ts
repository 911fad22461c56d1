/** The clocks of our own machines may differ by this much, ms. */
export const clockSkewMsMax = 1_000;
/** A venue's clock may be ahead of ours by this much, ms. A later time is a mistake of the venue. */
export const venueAheadMsMax = 120_000;

/**
 * Whether a time that we stored can be true. One that is later than now was written before the clock was set back, and
 * nothing may wait for it. Both epoch ms.
 */
export const isPossible = (storedAt: number, now: number): boolean => storedAt <= now + clockSkewMsMax;

/** Whether less than `durationMs` has passed since `startedAt`, epoch ms. A start in the future counts as over. */
export const isWithin = (startedAt: number, durationMs: number, now: number): boolean =>
  isPossible(startedAt, now) && now < startedAt + durationMs;

/** A venue's time, at most {@link venueAheadMsMax} ahead of ours. Both epoch ms. */
export const boundedVenueTime = (venueTime: number, now: number): number => Math.min(venueTime, now + venueAheadMsMax);
