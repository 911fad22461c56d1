import type { Exchange } from 'ccxt';

/** How far the clock here is ahead of a venue's: measured when one client is refused for its time stamps, and shared by all. */
export class VenueTime {
  #aheadMs = 0;
  #measuring: Promise<void> | undefined;

  /** Runs an operation with the known offset of the venue's clock, and once more, after measuring it, where the venue refused that. */
  async keeping<T>(exchange: Exchange, operation: (exchange: Exchange) => Promise<T>): Promise<T> {
    // Kraken's nonce only has to grow: to follow another clock could set it back for good.
    const follows = exchange.id !== 'kraken';
    const usedMs = this.#aheadMs;
    if (follows) exchange.options.timeDifference = usedMs;
    try {
      return await operation(exchange);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'InvalidNonce') throw error;
      if (follows) {
        // Another call may have measured it since.
        if (this.#aheadMs === usedMs) await this.#measure(exchange);
        exchange.options.timeDifference = this.#aheadMs;
      }
      return operation(exchange);
    }
  }

  async #measure(exchange: Exchange): Promise<void> {
    this.#measuring ??= (async () => {
      try {
        this.#aheadMs = await exchange.loadTimeDifference();
      } finally {
        this.#measuring = undefined;
      }
    })();
    await this.#measuring;
  }
}
