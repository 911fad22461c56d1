/** How long a portion can be spent; what is left of it then lapses. So long a worker may not know that a venue is left alone. */
export const tokenLeaseMs = 1500;

/** What a worker took out of a bucket at once, to spend it call by call. */
export class TokenLease {
  #leftMs = 0;
  #endsAt = Number.NEGATIVE_INFINITY;
  #isSpentFrom = false;
  /** What was spent in this stretch of {@link tokenLeaseMs} and in the one before, as far as anything was. */
  #spentMs = 0;
  #spentBeforeMs = 0;
  #countedSince = Number.NEGATIVE_INFINITY;

  left(now: number): number {
    return now < this.#endsAt ? this.#leftMs : 0;
  }

  /** How much the next portion shall have; nothing where the last one was of no use. */
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
