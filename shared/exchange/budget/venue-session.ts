import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Seat, VenueSeats } from './concurrency-slots.ts';
import type { CallBudget, Charge, Permit, VenueBudget, Visitor } from './venue-budget.ts';

/** The calls of one sync at a venue. Where that is crowded they need a seat, which the visit keeps until it ends. */
export class VenueVisit implements CallBudget, Visitor {
  readonly #ports: Pick<Platform, 'logger'>;
  readonly #budget: VenueBudget;
  readonly #seats: VenueSeats;
  #seat: Promise<Seat | undefined> | undefined;
  #isSeated = false;

  constructor(ports: Pick<Platform, 'logger'>, budget: VenueBudget, seats: VenueSeats) {
    this.#ports = ports;
    this.#budget = budget;
    this.#seats = seats;
  }

  get isSeated(): boolean {
    return this.#isSeated;
  }

  async sit(): Promise<boolean> {
    this.#seat ??= this.#seats.take();
    try {
      this.#isSeated = (await this.#seat) !== undefined;
      return this.#isSeated;
    } finally {
      if (!this.#isSeated) this.#seat = undefined;
    }
  }

  take(charge: Charge): Promise<Permit> {
    return this.#budget.take(charge, this);
  }

  told(pool: string, usedPart: number, until: number): Promise<void> {
    return this.#budget.told(pool, usedPart, until);
  }

  slow(): Promise<void> {
    return this.#budget.slow();
  }

  /** Leaves the seat to others. */
  async end(): Promise<void> {
    try {
      await (await this.#seat)?.leave();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.#ports.logger.warn('A seat at a venue was not left', { reason: error.code });
    }
  }
}
