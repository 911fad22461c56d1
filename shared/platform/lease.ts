import { ConditionFailed } from './errors.ts';
import { valueAt } from './items/condition.ts';
import { clockSkewMsMax } from './plausible-time.ts';
import {
  allOf,
  anyOf,
  atMost,
  type Changes,
  equals,
  type Key,
  type Table,
  type Value,
  type WriteCondition,
} from './table.ts';

/** Where an item stores a lease: paths of attributes; at least one of `until` and `since`. */
export interface LeaseAttributes {
  /** When the lease expires, epoch ms. Without it, `durationMs` after `since`. */
  readonly until?: string;
  /** When it was acquired, epoch ms. Without it, `durationMs` before `until`. */
  readonly since?: string;
  /** Id of the holder. Without it, the stored time identifies the holder. */
  readonly owner?: string;
}

/** A lease as one holder acquired it. */
export interface HeldLease {
  /** When it expires, epoch ms. */
  readonly until: number;
  /** Attributes to set when it is acquired, by path. */
  readonly set: Readonly<Record<string, number | string>>;
  /** Holds as long as no other holder has acquired it since, even after it expired. */
  readonly isHeld: WriteCondition;
}

/**
 * A lease on an item: an exclusive right that expires, so that a holder that crashes does not block the others for long.
 * A holder must stop before its lease expires: the next one does not wait for it. A lease from the future, acquired
 * before a clock was corrected, counts as free: otherwise it would block everyone until that time.
 *
 * A lease with a write of its own is acquired with {@link acquireLease} and released with {@link releaseLease}. One that is
 * part of another write is acquired with {@link acquired} under {@link isFree}, checked with {@link HeldLease.isHeld} and
 * released with {@link released}.
 */
export class Lease {
  readonly #at: LeaseAttributes;
  readonly #durationMs: number;
  readonly #skewMs: number;
  /** Removes the lease from its item. */
  readonly released: Required<Pick<Changes, 'remove'>>;

  /**
   * @param durationMs how long it lasts; only a lease that stores `since` may be acquired for longer
   * @param skewMs how far the clocks of two holders may differ: a lease acquired further in the future is free
   */
  constructor(at: LeaseAttributes, durationMs: number, skewMs: number = clockSkewMsMax) {
    if (at.until === undefined && at.since === undefined) throw new TypeError('A lease stores when it ends or began');
    this.#at = at;
    this.#durationMs = durationMs;
    this.#skewMs = skewMs;
    this.released = { remove: [at.until, at.since, at.owner].filter((path) => path !== undefined) };
  }

  /**
   * Holds where the lease is free: it was never acquired, it was released, it expired, it was acquired in the future, or
   * its holder was an earlier process.
   * @param now epoch ms
   * @param soleWriterSince start of this process where it is the only writer, epoch ms: a lease from before ended with the
   * process that held it; 0 where other processes acquire it too
   */
  isFree(now: number, soleWriterSince = 0): WriteCondition {
    const { until, since = '' } = this.#at;
    const isOver = until === undefined ? atMost(since, now - this.#durationMs) : atMost(until, now);
    const isAcquired = (is: '<' | '>', at: number): WriteCondition =>
      this.#at.since === undefined
        ? { path: until ?? '', is, value: at + this.#durationMs }
        : { path: since, is, value: at };
    const isFromFuture = isAcquired('>', now + this.#skewMs);
    if (soleWriterSince === 0) return anyOf(isOver, isFromFuture);
    return anyOf(isOver, isFromFuture, isAcquired('<', soleWriterSince));
  }

  /** How much longer the lease of an item lasts, ms; 0 where it is free (see {@link isFree}). */
  remainingMs(item: Readonly<Record<string, Value | undefined>> | undefined, now: number, soleWriterSince = 0): number {
    const time = (path: string | undefined): number | undefined => {
      const value = path === undefined ? undefined : valueAt(item, path);
      return typeof value === 'number' ? value : undefined;
    };
    const [storedUntil, storedSince] = [time(this.#at.until), time(this.#at.since)];
    const until = storedUntil ?? (storedSince === undefined ? undefined : storedSince + this.#durationMs);
    if (until === undefined) return 0;
    const since = storedSince ?? until - this.#durationMs;
    if (since < soleWriterSince || since > now + this.#skewMs) return 0;
    return Math.max(0, until - now);
  }

  /**
   * What to write to acquire the lease.
   * @param now epoch ms
   * @param owner id of the holder, for leases that store one; unique per attempt
   * @param until when it expires, epoch ms
   */
  acquired(now: number, owner?: string, until: number = now + this.#durationMs): HeldLease {
    const set: Record<string, number | string> = {};
    if (this.#at.until !== undefined) set[this.#at.until] = until;
    if (this.#at.since !== undefined) set[this.#at.since] = now;
    if (this.#at.owner !== undefined) {
      if (owner === undefined) throw new TypeError('The lease stores its owner');
      set[this.#at.owner] = owner;
      return { until, set, isHeld: equals(this.#at.owner, owner) };
    }
    return { until, set, isHeld: allOf(...Object.entries(set).map(([path, value]) => equals(path, value))) };
  }
}

export interface Acquiring {
  readonly now: number;
  readonly owner?: string;
  /** Attributes to set with it. */
  readonly set?: Changes['set'];
  /** What else must hold. */
  readonly if?: WriteCondition;
}

/** Acquires a lease. @returns undefined: another holder has it, or the other condition does not hold */
export const acquireLease = async (
  table: Pick<Table, 'update'>,
  key: Key,
  lease: Lease,
  { now, owner, set = {}, if: condition }: Acquiring,
): Promise<HeldLease | undefined> => {
  const held = lease.acquired(now, owner);
  const isFree = lease.isFree(now);
  try {
    await table.update(key, { set: { ...set, ...held.set } }, condition ? allOf(condition, isFree) : isFree);
    return held;
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
};

/** Releases a lease; one that another holder acquired since stays with that one. */
export const releaseLease = async (
  table: Pick<Table, 'update'>,
  key: Key,
  lease: Lease,
  { isHeld }: HeldLease,
): Promise<void> => {
  try {
    await table.update(key, lease.released, isHeld);
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
};
