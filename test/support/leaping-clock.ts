import type { Clock } from '#shared/platform/ports';
import { systemClock } from '#shared/platform/system';

/** The machine's time, which can leap ahead, so that a test need not wait a minute. */
export class LeapingClock implements Clock {
  #aheadMs = 0;
  readonly #sleepers = new Map<AbortController, number>();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.now() + ms;
    const woken = new AbortController();
    this.#sleepers.set(woken, until);
    await systemClock.sleep(ms, signal === undefined ? woken.signal : AbortSignal.any([signal, woken.signal]));
    this.#sleepers.delete(woken);
  }

  /** Moves the time ahead by `ms`; sleepers due by then wake now. */
  leap(ms: number): void {
    this.#aheadMs += ms;
    for (const [sleeper, until] of this.#sleepers) if (until <= this.now()) sleeper.abort();
  }
}
