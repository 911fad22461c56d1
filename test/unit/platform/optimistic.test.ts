import { describe, expect, it } from 'vitest';
import { ConditionFailed, Conflict, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import { type OptimisticOptions, optimistic } from '#shared/platform/optimistic';

const waits: number[] = [];
const ports = {
  clock: {
    now: () => 0,
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  },
  random: { number: () => 1, bytes: (length: number) => new Uint8Array(length) },
};

/** Runs a step that fails with each of these errors in turn, then succeeds with the number of its attempt. */
const run = async (failures: readonly Error[], options?: OptimisticOptions) => {
  waits.length = 0;
  let attempts = 0;
  const step = async (attempt: number) => {
    attempts += 1;
    const failure = failures[attempt - 1];
    if (failure !== undefined) throw failure;
    return attempt;
  };
  const outcome = await optimistic(ports, step, options).then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  return { ...outcome, attempts };
};

const lost = new TransactionCanceled([0]);
const lostAlways = Array.from({ length: 100 }, () => lost);

describe('an optimistic change', () => {
  it.each([lost, new ConditionFailed('x')])('is retried after $name', async (failure) => {
    expect(await run([failure, failure])).toEqual({ result: 3, attempts: 3 });
  });

  it('waits longer after each lost race, but never before the first attempt or after the last', async () => {
    await run(lostAlways, { attemptsMax: 9 });
    expect(waits).toEqual([20, 40, 80, 160, 320, 640, 1280, 2000]);
    await run([]);
    expect(waits).toEqual([]);
  });

  it('is unavailable once every attempt lost', async () => {
    const { error, attempts } = (await run(lostAlways, { attemptsMax: 3, message: 'Busy.' })) as {
      error: unknown;
      attempts: number;
    };
    expect(attempts).toBe(3);
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ message: 'Busy.', cause: lost });
  });

  it('fails as its caller wants once every attempt lost', async () => {
    const error = new Conflict('Somebody else is faster.');
    expect(await run(lostAlways, { attemptsMax: 2, exhausted: () => error })).toEqual({ error, attempts: 2 });
  });

  it('is not retried after any other error', async () => {
    const error = new Conflict('No.');
    expect(await run([error])).toEqual({ error, attempts: 1 });
  });

  it("fails at once, naming the caller's writes, when one of their conditions does not hold", async () => {
    const failed = new TransactionCanceled([1, 2, 5]);
    const { error, attempts } = (await run([lost, failed], { callersWrites: 0 })) as {
      error?: unknown;
      attempts: number;
    };
    expect([error, attempts]).toEqual([undefined, 3]);
    expect(await run([failed], { callersWrites: 3 })).toEqual({ error: new TransactionCanceled([1, 2]), attempts: 1 });
  });

  it("is retried when only conditions after the caller's writes do not hold", async () => {
    expect(await run([new TransactionCanceled([3])], { callersWrites: 3 })).toEqual({ result: 2, attempts: 2 });
  });
});
