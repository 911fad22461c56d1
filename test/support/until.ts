import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 15;

/**
 * Looks again and again until there is something to see, for what another process does in its own time.
 * @param what what is waited for, for the message when it does not come
 */
export const until = async <T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
): Promise<T> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await pause(lookEveryMs);
  }
};
