import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { ConcurrencySlots, Slot } from './concurrency-slots.ts';
import type { CallBudget, Charge, Permit, SlotHolder, VenueBudget } from './venue-budget.ts';

/** The calls of one sync at a venue. While the venue is congested they need a slot, which is held until the session ends. */
export class VenueSession implements CallBudget, SlotHolder {
  readonly #ports: Pick<Platform, 'logger'>;
  readonly #budget: VenueBudget;
  readonly #slots: ConcurrencySlots;
  #slot: Promise<Slot | undefined> | undefined;
  #hasSlot = false;

  constructor(ports: Pick<Platform, 'logger'>, budget: VenueBudget, slots: ConcurrencySlots) {
    this.#ports = ports;
    this.#budget = budget;
    this.#slots = slots;
  }

  get hasSlot(): boolean {
    return this.#hasSlot;
  }

  async acquireSlot(): Promise<boolean> {
    this.#slot ??= this.#slots.acquire();
    try {
      this.#hasSlot = (await this.#slot) !== undefined;
      return this.#hasSlot;
    } finally {
      if (!this.#hasSlot) this.#slot = undefined;
    }
  }

  take(charge: Charge): Promise<Permit> {
    return this.#budget.take(charge, this);
  }

  reportUsage(pool: string, usedPart: number, until: number): Promise<void> {
    return this.#budget.reportUsage(pool, usedPart, until);
  }

  reportSlowness(): Promise<void> {
    return this.#budget.reportSlowness();
  }

  /** Releases the slot. */
  async end(): Promise<void> {
    try {
      await (await this.#slot)?.release();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.#ports.logger.warn('A concurrency slot could not be released', { reason: error.code });
    }
  }
}
