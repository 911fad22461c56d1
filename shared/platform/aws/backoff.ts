import type { Clock, Random } from '../ports.ts';

const firstPauseMs = 25;
const longestPauseMs = 1_000;

/** How often something that makes no progress is tried before it counts as unavailable. */
export const FRUITLESS_ATTEMPTS_MAX = 8;

/**
 * Waits before another attempt: exponential back-off with full jitter
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
 * @param attempt how many attempts failed so far, from 1
 */
export const pause = (clock: Clock, random: Random, attempt: number): Promise<void> =>
  clock.sleep(random.number() * Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)));

/**
 * Repeats a batch call with what it left over until nothing is left.
 * @param step makes the call and tells what the service did not take
 * @returns false when the service took nothing {@link FRUITLESS_ATTEMPTS_MAX} times in a row
 */
export const drained = async <T>(
  clock: Clock,
  random: Random,
  batch: readonly T[],
  step: (batch: readonly T[]) => Promise<readonly T[]>,
): Promise<boolean> => {
  let left = batch;
  for (let fruitless = 0; fruitless < FRUITLESS_ATTEMPTS_MAX; ) {
    const before = left.length;
    left = await step(left);
    if (left.length === 0) return true;
    fruitless = left.length < before ? 1 : fruitless + 1;
    if (fruitless < FRUITLESS_ATTEMPTS_MAX) await pause(clock, random, fruitless);
  }
  return false;
};
