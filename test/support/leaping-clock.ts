import type { Clock } from '#shared/platform/ports';
import { systemClock } from '#shared/platform/system';

/** The machine's time, which can leap ahead: for what takes a minute and is to be seen at once. */
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

  /** Goes on `ms` later; whoever would have woken meanwhile wakes now. */
  leap(ms: number): void {
    this.#aheadMs += ms;
    for (const [sleeper, until] of this.#sleepers) if (until <= this.now()) sleeper.abort();
  }
}
