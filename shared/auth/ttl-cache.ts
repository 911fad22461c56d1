import type { Clock } from '#shared/platform/ports';

const entriesMax = 2000;

/**
 * The latest values of a bounded number, each until a time of its own; the oldest make room. It runs on the injected clock
 * and has no timers. Libraries do not fit: lru-cache takes a clock but adds 19 KB to each bundle, 0 as its time to live
 * means forever, and an entry lives one millisecond too long; @isaacs/ttlcache (5 KB) has timers and a clock of its own.
 */
export class TtlCache<T> {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > this.#clock.now() ? entry.value : undefined;
  }

  /** @param until epoch ms, exclusive */
  set(key: string, value: T, until: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > entriesMax && oldest !== undefined) this.#entries.delete(oldest);
  }
}
