import { DomainError, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { type Item, type Key, keyOf } from '#shared/platform/table';

/** Requests are counted in windows of this length, aligned to full minutes of the clock. */
export const WINDOW_SECONDS = 60;
const windowMs = WINDOW_SECONDS * 1000;
/** An instance serves at most 1/40 of a limit between two flushes to the table. */
const pendingParts = 40;
/** Most partitions that are counted at a time; beyond that the least recently used one is forgotten. */
export const PARTITIONS_MAX = 10_000;

/** Prefix of the partition keys of the counts: functions without any other write access may write them. */
export const LIMIT_KEYS = 'LIMIT#';

/** Who is counted, as parts of a key: a user or a network address. */
export type Partition = readonly [kind: 'USER' | 'ADDRESS', id: string];

/** The status of a limit after a request. */
export interface RateLimitStatus {
  readonly isAllowed: boolean;
  /** Requests allowed in a window. */
  readonly limit: number;
  /** Requests left in this window, as far as this instance knows: others may have served some. */
  readonly remaining: number;
  /** Seconds until the next window, 1..{@link WINDOW_SECONDS}. */
  readonly resetSeconds: number;
}

export interface StoredCount extends Item {
  readonly kind: 'limit';
  readonly requests: number;
}

interface Count {
  /** Requests of all instances as of the last answer of the table, and those being flushed. */
  flushed: number;
  /** Requests served here that were not flushed yet. */
  pending: number;
  /** They are flushed when there are this many. */
  flushAt: number;
}

/**
 * Counts requests per minute over all instances of a function. See docs/decisions/rate-limits.md: with N instances at most
 * `limit + (N - 1) * pendingAllowance(limit)` requests are served in a window, and `limit` with one.
 */
export class RateLimiter {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'logger'>;
  #window = 0;
  /** The counts of this window, the least recently used first. */
  #counts = new Map<string, Count>();

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'logger'>) {
    this.#ports = ports;
  }

  /** The number of partitions being counted, at most {@link PARTITIONS_MAX}. */
  get partitions(): number {
    return this.#counts.size;
  }

  /**
   * Counts a request. This costs at most one update of the table, and none while the partition is far below its limit or has
   * exhausted it.
   * @param what is limited: a route's key
   * @param limit requests in a window, an integer of at least 1
   * @throws {Unavailable} the table does not answer and the limit is below 40, so it has to be exact; larger limits are then
   *   enforced by each instance on its own
   */
  async take(partition: Partition, what: string, limit: number): Promise<RateLimitStatus> {
    const now = this.#ports.clock.now();
    const window = Math.floor(now / windowMs);
    const key: Key = { pk: keyOf('LIMIT', ...partition), sk: keyOf(what, String(window)) };
    const allowance = pendingAllowance(limit);
    const count = this.#countOf(window, `${key.pk} ${key.sk}`, allowance + 1);
    const status = (isAllowed: boolean): RateLimitStatus => ({
      isAllowed,
      limit,
      remaining: Math.max(0, limit - count.flushed - count.pending),
      resetSeconds: Math.ceil(((window + 1) * windowMs - now) / 1000),
    });

    if (count.flushed + count.pending >= limit) return status(false);
    count.pending += 1;
    if (count.pending < count.flushAt) return status(true);
    const flushing = count.pending;
    count.pending = 0;
    count.flushed += flushing;
    try {
      const requests = await this.#flush(key, flushing, window);
      count.flushed = Math.max(count.flushed, requests);
      count.flushAt = allowance + 1;
      return status(requests <= limit);
    } catch (error) {
      count.flushed -= flushing;
      count.pending += flushing;
      // Retried after the usual number of requests, so that not every request waits for a table that does not answer.
      count.flushAt = count.pending + allowance + 1;
      if (!(error instanceof DomainError)) throw error;
      this.#ports.logger.warn('Requests could not be counted', { what, error });
      if (allowance === 0) throw new Unavailable('Requests cannot be counted now; try again in a moment.');
      return status(true);
    }
  }

  #countOf(window: number, name: string, flushAt: number): Count {
    if (window !== this.#window) {
      this.#window = window;
      this.#counts = new Map();
    }
    const count = this.#counts.get(name) ?? { flushed: 0, pending: 0, flushAt };
    this.#counts.delete(name);
    this.#counts.set(name, count);
    if (this.#counts.size > PARTITIONS_MAX) {
      const [longestUnused = ''] = this.#counts.keys();
      this.#counts.delete(longestUnused);
    }
    return count;
  }

  async #flush(key: Key, requests: number, window: number): Promise<number> {
    const expiresAt = (window + 2) * WINDOW_SECONDS;
    const changes = { set: { kind: 'limit', expiresAt }, add: { requests } };
    return (await this.#ports.table.update<StoredCount>(key, changes)).requests;
  }
}

/** How many requests an instance serves without a flush: a fortieth of the limit. A limit below 40 is exact. */
export const pendingAllowance = (limit: number): number => Math.floor(limit / pendingParts);
