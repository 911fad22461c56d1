import type { Clock, Queue } from '#shared/platform/ports';

/** How long a dead letter is kept from others while it is handled; ten of them are handled one after the other. */
const visibilitySeconds = 900;
const batchMax = 10;
/** SQS asks only some of its servers, so that a queue is not empty because of one empty answer. */
const emptyAnswersMax = 5;
const emptyPauseMs = 200;

/** What became of the dead letters of a queue. */
export interface Redriven {
  /** How many were handled and left the queue. */
  readonly handled: number;
  /** Why others were not, and how many for each reason; they stay. */
  readonly failures: ReadonlyMap<string, number>;
  /** How many are in the queue afterwards, approximately. */
  readonly left: number;
}

/**
 * Hands each dead letter that waits now to `handle` and removes it once that succeeded, so that none is lost whenever
 * this ends: one that was handled but not removed yet is handled again the next time.
 * @param handle takes the body of a dead letter; it must bear to get one twice
 * @param max most dead letters to handle
 */
export const redrive = async (
  deadLetters: Queue,
  handle: (body: string) => Promise<void>,
  { max, clock }: { readonly max: number; readonly clock: Clock },
): Promise<Redriven> => {
  const most = Math.min(max, (await deadLetters.depth()).waiting);
  const failures = new Map<string, number>();
  const held: string[] = [];
  let handled = 0;
  try {
    for (let emptyAnswers = 0; handled + held.length < most && emptyAnswers < emptyAnswersMax; ) {
      const messages = await deadLetters.receive(Math.min(batchMax, most - handled - held.length), visibilitySeconds);
      if (messages.length === 0) {
        emptyAnswers++;
        await clock.sleep(emptyPauseMs);
      }
      for (const { body, receipt } of messages) {
        const failure = await failureOf(() => handle(body));
        if (failure === undefined) {
          await deadLetters.remove(receipt);
          handled++;
        } else {
          held.push(receipt);
          failures.set(failure, (failures.get(failure) ?? 0) + 1);
        }
      }
    }
  } finally {
    for (const receipt of held) await deadLetters.release(receipt, 0);
  }
  const { waiting, inFlight } = await deadLetters.depth();
  return { handled, failures, left: waiting + inFlight };
};

const failureOf = async (attempt: () => Promise<void>): Promise<string | undefined> => {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
