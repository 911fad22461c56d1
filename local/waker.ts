import type { Clock } from '#shared/platform/ports';

/** Lets one loop sleep until there is work. A call to wake while it is busy is not lost. */
export class Waker {
  readonly #clock: Clock;
  #woken = false;
  #waiting: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly wake = (): void => {
    this.#woken = true;
    this.#waiting?.abort();
  };

  /** Resolves when woken, also when that happened since the last wait, or after `ms`. */
  async wait(ms?: number): Promise<void> {
    if (!this.#woken) {
      const waiting = new AbortController();
      this.#waiting = waiting;
      await (ms === undefined ? aborted(waiting.signal) : this.#clock.sleep(ms, waiting.signal));
      this.#waiting = undefined;
    }
    this.#woken = false;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
