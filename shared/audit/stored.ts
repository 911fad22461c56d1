import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { AuditEntry, Head, Trail } from './entry.ts';
import type { AuditType } from './events.ts';

/**
 * An entry as stored: in the partition of its trail by time and number, and in the index by day, from which the entries of
 * all trails are listed.
 */
export interface StoredEntry extends Item, AuditEntry {
  readonly kind: 'audit-entry';
}

/** The newest number and hash of a trail. */
export interface StoredHead extends Item, Head {
  readonly kind: 'audit-head';
}

/** How often a repeating event with one target was seen since `startedAt`. */
export interface StoredTally extends Item {
  readonly kind: 'audit-tally';
  readonly startedAt: number;
  readonly seen: number;
}

const dayMs = 86_400_000;
const timeDigits = 15;
const seqDigits = 12;
const entryPrefix = 'ENTRY#';
const padded = (number: number, digits: number): string => String(number).padStart(digits, '0');

/** Prefix of the log's partition keys: functions without any other write access may append to the log. */
export const AUDIT_KEYS = 'AUDIT#';
const partition = (trail: string) => keyOf('AUDIT', trail);
export const headKey = (trail: Trail): Key => ({ pk: partition(trail), sk: 'HEAD' });
export const tallyKey = (trail: Trail, type: AuditType, target?: string): Key => ({
  pk: partition(trail),
  sk: target === undefined ? keyOf('TALLY', type) : keyOf('TALLY', type, target),
});

/** The number of the UTC day of a time. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);
/** The last millisecond of a day. */
export const endOf = (day: number): number => (day + 1) * dayMs - 1;
/** The partition of the index with the entries of a day: `AUDIT_DAY#2026-11-23`. */
const dayPartition = (day: number): string => keyOf('AUDIT_DAY', new Date(day * dayMs).toISOString().slice(0, 10));

/** The item of an entry; its keys follow from the entry. */
export const storedEntry = (entry: AuditEntry): StoredEntry => {
  const { trail, seq, at } = entry;
  return {
    pk: partition(trail),
    sk: keyOf('ENTRY', padded(at, timeDigits), padded(seq, seqDigits)),
    gsi1pk: dayPartition(dayOf(at)),
    gsi1sk: keyOf(padded(at, timeDigits), trail, padded(seq, seqDigits)),
    kind: 'audit-entry',
    ...entry,
  };
};

/** The entry of a stored item, without its keys. */
export const entryOf = ({ pk: _, sk: __, gsi1pk: ___, gsi1sk: ____, kind: _____, ...entry }: StoredEntry): AuditEntry =>
  entry;

/** The position right after the last entry of a millisecond. A list continues downwards from a position. */
export const positionAt = (at: number): string => keyOf(padded(at, timeDigits), '~');

/** A list of entries, newest first: where its entries are stored, and the format of its positions. */
export interface Listing {
  /** The position right below an entry. */
  below(entry: StoredEntry): string;
  /** The format of a position in this list; its first 15 digits are a time. */
  readonly pattern: RegExp;
  range(
    low: number,
    high: string,
  ): { readonly pk: string; readonly sk: { readonly between: readonly [string, string] } };
}

/** A position ends in a number; the one right below has the number before it. */
const before = (position: string): string => {
  const digits = position.length - seqDigits;
  return position.slice(0, digits) + padded(Number(position.slice(digits)) - 1, seqDigits);
};

export const timeOf = (position: string): number => Number(position.slice(0, timeDigits));

/** One trail. */
export const trailListing = (trail: string): Listing => ({
  below: ({ sk }) => before(sk.slice(entryPrefix.length)),
  pattern: /^\d{15}#(~|\d{12})$/,
  range: (low, high) => ({
    pk: partition(trail),
    sk: { between: [entryPrefix + padded(low, timeDigits), entryPrefix + high] },
  }),
});

/** All trails, one day at a time: that of the upper end of the range. */
export const dayListing: Listing = {
  below: ({ gsi1sk = '' }) => before(gsi1sk),
  pattern: /^\d{15}#(~|(system|[0-9a-f-]{36})#\d{12})$/,
  range: (low, high) => ({ pk: dayPartition(dayOf(timeOf(high))), sk: { between: [padded(low, timeDigits), high] } }),
};

/** The entries of a trail, oldest first; only those after the given one. */
export const entriesOf = (trail: string, after?: Key) => ({
  pk: partition(trail),
  sk: after === undefined ? { prefix: entryPrefix } : { between: [`${after.sk}~`, `${entryPrefix}~`] as const },
});
