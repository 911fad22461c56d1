/** How long a lease can be spent before the rest expires, and how long a worker may not notice an open circuit. */
export const tokenLeaseMs = 1500;

/** Tokens that a worker took out of a bucket at once, to spend call by call. */
export class TokenLease {
  #leftMs = 0;
  #endsAt = Number.NEGATIVE_INFINITY;
  #isSpentFrom = false;
  /** What was spent in this interval of {@link tokenLeaseMs} and in the last one with any spending. */
  #spentMs = 0;
  #spentBeforeMs = 0;
  #countedSince = Number.NEGATIVE_INFINITY;

  left(now: number): number {
    return now < this.#endsAt ? this.#leftMs : 0;
  }

  /** Size of the next lease; 0 where the last one was not used. */
  get expectedDemandMs(): number {
    return this.#isSpentFrom ? Math.max(this.#spentMs, this.#spentBeforeMs) : 0;
  }

  fill(amountMs: number, now: number): void {
    this.#leftMs = this.left(now) + amountMs;
    this.#endsAt = now + tokenLeaseMs;
    this.#isSpentFrom = false;
  }

  spend(chargeMs: number, now: number): void {
    this.#leftMs = Math.max(0, this.#leftMs - chargeMs);
    this.#isSpentFrom = true;
    if (now - this.#countedSince >= tokenLeaseMs) {
      this.#spentBeforeMs = this.#spentMs;
      this.#spentMs = 0;
      this.#countedSince = now;
    }
    this.#spentMs += chargeMs;
  }

  drop(): void {
    this.#endsAt = Number.NEGATIVE_INFINITY;
  }
}
