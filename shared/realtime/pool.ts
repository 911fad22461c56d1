/**
 * Runs a task for every item, at most `limit` at a time and with no barrier between them: a slow one blocks no more
 * than its own place.
 * @throws the first failure, once every task has ended
 */
export const inPool = async <T>(limit: number, items: Iterable<T>, task: (item: T) => Promise<void>): Promise<void> => {
  const waiting = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      await task(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
};
