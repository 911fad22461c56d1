import { clockSkewMsMax } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import { atMost, type WriteCondition } from '#shared/platform/table';
import { budgetKey, congestedPath, type StoredBudget } from './stored-budget.ts';

/** How long a venue is crowded after it held somebody up, by what they waited for. */
const crowdedSeconds = { room: 10, answer: 30 } as const;

const crowdedSecondsMax = Math.max(...Object.values(crowdedSeconds));

type Ports = Pick<Platform, 'table' | 'clock' | 'logger'>;

/** Nobody found the venue crowded that is now. */
export const notCongested = (at: number): WriteCondition => atMost(congestedPath, at);

/**
 * Whether calls at a venue have to wait, for room or for answers, as one worker knows it. The venue could then hold up
 * all workers there are: until it is quiet they need a seat to ask it anything.
 */
export class Congestion {
  readonly #ports: Ports;
  readonly #venue: string;
  /** Epoch ms. */
  #until = 0;

  constructor(ports: Ports, venue: string) {
    this.#ports = ports;
    this.#venue = venue;
  }

  /** Whether the venue is crowded, also as the stored budget says. */
  isCongested({ congestedUntil = 0 }: Pick<StoredBudget, 'congestedUntil'> = {}): boolean {
    this.#until = Math.max(this.#until, congestedUntil);
    const leftMs = this.#until - this.#ports.clock.now();
    // A later end was recorded before the clock was set back.
    if (leftMs > crowdedSecondsMax * 1000 + clockSkewMsMax) this.#until = 0;
    return this.#until > 0 && leftMs > 0;
  }

  /**
   * Tells all workers, again only when half of the time is over.
   * @returns the budget as it is stored now, where that is news @throws {ConditionFailed} another worker told it
   */
  async report(waitedFor: keyof typeof crowdedSeconds): Promise<StoredBudget | undefined> {
    const lastsMs = crowdedSeconds[waitedFor] * 1000;
    const until = this.#ports.clock.now() + lastsMs;
    const soon = until - lastsMs / 2;
    if (this.#until > soon) return undefined;
    this.#until = until;
    const set = { kind: 'venue-budget', venue: this.#venue, [congestedPath]: until };
    const { table, logger } = this.#ports;
    const stored = await table.update<StoredBudget>(budgetKey(this.#venue), { set }, notCongested(soon));
    logger.info('A venue is crowded: syncs need a seat', { venue: this.#venue, waitedFor });
    return stored;
  }
}
