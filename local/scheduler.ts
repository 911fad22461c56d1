import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '#shared/platform/ports';

/** Runs tasks at fixed periods. A task never overlaps itself, and one that fails runs again at its next time. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #logger: Pick<Logger, 'error'>;
  readonly #stopped = new AbortController();
  readonly #tasks: Promise<void>[] = [];

  constructor(clock: Clock, logger: Pick<Logger, 'error'>) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Runs the task at once and then every `periodMs`; times that pass while it runs are left out. */
  every(periodMs: number, name: string, task: () => Promise<unknown>): void {
    this.#tasks.push(this.#repeat(periodMs, name, task));
  }

  /** Resolves when the tasks that run now have ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#tasks);
  }

  async #repeat(periodMs: number, name: string, task: () => Promise<unknown>): Promise<void> {
    const { signal } = this.#stopped;
    for (let dueAt = this.#clock.now(); !signal.aborted; ) {
      try {
        await task();
      } catch (error) {
        this.#logger.error('A scheduled task failed', { task: name, error: error as Error });
      }
      const passed = Math.floor((this.#clock.now() - dueAt) / periodMs);
      dueAt += (passed + 1) * periodMs;
      await this.#clock.sleep(dueAt - this.#clock.now(), signal);
    }
  }
}
