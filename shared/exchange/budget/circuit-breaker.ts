import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, atMost, equals, isStill } from '#shared/platform/table';
import { budgetKey, type StoredBudget } from './stored-budget.ts';

/** How long a venue is left alone that does not say how long; twice as long each further time, up to the most. */
const openSeconds = 30;
const openSecondsMax = 30 * 60;
/** No word of a venue is taken for longer: Binance's longest ban. */
const saidSecondsMax = 3 * 24 * 60 * 60;
/** A refusal so soon after the last one ended is taken to go on with it. */
const quietSeconds = 5 * 60;
/** One that says almost the same as one before is not written. */
const sameSeconds = 1;
/** How long the call that tries a venue may take. */
const probeSeconds = 15;
const attemptsMax = 5;

type Ports = Pick<Platform, 'table' | 'clock' | 'logger'>;

/** Has all workers leave a venue alone that said it was asked too often, and then one of them try it. */
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
          { set, remove: ['probeUntil'] },
          isStill('openUntil', before?.openUntil),
        );
        const seconds = Math.ceil((trip.openUntil - clock.now()) / 1000);
        logger.warn('The venue was asked too often and is left alone', {
          ...{ venue: this.#venue, seconds, consecutiveTrips: trip.consecutiveTrips },
        });
        return stored;
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
      }
    }
  }

  /** Whether this worker is the one that may try the venue. @returns until when, which {@link close} needs; undefined: it is not */
  async probe({ openUntil = 0 }: StoredBudget): Promise<number | undefined> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const probeUntil = now + probeSeconds * 1000;
    try {
      await table.update(
        budgetKey(this.#venue),
        { set: { probeUntil } },
        allOf(equals('openUntil', openUntil), atMost('probeUntil', now)),
      );
      return probeUntil;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return undefined;
    }
  }

  /** The venue answered the one that tried it. @returns the budget as it is stored now, unless it was opened again */
  async close(probeUntil: number): Promise<StoredBudget | undefined> {
    const { table, clock, logger } = this.#ports;
    try {
      const stored = await table.update<StoredBudget>(
        budgetKey(this.#venue),
        { set: { closedAt: clock.now() }, remove: ['openUntil', 'probeUntil'] },
        equals('probeUntil', probeUntil),
      );
      logger.info('The venue is asked again', { venue: this.#venue });
      return stored;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return undefined;
    }
  }
}

/** How a refusal changes the breaker; not at all where others were refused at the same time. */
const nextTrip = (
  before: StoredBudget | undefined,
  now: number,
  retryAfterMs: number | undefined,
): { readonly openUntil: number; readonly consecutiveTrips: number } | undefined => {
  const { openUntil, consecutiveTrips = 0, closedAt = 0 } = before ?? {};
  const isOpen = openUntil !== undefined && openUntil > now;
  const goesOn = openUntil !== undefined || now - closedAt < quietSeconds * 1000;
  const count = isOpen ? consecutiveTrips : goesOn ? consecutiveTrips + 1 : 1;
  const grownMs = Math.min(openSeconds * 2 ** (count - 1), openSecondsMax) * 1000;
  const until = now + Math.min(retryAfterMs ?? (isOpen ? 0 : grownMs), saidSecondsMax * 1000);
  if (isOpen && until <= openUntil + sameSeconds * 1000) return undefined;
  return { openUntil: Math.round(until), consecutiveTrips: count };
};
