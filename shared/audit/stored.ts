import { type Item, type Key, keyOf } from '#shared/platform/table';
import type { AuditEntry, Head, Trail } from './entry.ts';
import type { AuditType } from './events.ts';

/**
 * An entry as it is stored: in the partition of its trail by time and number, and in the index by its day, which is how
 * the entries of all trails are listed.
 */
export interface StoredEntry extends Item, AuditEntry {
  readonly kind: 'audit-entry';
}

/** The newest number and hash of a trail. */
export interface StoredHead extends Item, Head {
  readonly kind: 'audit-head';
}

/** How often an event that repeats, done to one target, was seen since `startedAt`. */
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

/** What the partition keys of the log begin with: functions that may not write the table otherwise may append to it. */
export const AUDIT_KEYS = 'AUDIT#';
const partition = (trail: string) => keyOf('AUDIT', trail);
export const headKey = (trail: Trail): Key => ({ pk: partition(trail), sk: 'HEAD' });
export const tallyKey = (trail: Trail, type: AuditType, target?: string): Key => ({
  pk: partition(trail),
  sk: target === undefined ? keyOf('TALLY', type) : keyOf('TALLY', type, target),
});

/** The number of the day of a time, UTC. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);
/** The last millisecond of a day. */
export const endOf = (day: number): number => (day + 1) * dayMs - 1;
/** The partition of the index that holds the entries of a day: `AUDIT_DAY#2026-11-23`. */
const dayPartition = (day: number): string => keyOf('AUDIT_DAY', new Date(day * dayMs).toISOString().slice(0, 10));

/** The whole item of an entry: nothing of it but the entry itself can be chosen. */
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

/** The entry of a stored item: all but its keys. */
export const entryOf = ({ pk: _, sk: __, gsi1pk: ___, gsi1sk: ____, kind: _____, ...entry }: StoredEntry): AuditEntry =>
  entry;

/**
 * A place among entries, from which a list goes on downwards: it sorts at or above every entry that is still to come.
 * Without an entry it is the end of its millisecond.
 */
export const placeAt = (at: number): string => keyOf(padded(at, timeDigits), '~');

/** Lists of entries, newest first: where each is stored, and how its places are written. */
export interface Listing {
  /** The place right below an entry. */
  below(entry: StoredEntry): string;
  /** What a place of this list looks like; its first 15 digits are a time. */
  readonly pattern: RegExp;
  range(
    low: number,
    high: string,
  ): { readonly pk: string; readonly sk: { readonly between: readonly [string, string] } };
}

/** A place ends in a number, and the number before it has the place right below. */
const before = (place: string): string => {
  const digits = place.length - seqDigits;
  return place.slice(0, digits) + padded(Number(place.slice(digits)) - 1, seqDigits);
};

export const timeOf = (place: string): number => Number(place.slice(0, timeDigits));

/** One trail. */
export const trailListing = (trail: string): Listing => ({
  below: ({ sk }) => before(sk.slice(entryPrefix.length)),
  pattern: /^\d{15}#(~|\d{12})$/,
  range: (low, high) => ({
    pk: partition(trail),
    sk: { between: [entryPrefix + padded(low, timeDigits), entryPrefix + high] },
  }),
});

/** Every trail, a day at a time: that of the upper end of the range. */
export const dayListing: Listing = {
  below: ({ gsi1sk = '' }) => before(gsi1sk),
  pattern: /^\d{15}#(~|(system|[0-9a-f-]{36})#\d{12})$/,
  range: (low, high) => ({ pk: dayPartition(dayOf(timeOf(high))), sk: { between: [padded(low, timeDigits), high] } }),
};

/** The entries of a trail, oldest first; those after a stored one where it is given. */
export const entriesOf = (trail: string, after?: Key) => ({
  pk: partition(trail),
  sk: after === undefined ? { prefix: entryPrefix } : { between: [`${after.sk}~`, `${entryPrefix}~`] as const },
});
