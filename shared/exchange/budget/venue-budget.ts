import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { VenueError } from '#shared/exchange/errors';
import { ConditionFailed, DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, anyOf, atMost, PRESENT, type Value, type WriteCondition } from '#shared/platform/table';
import { CircuitBreaker } from './circuit-breaker.ts';
import { Congestion, notCongested } from './congestion.ts';
import { fullAfter, waitOf } from './rate-bucket.ts';
import {
  budgetKey,
  fullAtOf,
  fullPath,
  heldPath,
  heldUntil,
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

/** Leave to make one call, and what became of that. */
export interface Permit {
  /** The venue answered the call, be it with an error. */
  answered(): Promise<void>;
  /** The venue was asked too often. @param retryAfterMs what it said about when to come back */
  refused(retryAfterMs: number | undefined): Promise<void>;
}

/** Counts the calls of a client. */
export interface CallBudget {
  /** Waits until the call may be made. @throws {VenueError} `rate-limited` with when it may */
  take(charge: Charge): Promise<Permit>;
  /**
   * The venue told how much of a limit is used, by whomever.
   * @param pool the limit @param usedPart 0..1 @param until when it begins anew, epoch ms
   */
  reportUsage(pool: string, usedPart: number, until: number): Promise<void>;
  /** The venue takes long to answer. */
  reportSlowness(): Promise<void>;
}

/** Whose calls they are. Where a venue is crowded, those without a seat are sent away. */
export interface SlotHolder {
  readonly hasSlot: boolean;
  /** Takes a seat. @returns whether there was one */
  acquireSlot(): Promise<boolean>;
}

/** Longest wait for a call; one that would have to wait longer is refused. */
export const waitSecondsMax = 5;
/** Workers that wait for the same room come back spread over this time: one gets it, and the others each cost a write. */
const spreadMs = 1000;
/** Part of each bucket that is left to prices. */
const pricesPart = 0.25;
/**
 * Part of the rate that prices use while accounts wait for room: polled faster than the venue allows, prices would take
 * every token as soon as there is one.
 */
const pricesPartWhenCongested = 0.5;
/** A bucket that is full later than this, beside twice its depth, was stored before the clock was set back. */
const fullAtSlackMs = 60_000;
/** Part of what a bucket holds that is taken at once, so that there is something left for the other workers. */
const leasePart = 1 / 8;
/** From this part of a venue's limit on, whoever uses it, they wait until the limit begins anew. */
const holdParts: Readonly<Record<Purpose, number>> = { accounts: 0.85, prices: 0.95 };

/** A venue where a call has to wait longer for room is crowded. */
const congestionWaitMs = 250;
/** When those who found no seat may come again. */
const slotRetryMs = 5000;

/** How often a call tries for room that others take first. */
const attemptsMax = 50;

type Ports = Pick<Platform, 'table' | 'clock' | 'random' | 'logger' | 'metrics'>;

/** One of the venue's limits, as this worker uses it. */
interface Pool {
  readonly depthMs: number;
  readonly lease: TokenLease;
  /** Calls are let go in the order in which they came. */
  queue: Promise<unknown>;
  /** What the calls in the queue will take. */
  waitingMs: number;
  /** When prices take their next call while accounts wait for room, epoch ms. */
  yieldUntil: number;
}

/**
 * What one worker may ask of a venue: together with all others, which share the stored budget, no more than the venue
 * allows. A worker takes portions for the calls it is about to make, so that few calls need a write.
 */
export class VenueBudget implements CallBudget {
  readonly #ports: Ports;
  readonly #venue: string;
  readonly #purpose: Purpose;
  readonly #breaker: CircuitBreaker;
  readonly #congestion: Congestion;
  readonly #pools = new Map<string, Pool>();
  /** As last seen. A bucket is never full earlier than that says. */
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
   * @param visitor whose call it is; left out, it needs no seat
   * @throws {VenueError} `rate-limited` with when it may: there is too much to wait for, no seat, or the venue is left alone
   */
  async take(charge: Charge, visitor?: SlotHolder): Promise<Permit> {
    const { clock } = this.#ports;
    const pool = this.#pool(charge);
    const now = clock.now();
    this.#refuseWhileOpen(now);
    const waitMs = this.#waitOf(charge, now, pool.waitingMs);
    await this.#requireSlot(visitor);
    if (waitMs > waitSecondsMax * 1000) throw this.#noRoom(waitMs);

    pool.waitingMs += charge.ms;
    const turn = pool.queue.then(() => this.#next(charge, pool, now, visitor));
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
    const news = held.filter((purpose) => heldUntil(this.#stored, purpose, pool) < until);
    if (news.length === 0) return;
    const set = Object.fromEntries(news.map((purpose) => [heldPath(purpose, pool), until]));
    this.#dropLeases();
    await this.#quietly(async () => {
      this.#stored = await this.#ports.table.update<StoredBudget>(budgetKey(this.#venue), { set }, PRESENT);
      this.#ports.logger.info("Most of the venue's limit is used", { venue: this.#venue, pool, usedPart, held });
    });
  }

  async #next(charge: Charge, pool: Pool, since: number, visitor?: SlotHolder): Promise<Permit> {
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
      await this.#requireSlot(visitor);
      if (waitMs > 0) {
        if (now + waitMs - since > waitSecondsMax * 1000) throw this.#noRoom(waitMs);
        await clock.sleep(waitMs + random.number() * spreadMs);
        continue;
      }
      if (!isAtHand && !(await this.#lease(charge, now, visitor))) continue;
      lease.spend(charge.ms, now);
      pool.yieldUntil = now + charge.ms / pricesPartWhenCongested;
      return this.#permit();
    }
    throw this.#noRoom(spreadMs);
  }

  /**
   * Takes a portion for this call and those that are likely to follow, of all pools that they are likely to need.
   * @returns whether it was to be had; if not, it is known now what is
   */
  async #lease(charge: Charge, now: number, visitor?: SlotHolder): Promise<boolean> {
    const { table } = this.#ports;
    const key = budgetKey(this.#venue);
    const set: Record<string, Value> = {};
    const add: Record<string, number> = {};
    const held = heldPath(this.#purpose, charge.pool);
    const conditions: WriteCondition[] = [{ path: 'openUntil', is: 'absent' }, atMost(held, now)];
    if (visitor?.hasSlot === false) conditions.push(notCongested(now));
    const portions: (readonly [TokenLease, number])[] = [];
    for (const [pool, { lease, depthMs }] of this.#pools) {
      const path = fullPath(pool);
      const fullAt = this.#fullAt({ pool, depthMs }, now);
      const depth = this.#depth({ depthMs });
      const level = Math.max(0, depth - Math.max(0, fullAt - now));
      if (pool !== charge.pool && heldUntil(this.#stored, this.#purpose, pool) > now) continue;
      const needed = pool === charge.pool ? charge.ms - lease.left(now) : 0;
      const ahead = Math.min(lease.expectedDemandMs - lease.left(now), Math.floor(level * leasePart));
      const size = Math.max(needed, ahead);
      if (size <= 0) continue;
      portions.push([lease, size]);
      if (fullAt < now) {
        set[path] = now + size;
        const impossible = { path, is: '>', value: now + fullAtMaxMs(depthMs) } as const;
        conditions.push(anyOf({ path, is: 'absent' }, { path, is: '<', value: now }, impossible));
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
    for (const [portion, size] of portions) portion.fill(size, now);
    return true;
  }

  /** @returns undefined: somebody else tries the venue, or it can be asked again */
  async #probe(stored: StoredBudget): Promise<Permit | undefined> {
    const { table } = this.#ports;
    const probeUntil = await this.#breaker.probe(stored);
    if (probeUntil !== undefined) {
      this.#stored = { ...stored, probeUntil };
      return this.#permit(probeUntil);
    }
    this.#stored = await table.get<StoredBudget>(budgetKey(this.#venue), { consistent: true });
    return undefined;
  }

  #permit(probeUntil?: number): Permit {
    return {
      answered: async () => {
        if (probeUntil === undefined) return;
        await this.#quietly(async () => {
          this.#stored = (await this.#breaker.close(probeUntil)) ?? this.#stored;
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

  /** What becomes of an answer's news must not cost the answer. */
  async #quietly(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error instanceof ConditionFailed) return;
      this.#ports.logger.warn('The budget of a venue could not be kept', { venue: this.#venue, reason: error.code });
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

  /** How long a call has to wait at least, as far as is known here. @param aheadMs what those before it will take */
  #waitOf(charge: Charge, now: number, aheadMs: number): number {
    const fullAt = fullAfter(this.#fullAt(charge, now), now, aheadMs);
    const heldMs = heldUntil(this.#stored, this.#purpose, charge.pool) - now;
    return Math.max(waitOf(fullAt, now, charge.ms, this.#depth(charge)), heldMs, this.#yieldMs(charge, now));
  }

  /** When a bucket is full again, epoch ms; a time that can't be is that of a full one. */
  #fullAt({ pool, depthMs }: Pick<Charge, 'pool' | 'depthMs'>, now: number): number {
    const fullAt = fullAtOf(this.#stored, pool);
    return fullAt > now + fullAtMaxMs(depthMs) ? 0 : fullAt;
  }

  /** How long prices leave the room to the accounts that wait for it. */
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
    const { openUntil, probeUntil = 0 } = this.#stored ?? {};
    if (openUntil === undefined) return;
    const until = Math.max(openUntil, probeUntil);
    if (until <= now) return;
    const words = `${this.#venue} was asked too often and is left alone for a while`;
    throw new VenueError(this.#venue, 'rate-limited', words, { retryAfterMs: until - now });
  }

  /** @throws {VenueError} the venue is crowded and all seats are taken */
  async #requireSlot(visitor: SlotHolder | undefined): Promise<void> {
    if (visitor === undefined || visitor.hasSlot || !this.#congestion.isCongested(this.#stored)) return;
    if (!(await visitor.acquireSlot())) throw this.#noRoom(slotRetryMs);
  }

  async #reportCongestion(waitedFor: 'room' | 'answer'): Promise<void> {
    if (this.#purpose !== 'accounts') return;
    await this.#quietly(async () => {
      this.#stored = (await this.#congestion.report(waitedFor)) ?? this.#stored;
    });
  }

  #noRoom(retryAfterMs: number): VenueError {
    const words = `More is to be asked of ${this.#venue} than it allows`;
    return new VenueError(this.#venue, 'rate-limited', words, { retryAfterMs: Math.ceil(retryAfterMs) });
  }
}

const fullAtMaxMs = (depthMs: number): number => 2 * depthMs + fullAtSlackMs;
