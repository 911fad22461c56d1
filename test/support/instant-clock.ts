import type { Clock } from '#shared/platform/ports';

/** A clock on which sleeping takes no time; it moves on by what was slept and remembers it. */
export const instantClock = (
  start = Date.UTC(2026, 0, 1),
): Clock & { readonly slept: number[]; advance(ms: number): void } => {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
};
