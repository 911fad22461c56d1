import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { VenueError } from '#shared/exchange/errors';
import { ConditionFailed, DomainError } from '#shared/platform/errors';
import type { HeldLease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { allOf, PRESENT, type Value, type WriteCondition } from '#shared/platform/table';
import { CircuitBreaker, probeLease } from './circuit-breaker.ts';
import { Congestion, notCongested } from './congestion.ts';
import { fullAfter, waitOf } from './rate-bucket.ts';
import {
  boundedTime,
  budgetKey,
  fullAtOf,
  fullPath,
  heldPath,
  heldUntil,
  holdMsMax,
  isPast,
  openMsMax,
  type Purpose,
  type StoredBudget,
} from './stored-budget.ts';
import { TokenLease } from './token-lease.ts';

/** What a call costs. */
export interface Charge {
  /** The one of the venue's limits that it counts against: letters, digits and `_`. */
  readonly pool: string;
  /** How long that limit takes to allow it, of the part that is ours, whole ms. */
  readonly ms: number;
  /** How much can be taken of that limit at once, ms. */
  readonly depthMs: number;
}

/** Permission for one call, and where its outcome is reported. */
export interface Permit {
  /** The venue answered the call, even with an error. */
  answered(): Promise<void>;
  /** The venue rate-limited the call. @param retryAfterMs when to retry, if it said so */
  refused(retryAfterMs: number | undefined): Promise<void>;
}

/** Paces the calls of a client. */
export interface CallBudget {
  /** Waits until the call may be made. @throws {VenueError} `rate-limited` with when it may */
  take(charge: Charge): Promise<Permit>;
  /**
   * The venue reported how much of a limit is used, by any program.
   * @param pool the limit @param usedPart 0..1 @param until when the limit resets, epoch ms
   */
  reportUsage(pool: string, usedPart: number, until: number): Promise<void>;
  /** The venue is slow to answer. */
  reportSlowness(): Promise<void>;
}

/** Holds the concurrency slot of a series of calls. A congested venue refuses calls without one. */
export interface SlotHolder {
  readonly hasSlot: boolean;
  /** @returns whether a slot was free */
  acquireSlot(): Promise<boolean>;
}

/** Longest wait of a call; one that would have to wait longer is refused. */
export const waitSecondsMax = 5;
/** Workers that wait for the same tokens retry spread over this time: only one gets them, and each try costs a write. */
const spreadMs = 1000;
/** Part of each bucket that is reserved for prices. */
const pricesPart = 0.25;
/**
 * Part of the rate that prices use while accounts wait for room: polled faster than the venue allows, prices would take
 * every token as soon as there is one.
 */
const pricesPartWhenCongested = 0.5;
/** Part of a bucket's level that one lease takes at most, so that something is left for the other workers. */
const leasePart = 1 / 8;
/** From this used part of a venue's limit on, by any program, calls wait until the limit resets. */
const holdParts: Readonly<Record<Purpose, number>> = { accounts: 0.85, prices: 0.95 };

/** A venue where a call has to wait longer is congested. */
const congestionWaitMs = 250;
/** When a call that found no slot may be retried. */
const slotRetryMs = 5000;

/** Attempts of a call to get tokens that other workers take first. */
const attemptsMax = 50;

type Ports = Pick<Platform, 'table' | 'clock' | 'random' | 'logger' | 'metrics'>;

/** One of the venue's limits, as this worker uses it. */
interface Pool {
  readonly depthMs: number;
  readonly lease: TokenLease;
  /** Calls go out in the order in which they came. */
  queue: Promise<unknown>;
  /** Tokens that the queued calls will take. */
  waitingMs: number;
  /** When prices take their next call while accounts wait for room, epoch ms. */
  yieldUntil: number;
}

/**
 * The rate limits of a venue as one worker uses them. All workers share the stored budget, so together they keep to what
 * the venue allows. A worker leases tokens for the calls it is about to make, so that few calls need a write.
 */
export class VenueBudget implements CallBudget {
  readonly #ports: Ports;
  readonly #venue: string;
  readonly #purpose: Purpose;
  readonly #breaker: CircuitBreaker;
  readonly #congestion: Congestion;
  readonly #pools = new Map<string, Pool>();
  /** As last read. A bucket is never full earlier than this says. */
  #stored: StoredBudget | undefined;

  constructor(ports: Ports, venue: string, purpose: Purpose) {
    this.#ports = ports;
    this.#venue = venue;
    this.#purpose = purpose;
    this.#breaker = new CircuitBreaker(ports, venue);
    this.#congestion = new Congestion(ports, venue);
  }

  /**
   * Waits until the call may be made, at most {@link waitSecondsMax}.
   * @param slots holder of the concurrency slot that a congested venue requires; without one the call needs none
   * @throws {VenueError} `rate-limited` with the time to retry: the wait is too long, no slot is free, or the circuit is open
   */
  async take(charge: Charge, slots?: SlotHolder): Promise<Permit> {
    const { clock } = this.#ports;
    const pool = this.#pool(charge);
    const now = clock.now();
    this.#refuseWhileOpen(now);
    const waitMs = this.#waitOf(charge, now, pool.waitingMs);
    await this.#requireSlot(slots);
    if (waitMs > waitSecondsMax * 1000) throw this.#noRoom(waitMs);

    pool.waitingMs += charge.ms;
    const turn = pool.queue.then(() => this.#next(charge, pool, now, slots));
    pool.queue = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      pool.waitingMs -= charge.ms;
    }
  }

  reportSlowness(): Promise<void> {
    return this.#reportCongestion('answer');
  }

  async reportUsage(pool: string, usedPart: number, until: number): Promise<void> {
    const held = (['accounts', 'prices'] as const).filter((purpose) => usedPart >= holdParts[purpose]);
    const now = this.#ports.clock.now();
    const news = held.filter((purpose) => heldUntil(this.#stored, purpose, pool, now) < until);
    if (news.length === 0) return;
    const set = Object.fromEntries(news.map((purpose) => [heldPath(purpose, pool), until]));
    this.#dropLeases();
    await this.#quietly(async () => {
      this.#stored = await this.#ports.table.update<StoredBudget>(budgetKey(this.#venue), { set }, PRESENT);
      this.#ports.logger.info("Most of the venue's limit is used", { venue: this.#venue, pool, usedPart, held });
    });
  }

  async #next(charge: Charge, pool: Pool, since: number, slots?: SlotHolder): Promise<Permit> {
    const { clock, random } = this.#ports;
    const { lease } = pool;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const now = clock.now();
      this.#refuseWhileOpen(now);
      if (this.#stored?.openUntil !== undefined) {
        const permit = await this.#probe(this.#stored);
        if (permit !== undefined) return permit;
        continue;
      }
      const isAtHand = lease.left(now) >= charge.ms;
      const waitMs = isAtHand ? this.#yieldMs(charge, now) : this.#waitOf(charge, now, 0);
      if (now + waitMs - since > congestionWaitMs) await this.#reportCongestion('room');
      await this.#requireSlot(slots);
      if (waitMs > 0) {
        if (now + waitMs - since > waitSecondsMax * 1000) throw this.#noRoom(waitMs);
        await clock.sleep(waitMs + random.number() * spreadMs);
        continue;
      }
      if (!isAtHand && !(await this.#lease(charge, now, slots))) continue;
      lease.spend(charge.ms, now);
      pool.yieldUntil = now + charge.ms / pricesPartWhenCongested;
      return this.#permit();
    }
    throw this.#noRoom(spreadMs);
  }

  /**
   * Leases tokens for this call and those likely to follow, of all pools they are likely to need.
   * @returns whether there were enough; if not, the stored budget has been read again
   */
  async #lease(charge: Charge, now: number, slots?: SlotHolder): Promise<boolean> {
    const { table } = this.#ports;
    const key = budgetKey(this.#venue);
    const set: Record<string, Value> = {};
    const add: Record<string, number> = {};
    const held = heldPath(this.#purpose, charge.pool);
    const conditions: WriteCondition[] = [{ path: 'openUntil', is: 'absent' }, isPast(held, now, holdMsMax)];
    if (slots?.hasSlot === false) conditions.push(notCongested(now));
    const leases: (readonly [TokenLease, number])[] = [];
    for (const [pool, { lease, depthMs }] of this.#pools) {
      const path = fullPath(pool);
      const fullAt = fullAtOf(this.#stored, pool, now, depthMs);
      const depth = this.#depth({ depthMs });
      const level = Math.max(0, depth - Math.max(0, fullAt - now));
      if (pool !== charge.pool && heldUntil(this.#stored, this.#purpose, pool, now) > now) continue;
      const needed = pool === charge.pool ? charge.ms - lease.left(now) : 0;
      const ahead = Math.min(lease.expectedDemandMs - lease.left(now), Math.floor(level * leasePart));
      const size = Math.max(needed, ahead);
      if (size <= 0) continue;
      leases.push([lease, size]);
      if (fullAt < now) {
        set[path] = now + size;
        conditions.push(isPast(path, now - 1, depthMs + 1));
      } else {
        add[path] = size;
        conditions.push({ path, is: '>=', value: now }, { path, is: '<=', value: now + Math.max(0, depth - size) });
      }
    }
    const first = Object.keys(set).length === 0 ? {} : { set: { kind: 'venue-budget', venue: this.#venue, ...set } };
    try {
      this.#stored = await table.update<StoredBudget>(key, { ...first, add }, allOf(...conditions));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      this.#stored = await table.get<StoredBudget>(key, { consistent: true });
      return false;
    }
    for (const [lease, size] of leases) lease.fill(size, now);
    return true;
  }

  /** @returns undefined: another worker is probing the venue, or its circuit was closed */
  async #probe(stored: StoredBudget): Promise<Permit | undefined> {
    const { table } = this.#ports;
    const probe = await this.#breaker.probe(stored);
    if (probe !== undefined) {
      this.#stored = { ...stored, ...probe.set };
      return this.#permit(probe);
    }
    this.#stored = await table.get<StoredBudget>(budgetKey(this.#venue), { consistent: true });
    return undefined;
  }

  #permit(probe?: HeldLease): Permit {
    return {
      answered: async () => {
        if (probe === undefined) return;
        await this.#quietly(async () => {
          this.#stored = (await this.#breaker.close(probe)) ?? this.#stored;
        });
      },
      refused: async (retryAfterMs) => {
        this.#dropLeases();
        this.#ports.metrics.addMetric('VenueRefusals', MetricUnit.Count, 1);
        await this.#quietly(async () => {
          this.#stored = await this.#breaker.open(retryAfterMs);
        });
      },
    };
  }

  /** Failing to store what an answer says must not fail the call. */
  async #quietly(store: () => Promise<void>): Promise<void> {
    try {
      await store();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error instanceof ConditionFailed) return;
      this.#ports.logger.warn('The budget of a venue could not be stored', { venue: this.#venue, reason: error.code });
    }
  }

  #pool({ pool, depthMs }: Charge): Pool {
    const known = this.#pools.get(pool) ?? {
      ...{ depthMs, lease: new TokenLease(), queue: Promise.resolve(), waitingMs: 0, yieldUntil: 0 },
    };
    this.#pools.set(pool, known);
    return known;
  }

  #depth({ depthMs }: Pick<Charge, 'depthMs'>): number {
    return Math.floor(this.#purpose === 'prices' ? depthMs : depthMs * (1 - pricesPart));
  }

  /** Least wait of a call, as far as is known here. @param aheadMs tokens that the calls before it will take */
  #waitOf(charge: Charge, now: number, aheadMs: number): number {
    const fullAt = fullAfter(fullAtOf(this.#stored, charge.pool, now, charge.depthMs), now, aheadMs);
    const heldMs = heldUntil(this.#stored, this.#purpose, charge.pool, now) - now;
    return Math.max(waitOf(fullAt, now, charge.ms, this.#depth(charge)), heldMs, this.#yieldMs(charge, now));
  }

  /** How long prices yield to accounts that wait for tokens. */
  #yieldMs(charge: Charge, now: number): number {
    if (this.#purpose !== 'prices' || !this.#congestion.isCongested(this.#stored)) return 0;
    const yieldMs = (this.#pools.get(charge.pool)?.yieldUntil ?? 0) - now;
    // A call that had to wait for longer would be refused.
    return Math.min(Math.max(0, yieldMs), charge.ms / pricesPartWhenCongested, (waitSecondsMax * 1000) / 2);
  }

  #dropLeases(): void {
    for (const { lease } of this.#pools.values()) lease.drop();
  }

  #refuseWhileOpen(now: number): void {
    const { openUntil } = this.#stored ?? {};
    if (openUntil === undefined) return;
    const retryAfterMs = Math.max(
      boundedTime(openUntil, now, openMsMax) - now,
      probeLease.remainingMs(this.#stored, now),
    );
    if (retryAfterMs <= 0) return;
    const words = `${this.#venue} rate-limited earlier requests and is not called for now`;
    throw new VenueError(this.#venue, 'rate-limited', words, { retryAfterMs });
  }

  /** @throws {VenueError} the venue is congested and all slots are taken */
  async #requireSlot(slots: SlotHolder | undefined): Promise<void> {
    if (slots === undefined || slots.hasSlot || !this.#congestion.isCongested(this.#stored)) return;
    if (!(await slots.acquireSlot())) throw this.#noRoom(slotRetryMs);
  }

  async #reportCongestion(waitedFor: 'room' | 'answer'): Promise<void> {
    if (this.#purpose !== 'accounts') return;
    await this.#quietly(async () => {
      this.#stored = (await this.#congestion.report(waitedFor)) ?? this.#stored;
    });
  }

  #noRoom(retryAfterMs: number): VenueError {
    const words = `${this.#venue} allows fewer requests than are to be made`;
    return new VenueError(this.#venue, 'rate-limited', words, { retryAfterMs: Math.ceil(retryAfterMs) });
  }
}
