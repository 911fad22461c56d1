import { TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Write, type WriteCondition } from '#shared/platform/table';
import { type AuditEvent, entryAfter, type Head, SYSTEM_TRAIL, targetOf, trailOf } from './entry.ts';
import { declarationOf } from './events.ts';
import { counted } from './repeats.ts';
import { headKey, type StoredHead, type StoredTally, storedEntry, tallyKey } from './stored.ts';

/** Most writes of its own that an entry adds to a transaction: itself and its trail's head, twice when it opens the trail. */
export const AUDIT_WRITES_MAX = 4;

/** How often an entry is tried while others append to the same trail, and how long it waits in between at most. */
const attemptsMax = 10;
const firstPauseMs = 20;
const longestPauseMs = 1_000;

/**
 * The audit log: what happened, who did it, when, from where, and with which outcome. Each entry carries the hash of the
 * one before in its trail and a number without gaps, so that no entry can be changed, removed or put elsewhere unseen.
 * Only what {@link EVENTS} names gets into an entry.
 */
export class AuditLog {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger'>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger'>) {
    this.#ports = ports;
  }

  /**
   * Makes a change together with its entry, or neither: for what must not happen without being written down.
   * Stands in the place of `table.transact(writes)`.
   * @param writes at most 100 less {@link AUDIT_WRITES_MAX}; they may be tried several times, so each change needs no
   * other condition than it would have without the entry
   * @throws {TransactionCanceled} with the positions among `writes` whose condition did not hold
   * @throws {Unavailable} too many append to the trail at once; nothing was changed
   */
  async transact(writes: readonly Write[], event: AuditEvent): Promise<void> {
    await this.#retried(writes.length, async () => [...writes, ...(await this.#entryWrites(event, 1))]);
  }

  /**
   * Writes down what is about to be shown and changes nothing in the table, such as a secret. Made first, so that nothing is
   * shown without being written down. Events that repeat are counted beyond the first ones of an hour.
   * @throws {Unavailable} it can't be written down now
   */
  async append(event: AuditEvent): Promise<void> {
    if (declarationOf(event.type).repeats === true) await this.#count(event);
    else await this.transact([], event);
  }

  /**
   * Writes down what stands whether or not it is written down: a refusal. Should that fail, the log has an error that names
   * the event, and the caller goes on: a refusal must stay one when the table has trouble. Events that repeat are counted as
   * by {@link append}.
   */
  async record(event: AuditEvent): Promise<void> {
    try {
      await this.append(event);
    } catch (error) {
      this.#ports.logger.error('An audit entry could not be written', {
        ...{ audit: event.type, trail: trailOf(event), at: this.#ports.clock.now() },
        error: error as Error,
      });
    }
  }

  async #count(event: AuditEvent): Promise<void> {
    const { table, clock } = this.#ports;
    const key = tallyKey(trailOf(event), event.type, targetOf(event)?.id);
    await this.#retried(0, async () => {
      const before = await table.get<StoredTally>(key, { consistent: true });
      const { tally, occurrences } = counted(before, clock.now());
      const stored: StoredTally = { ...key, kind: 'audit-tally', ...tally };
      const unchanged = before ? allOf(equals('startedAt', before.startedAt), equals('seen', before.seen)) : ABSENT;
      const entry = occurrences === undefined ? [] : await this.#entryWrites(event, occurrences);
      return [{ put: stored, if: unchanged }, ...entry];
    });
  }

  /**
   * The writes that append an event to its trail. The first entry of a user's trail comes with one in the system's trail, which
   * so names every trail there is: a trail can't vanish as a whole unseen.
   */
  async #entryWrites(event: AuditEvent, occurrences: number): Promise<Write[]> {
    const trail = trailOf(event);
    const { head, writes } = await this.#appended(event, occurrences);
    if (trail === SYSTEM_TRAIL || head !== undefined) return writes;
    const opening: AuditEvent = {
      type: 'system.trail-opened',
      trail: SYSTEM_TRAIL,
      target: trail,
      actor: { kind: 'system' },
    };
    return [...writes, ...(await this.#appended(opening, 1)).writes];
  }

  async #appended(
    event: AuditEvent,
    occurrences: number,
  ): Promise<{ readonly head: Head | undefined; readonly writes: Write[] }> {
    const { table, clock } = this.#ports;
    const key = headKey(trailOf(event));
    const head = await table.get<StoredHead>(key, { consistent: true });
    const entry = entryAfter(head, event, clock.now(), occurrences);
    const moved: StoredHead = { ...key, kind: 'audit-head', seq: entry.seq, hash: entry.hash, at: entry.at };
    return {
      head,
      writes: [
        { put: moved, if: isHead(head) },
        { put: storedEntry(entry), if: ABSENT },
      ],
    };
  }

  /** Makes a transaction anew from what is stored then, as long as only the log's own conditions do not hold. */
  async #retried(callersWrites: number, make: () => Promise<readonly Write[]>): Promise<void> {
    const { table, clock, random } = this.#ports;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await table.transact(await make());
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        const failed = error.failed.filter((position) => position < callersWrites);
        if (failed.length > 0) throw new TransactionCanceled(failed);
        if (attempt === attemptsMax) throw new Unavailable('Too many write to the audit log at once', { cause: error });
        await clock.sleep(random.number() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt));
      }
    }
  }
}

const isHead = (head: Head | undefined): WriteCondition =>
  head === undefined ? ABSENT : allOf(equals('seq', head.seq), equals('hash', head.hash));
