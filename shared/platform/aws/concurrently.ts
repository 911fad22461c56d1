/**
 * Runs tasks, at most `limit` at a time. After a failure no further task is started; it is thrown once those under way
 * have ended, so that nothing runs on after the caller continues.
 */
export const concurrently = async (limit: number, tasks: readonly (() => Promise<void>)[]): Promise<void> => {
  const waiting = tasks.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const task of waiting) {
      try {
        await task();
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, worker));
  if (failures.length > 0) throw failures[0];
};

/** A list in pieces of at most `size`. */
export const piecesOf = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, piece) => list.slice(piece * size, (piece + 1) * size));
