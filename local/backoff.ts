import type { Backoff } from '#shared/platform/backoff';

/** How long a pump waits after failures in a row. */
export const PUMP_BACKOFF: Backoff = { firstMs: 100, longestMs: 30_000 };
