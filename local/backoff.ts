import type { Random } from '#shared/platform/ports';

const firstMs = 100;
const cappedMs = 30_000;

/**
 * How long to wait after the given number of failures in a row, ms: exponential and capped, with full jitter
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export const backoffMs = (failures: number, random: Random): number =>
  random.number() * Math.min(cappedMs, firstMs * 2 ** Math.min(failures - 1, 20));
