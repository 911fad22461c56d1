import { backoffMs } from '../backoff.ts';
import type { Clock, Random } from '../ports.ts';

const backoff = { firstMs: 25, longestMs: 1_000 };

/** How often a call that makes no progress is repeated before the service counts as unavailable. */
export const FRUITLESS_ATTEMPTS_MAX = 8;

/** Waits before another attempt. @param attempt how many attempts failed so far, from 1 */
export const pause = (clock: Clock, random: Random, attempt: number): Promise<void> =>
  clock.sleep(backoffMs(attempt, backoff, random));

/**
 * Repeats a batch call with the part that the service did not accept until nothing is left.
 * @param step makes the call and returns what the service did not accept
 * @returns false when the service accepted nothing {@link FRUITLESS_ATTEMPTS_MAX} times in a row
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
