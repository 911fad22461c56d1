import type { Platform } from '#shared/platform/ports';
import type { WriteCondition } from '#shared/platform/table';
import { boundedTime, budgetKey, congestedPath, isPast, type StoredBudget } from './stored-budget.ts';

/** How long a venue counts as congested after a call had to wait, by what it waited for. */
const congestedSeconds = { room: 10, answer: 30 } as const;
const congestedMsMax = congestedSeconds.answer * 1000;

type Ports = Pick<Platform, 'table' | 'clock' | 'logger'>;

/** The venue is not congested at a time. */
export const notCongested = (at: number): WriteCondition => isPast(congestedPath, at, congestedMsMax);

/**
 * Whether calls to a venue have to wait, for its rate limit or for answers, as one worker knows it. Such a venue could
 * occupy all workers, so calls for accounts need a concurrency slot until it has recovered.
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

  /** @param stored the budget, where another worker may have reported it */
  isCongested({ congestedUntil = 0 }: Pick<StoredBudget, 'congestedUntil'> = {}): boolean {
    const now = this.#ports.clock.now();
    this.#until = Math.max(this.#until, boundedTime(congestedUntil, now, congestedMsMax));
    return this.#until > now;
  }

  /**
   * Stores it for all workers; repeated only after half of the time.
   * @returns the budget as it is stored now, if it was written @throws {ConditionFailed} another worker reported it
   */
  async report(waitedFor: keyof typeof congestedSeconds): Promise<StoredBudget | undefined> {
    const lastsMs = congestedSeconds[waitedFor] * 1000;
    const until = this.#ports.clock.now() + lastsMs;
    const soon = until - lastsMs / 2;
    if (this.#until > soon) return undefined;
    this.#until = until;
    const set = { kind: 'venue-budget', venue: this.#venue, [congestedPath]: until };
    const { table, logger } = this.#ports;
    const stored = await table.update<StoredBudget>(budgetKey(this.#venue), { set }, notCongested(soon));
    logger.info('Venue congested: syncs need a concurrency slot', { venue: this.#venue, waitedFor });
    return stored;
  }
}
