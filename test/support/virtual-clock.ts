import type { Clock } from '#shared/platform/ports';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Time that passes only when a test advances it. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param now epoch ms at the start */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        // Whole milliseconds, as a clock returns them.
        until: Math.ceil(this.#now + Math.max(0, ms)),
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /**
   * Lets `ms` pass: wakes everyone whose time comes, in the order of their times, and lets each of them (and what it
   * wakes or puts to sleep again) get as far as it can before the next one.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#earliest(end); next !== undefined; next = this.#earliest(end)) {
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      await settled();
    }
    this.#now = end;
  }

  #earliest(end: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until <= end && (earliest === undefined || sleeper.until < earliest.until)) earliest = sleeper;
    }
    return earliest;
  }
}

/** Turns of the event loop that woken sleepers get to go on: the store commits in a turn of its own. */
const turns = 20;

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** How far time goes at once while something sleeps. */
const stepMs = 20;

/** Waits for work, letting time pass while it sleeps. */
export const awakeOn = async <T>(clock: VirtualClock, work: Promise<T>): Promise<T> => {
  let turn = 0;
  return await during(work, async (isDone) => {
    // What takes longer than some turns, such as a password's hash, gets the processor.
    await new Promise((resolve) => (turn++ < turns ? setImmediate(resolve) : setTimeout(resolve, 1)));
    if (!isDone() && clock.sleeping > 0) await clock.advance(stepMs);
  });
};

export interface Pace {
  /** How far time goes at once. */
  readonly stepMs: number;
  /** Turns of the event loop with nothing under way after which all are taken to wait for time to pass. */
  readonly idleTurns: number;
  /** Whether something is under way during which time must not pass, such as a real request. */
  readonly isBusy: () => boolean;
}

/** Waits for work that does real requests too; time passes when nothing else goes on. */
export const liveOn = async <T>(
  clock: VirtualClock,
  { stepMs: step, idleTurns, isBusy }: Pace,
  work: Promise<T>,
): Promise<T> => {
  let idle = 0;
  return await during(work, async (isDone) => {
    await new Promise((resolve) => setImmediate(resolve));
    idle = isBusy() ? 0 : idle + 1;
    if (idle < idleTurns || isDone()) return;
    idle = 0;
    await clock.advance(step);
  });
};

/** Waits for work, doing `turn` again and again until it is done. */
const during = async <T>(work: Promise<T>, turn: (isDone: () => boolean) => Promise<void>): Promise<T> => {
  let isDone = false;
  const ended = work.finally(() => {
    isDone = true;
  });
  ended.catch(() => {});
  while (!isDone) await turn(() => isDone);
  return await ended;
};
