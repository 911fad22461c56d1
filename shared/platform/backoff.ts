import type { Random } from './ports.ts';

/** A schedule of growing waits. */
export interface Backoff {
  /** Upper bound of the first wait, ms. */
  readonly firstMs: number;
  /** Upper bound of every wait, ms. */
  readonly longestMs: number;
}

/** Doublings beyond this one stay at the longest wait in any schedule. */
const doublingsMax = 30;

/** Upper bound of the wait after the given number of failures in a row, ms: it doubles up to `longestMs`. @param failures from 1 */
export const exponentialMs = (failures: number, { firstMs, longestMs }: Backoff): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, doublingsMax));

/**
 * The wait after the given number of failures in a row, ms: exponential and capped, with full jitter
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
 * @param failures from 1
 */
export const backoffMs = (failures: number, backoff: Backoff, random: Random): number =>
  random.number() * exponentialMs(failures, backoff);
