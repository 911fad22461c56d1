import { backoffMs } from './backoff.ts';
import { ConditionFailed, TransactionCanceled, Unavailable } from './errors.ts';
import type { Clock, Random } from './ports.ts';

const backoff = { firstMs: 20, longestMs: 2_000 };

export interface OptimisticOptions {
  /** Attempts before it gives up, the first one included. */
  readonly attemptsMax?: number;
  /** Message of the {@link Unavailable} when every attempt lost. */
  readonly message?: string;
}

/**
 * Optimistic concurrency: runs a step that reads, decides and writes under conditions, and runs it again, with back-off,
 * when another writer was first. Throw anything else from the step to end the loop.
 * @param step throws {@link TransactionCanceled} or {@link ConditionFailed} when it lost
 * @throws {Unavailable} it lost every time
 */
export const optimistic = async <T>(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  step: (attempt: number) => Promise<T>,
  { attemptsMax = 10, message = 'Too many changes at the same time; try again.' }: OptimisticOptions = {},
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step(attempt);
    } catch (error) {
      if (!(error instanceof TransactionCanceled || error instanceof ConditionFailed)) throw error;
      if (attempt >= attemptsMax) throw new Unavailable(message, { cause: error });
      await clock.sleep(backoffMs(attempt, backoff, random));
    }
  }
};
