import * as z from 'zod';
import { every, type Item, type Table } from '#shared/platform/table';
import { AuditEntry, type Head, hashOf, NO_HASH, SYSTEM_TRAIL, type Trail } from './entry.ts';
import { type AuditType, TARGETS } from './events.ts';
import { entriesOf, headKey, type StoredHead, storedEntry } from './stored.ts';

/** The entry in the system's trail that accompanies the first one of a user's trail. */
const opening: AuditType = 'system.trail-opened';

/** A departure from what was written. */
export interface Finding {
  readonly trail: string;
  /** The entry, or the first of those that are missing; null: the trail as a whole. */
  readonly seq: number | null;
  readonly fault: string;
}

/** The end of a trail, as reported by a verification; kept elsewhere, it later proves that nothing before it was rewritten. */
export const TrailEnd = AuditEntry.pick({ seq: true, hash: true }).extend({
  trail: z.union([z.literal(SYSTEM_TRAIL), TARGETS.user]),
});
export type TrailEnd = z.infer<typeof TrailEnd>;
export const TrailEnds = z.array(TrailEnd);

/** The result of walking one trail. */
interface Walk {
  readonly findings: Finding[];
  readonly end: TrailEnd | undefined;
  /** The trails whose opening it records. */
  readonly opened: string[];
}

export interface Verification {
  readonly findings: readonly Finding[];
  readonly ends: readonly TrailEnd[];
  readonly entries: number;
}

/**
 * Walks every trail and finds each entry that was changed, removed, moved or cut off. The system's trail names the others.
 * Entries may be appended while it runs.
 * @param expected ends of trails from an earlier verification, kept out of reach of those who can write the table
 * @param onFinding called with each finding as it is made
 */
export const verifyAudit = async (
  table: Table,
  expected: readonly TrailEnd[] = [],
  onFinding: (finding: Finding) => void = () => {},
): Promise<Verification> => {
  const findings: Finding[] = [];
  const ends: TrailEnd[] = [];
  let entries = 0;
  const expectedOf = Map.groupBy(expected, ({ trail }) => trail);
  const verify = async (trail: string): Promise<Walk> => {
    const walk = await walkTrail(table, trail, expectedOf.get(trail) ?? []);
    for (const finding of walk.findings) onFinding(finding);
    findings.push(...walk.findings);
    if (walk.end !== undefined) ends.push(walk.end);
    entries += walk.end?.seq ?? 0;
    return walk;
  };
  const system = await verify(SYSTEM_TRAIL);
  for (const trail of new Set([...system.opened, ...expectedOf.keys()])) {
    if (trail !== SYSTEM_TRAIL) await verify(trail);
  }
  return { findings, ends, entries };
};

const walkTrail = async (table: Table, trail: string, expected: readonly TrailEnd[]): Promise<Walk> => {
  const walker = new TrailWalker(trail, expected);
  for (;;) {
    const walked = walker.last;
    for await (const item of every(table, { ...entriesOf(trail, walked), consistent: true })) walker.pass(item);
    // The head is written with the entries and read after them: entries appended in between are walked as well.
    const head = await table.get<StoredHead>(headKey(trail as Trail), { consistent: true });
    if (walker.ends(head) || walker.last === walked) return walker.end(head);
  }
};

/** Follows the entries of one trail. */
class TrailWalker {
  readonly #trail: string;
  readonly #expected: ReadonlyMap<number, string>;
  readonly #findings: Finding[] = [];
  readonly #opened: string[] = [];
  #seq = 0;
  #hash = NO_HASH;
  #at = 0;
  #last: Item | undefined;

  constructor(trail: string, expected: readonly TrailEnd[]) {
    this.#trail = trail;
    this.#expected = new Map(expected.map(({ seq, hash }) => [seq, hash]));
  }

  /** The stored item of the latest entry that was passed. */
  get last(): Item | undefined {
    return this.#last;
  }

  pass(item: Item): void {
    this.#last = item;
    const { pk, sk, gsi1pk, gsi1sk, kind, ...fields } = item;
    const { success, data: entry } = AuditEntry.safeParse(fields);
    const next = this.#seq + 1;
    if (!success) {
      this.#found(next, 'was changed: it is no entry any more');
      // Its content is lost; the chain continues with the next entry.
      this.#seq = next;
      this.#hash = typeof fields.hash === 'string' ? fields.hash : '';
      return;
    }
    const { seq } = entry;
    const expected = storedEntry(entry);
    const isPlaced = [pk, sk, gsi1pk, gsi1sk, kind].every(
      (part, index) => part === [expected.pk, expected.sk, expected.gsi1pk, expected.gsi1sk, expected.kind][index],
    );
    if (hashOf(entry) !== entry.hash) this.#found(seq, 'was changed: its hash is not that of its content');
    if (!isPlaced) this.#found(seq, 'was moved: it is stored where its content does not belong');
    if (seq > next) this.#found(next, seq - next === 1 ? 'is missing' : `and those up to ${seq - 1} are missing`);
    else if (seq < next) this.#found(seq, `is out of order: it follows entry ${this.#seq}`);
    else if (entry.previous !== this.#hash) {
      this.#found(seq, 'does not follow the entry before it: one of them was replaced');
    }
    if (entry.at < this.#at) this.#found(seq, 'is older than the entry before it');
    this.#compare(seq, entry.hash);
    if (entry.type === opening && TARGETS.user.safeParse(entry.target?.id).success) {
      this.#opened.push(entry.target?.id ?? '');
    }
    this.#seq = seq;
    this.#hash = entry.hash;
    this.#at = Math.max(this.#at, entry.at);
  }

  /** Whether the head points at the last entry. */
  ends(head: Head | undefined): boolean {
    return (head?.seq ?? 0) === this.#seq;
  }

  end(head: Head | undefined): Walk {
    if (this.#seq === 0 && head === undefined) {
      // The system's trail begins with the first event of an installation; every other one is known by its opening.
      const isNew = this.#trail === SYSTEM_TRAIL && this.#expected.size === 0;
      if (!isNew) this.#found(null, 'is gone: there was a trail once');
    } else if (head === undefined) {
      this.#found(null, 'has no head: the number and hash of its newest entry were removed');
    } else if (head.seq > this.#seq) {
      this.#found(this.#seq + 1, `and those up to ${head.seq} were cut off`);
    } else if (head.seq < this.#seq) {
      this.#found(null, `has a head that was set back to entry ${head.seq}`);
    } else if (head.hash !== this.#hash || head.at !== this.#at) {
      this.#found(head.seq, 'is not the one that the head knows');
    }
    for (const seq of this.#expected.keys()) {
      if (seq > this.#seq) this.#found(seq, 'was there at an earlier verification and is not any more');
    }
    return {
      findings: this.#findings,
      end: this.#seq === 0 ? undefined : { trail: this.#trail, seq: this.#seq, hash: this.#hash },
      opened: this.#opened,
    };
  }

  #compare(seq: number, hash: string): void {
    const expected = this.#expected.get(seq);
    if (expected === undefined || expected === hash) return;
    this.#found(seq, 'is not the one of an earlier verification: the trail was rewritten up to it');
  }

  #found(seq: number | null, fault: string): void {
    this.#findings.push({ trail: this.#trail, seq, fault });
  }
}
