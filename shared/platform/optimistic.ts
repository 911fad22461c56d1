import { backoffMs } from './backoff.ts';
import { ConditionFailed, TransactionCanceled, Unavailable } from './errors.ts';
import type { Clock, Random } from './ports.ts';

const backoff = { firstMs: 20, longestMs: 2_000 };

export interface OptimisticOptions {
  /** Attempts before it gives up, the first one included. */
  readonly attemptsMax?: number;
  /** Message of the {@link Unavailable} when every attempt lost. */
  readonly message?: string;
  /** The error to throw when every attempt lost, in place of {@link Unavailable}. */
  readonly exhausted?: (cause: unknown) => Error;
  /**
   * How many writes at the start of the transaction are the caller's own. A failed condition of one of them is not a lost
   * race: it is thrown at once, as a {@link TransactionCanceled} with the indices of those writes alone.
   */
  readonly callersWrites?: number;
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
  options: OptimisticOptions = {},
): Promise<T> => {
  const { attemptsMax = 10, message = 'Too many changes at the same time; try again.', callersWrites = 0 } = options;
  const { exhausted = (cause) => new Unavailable(message, { cause }) } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await step(attempt);
    } catch (error) {
      if (!(error instanceof TransactionCanceled || error instanceof ConditionFailed)) throw error;
      const refused = error instanceof TransactionCanceled ? error.failed.filter((index) => index < callersWrites) : [];
      if (refused.length > 0) throw new TransactionCanceled(refused);
      if (attempt >= attemptsMax) throw exhausted(error);
      await clock.sleep(backoffMs(attempt, backoff, random));
    }
  }
};
