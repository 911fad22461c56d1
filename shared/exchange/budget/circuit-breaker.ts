import { exponentialMs } from '#shared/platform/backoff';
import { ConditionFailed } from '#shared/platform/errors';
import { acquireLease, type HeldLease, Lease } from '#shared/platform/lease';
import type { Platform } from '#shared/platform/ports';
import { equals, isStill } from '#shared/platform/table';
import { boundedTime, budgetKey, clockSkewMs, openMsMax, type StoredBudget } from './stored-budget.ts';

/** How long the circuit is open where the venue does not say; twice as long each further time, up to the maximum. */
const openSeconds = 30;
const openSecondsMax = 30 * 60;
/** A refusal this soon after the circuit was closed continues the series. */
const quietSeconds = 5 * 60;
/** A change of less than this is not written. */
const sameSeconds = 1;
/** How long the probing call may take. */
const probeSeconds = 15;
/** The lease of the worker that probes the venue, in its stored budget. */
export const probeLease = new Lease({ until: 'probeUntil' }, probeSeconds * 1000, clockSkewMs);
const attemptsMax = 5;

type Ports = Pick<Platform, 'table' | 'clock' | 'logger'>;

/** Stops the calls of all workers to a venue that rate-limited one of them, and then lets one worker probe it. */
export class CircuitBreaker {
  readonly #ports: Ports;
  readonly #venue: string;

  constructor(ports: Ports, venue: string) {
    this.#ports = ports;
    this.#venue = venue;
  }

  /** @param retryAfterMs what the venue said @returns the budget as it is stored now */
  async open(retryAfterMs: number | undefined): Promise<StoredBudget | undefined> {
    const { table, clock, logger } = this.#ports;
    const key = budgetKey(this.#venue);
    for (let attempt = 1; ; attempt++) {
      const before = await table.get<StoredBudget>(key, { consistent: true });
      const trip = nextTrip(before, clock.now(), retryAfterMs);
      if (trip === undefined || attempt > attemptsMax) return before;
      try {
        const set = { kind: 'venue-budget', venue: this.#venue, ...trip };
        const stored = await table.update<StoredBudget>(
          key,
          { set, ...probeLease.released },
          isStill('openUntil', before?.openUntil),
        );
        const seconds = Math.ceil((trip.openUntil - clock.now()) / 1000);
        logger.warn('Rate limited by the venue: circuit open', {
          ...{ venue: this.#venue, seconds, consecutiveTrips: trip.consecutiveTrips },
        });
        return stored;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
  }

  /** Acquires the probe for this worker. @returns undefined: another worker probes the venue, or the circuit has changed */
  async probe({ openUntil = 0 }: StoredBudget): Promise<HeldLease | undefined> {
    const { table, clock } = this.#ports;
    const isSameTrip = equals('openUntil', openUntil);
    return await acquireLease(table, budgetKey(this.#venue), probeLease, { now: clock.now(), if: isSameTrip });
  }

  /** The probe was answered. @returns the budget as it is stored now; undefined: the circuit was opened again */
  async close({ isHeld }: HeldLease): Promise<StoredBudget | undefined> {
    const { table, clock, logger } = this.#ports;
    try {
      const stored = await table.update<StoredBudget>(
        budgetKey(this.#venue),
        { set: { closedAt: clock.now() }, remove: ['openUntil', ...probeLease.released.remove] },
        isHeld,
      );
      logger.info('The venue answered the probe: circuit closed', { venue: this.#venue });
      return stored;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return undefined;
    }
  }
}

/** How a refusal changes the breaker; undefined where it adds nothing to a concurrent one. */
const nextTrip = (
  before: StoredBudget | undefined,
  now: number,
  retryAfterMs: number | undefined,
): { readonly openUntil: number; readonly consecutiveTrips: number } | undefined => {
  const { consecutiveTrips = 0 } = before ?? {};
  const openUntil = before?.openUntil === undefined ? undefined : boundedTime(before.openUntil, now, openMsMax);
  const closedAt = boundedTime(before?.closedAt ?? 0, now, 0);
  const isOpen = openUntil !== undefined && openUntil > now;
  const goesOn = openUntil !== undefined || now - closedAt < quietSeconds * 1000;
  const count = isOpen ? consecutiveTrips : goesOn ? consecutiveTrips + 1 : 1;
  const grownMs = exponentialMs(count, { firstMs: openSeconds * 1000, longestMs: openSecondsMax * 1000 });
  const until = now + Math.min(retryAfterMs ?? (isOpen ? 0 : grownMs), openMsMax);
  if (isOpen && until <= openUntil + sameSeconds * 1000) return undefined;
  return { openUntil: Math.round(until), consecutiveTrips: count };
};
