import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Write, type WriteCondition } from '#shared/platform/table';
import { type AuditEvent, entryAfter, type Head, SYSTEM_TRAIL, targetOf, trailOf } from './entry.ts';
import { declarationOf } from './events.ts';
import { counted } from './repeats.ts';
import { headKey, type StoredHead, type StoredTally, storedEntry, tallyKey } from './stored.ts';

/** Most writes that an entry adds to a transaction: itself and its trail's head, twice when it opens the trail. */
export const AUDIT_WRITES_MAX = 4;

/**
 * The audit log: what happened, who did it, when, from where, and with which outcome. Each entry carries the hash of its
 * predecessor in the trail and a number without gaps, so that no entry can be changed, removed or moved undetected.
 * Only the facts that {@link EVENTS} declares get into an entry.
 */
export class AuditLog {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger'>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger'>) {
    this.#ports = ports;
  }

  /**
   * Makes a change together with its entry, or neither: for what must not happen unrecorded. Replaces
   * `table.transact(writes)`.
   * @param writes at most 100 less {@link AUDIT_WRITES_MAX}, with the conditions they would have without the entry; they
   * may be attempted several times
   * @throws {TransactionCanceled} with the indices among `writes` whose condition did not hold
   * @throws {Unavailable} too many append to the trail at once; nothing was changed
   */
  async transact(writes: readonly Write[], event: AuditEvent): Promise<void> {
    await this.#retried(writes.length, async () => [...writes, ...(await this.#entryWrites(event, 1))]);
  }

  /**
   * Records that something is about to be shown which changes nothing in the table, such as a secret. Call it first, so that
   * nothing is shown unrecorded. Repeating events are counted beyond the first ones of an hour.
   * @throws {Unavailable} it cannot be recorded now
   */
  async append(event: AuditEvent): Promise<void> {
    if (declarationOf(event.type).repeats === true) await this.#count(event);
    else await this.transact([], event);
  }

  /**
   * Records a refusal, which holds whether or not it is recorded: a failure is logged as an error that names the event, and
   * the caller continues, so that a refusal remains one when the table has trouble. Repeating events are counted as by
   * {@link append}.
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
   * The writes that append an event to its trail. The first entry of a user's trail is accompanied by one in the system's
   * trail, which therefore names every trail there is: a trail cannot disappear as a whole undetected.
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

  /** Makes a transaction from what is stored at the time, again while only conditions of the log itself do not hold. */
  async #retried(callersWrites: number, make: () => Promise<readonly Write[]>): Promise<void> {
    const { table } = this.#ports;
    const message = 'Too many write to the audit log at once';
    await optimistic(this.#ports, async () => await table.transact(await make()), { callersWrites, message });
  }
}

const isHead = (head: Head | undefined): WriteCondition =>
  head === undefined ? ABSENT : allOf(equals('seq', head.seq), equals('hash', head.hash));
