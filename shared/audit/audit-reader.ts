import type { UserId } from '#shared/model/user-id';
import { InvalidCursor } from '#shared/platform/errors';
import type { Clock } from '#shared/platform/ports';
import type { Table } from '#shared/platform/table';
import { type AuditEntry, SYSTEM_TRAIL } from './entry.ts';
import {
  dayListing,
  dayOf,
  endOf,
  entriesOf,
  entryOf,
  type Listing,
  positionAt,
  type StoredEntry,
  timeOf,
  trailListing,
} from './stored.ts';

/** Most entries and days that one page reads, matching or not; a page that reaches a limit ends early. */
const readMax = 1000;
const daysMax = 62;
const readAtOnce = 200;
/** How far the clocks of machines that write entries may differ. */
const clockSkewMs = 3_600_000;

/** Which entries to list. */
export interface AuditFilter {
  /** Prefix of the type: `auth.`, `auth.login-failed`. */
  readonly type?: string;
  /** Epoch ms, inclusive. */
  readonly from?: number;
  readonly to?: number;
}

export interface AuditPage {
  readonly items: AuditEntry[];
  /** Present while there may be more. */
  readonly cursor?: string;
}

/** Lists the audit log, newest first. A page may contain fewer entries than its limit and still not be the last. */
export class AuditReader {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor({ table, clock }: { readonly table: Table; readonly clock: Clock }) {
    this.#table = table;
    this.#clock = clock;
  }

  /** The trail of one user. @throws {InvalidCursor} */
  async ofUser(
    userId: UserId,
    filter: AuditFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<AuditPage> {
    const listing = trailListing(userId);
    const reading = new Reading(this.#table, listing, filter, page.limit);
    const from = this.#start(listing, filter, page.cursor);
    return reading.page(await reading.down(from, filter.from ?? 0, { consistent: true }));
  }

  /** All trails, one day at a time, back to the first entry of the log. @throws {InvalidCursor} */
  async everywhere(
    filter: AuditFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<AuditPage> {
    const low = Math.max(await this.#beginning(), filter.from ?? 0);
    const reading = new Reading(this.#table, dayListing, filter, page.limit);
    let position = this.#start(dayListing, filter, page.cursor);
    for (let days = 1; timeOf(position) >= low; days += 1) {
      const day = dayOf(timeOf(position));
      const rest = await reading.down(position, low, { index: 'gsi1' });
      if (rest !== undefined) return reading.page(rest);
      position = positionAt(endOf(day - 1));
      if (days === daysMax) return reading.page(timeOf(position) >= low ? position : undefined);
    }
    return reading.page(undefined);
  }

  /** A time before every entry, epoch ms: the first entry of the system's trail is the oldest, but for clock skew. */
  async #beginning(): Promise<number> {
    const { items } = await this.#table.query<StoredEntry>({ ...entriesOf(SYSTEM_TRAIL), limit: 1 });
    return items[0] === undefined ? Number.POSITIVE_INFINITY : Math.max(0, items[0].at - clockSkewMs);
  }

  #start({ pattern }: Listing, { to }: AuditFilter, cursor: string | undefined): string {
    const newest = Math.floor(this.#clock.now()) + clockSkewMs;
    const upper = positionAt(Math.min(to ?? newest, newest));
    if (cursor === undefined) return upper;
    if (!pattern.test(cursor)) throw new InvalidCursor('The cursor does not belong to this list');
    return cursor < upper ? cursor : upper;
  }
}

/** The progress of one page. */
class Reading {
  readonly #table: Table;
  readonly #listing: Listing;
  readonly #type: string;
  readonly #limit: number;
  readonly #items: AuditEntry[] = [];
  #read = 0;

  constructor(table: Table, listing: Listing, { type = '' }: AuditFilter, limit: number) {
    this.#table = table;
    this.#listing = listing;
    this.#type = type;
    this.#limit = limit;
  }

  page(position: string | undefined): AuditPage {
    return { items: this.#items, ...(position === undefined ? {} : { cursor: position }) };
  }

  /**
   * Reads one partition downwards from a position until the partition or the page ends.
   * @returns where to continue; undefined at the end of the partition
   */
  async down(
    from: string,
    low: number,
    options: { readonly index?: 'gsi1'; readonly consistent?: true },
  ): Promise<string | undefined> {
    if (timeOf(from) < low) return undefined;
    let position = from;
    for (;;) {
      const limit = this.#type === '' ? this.#limit - this.#items.length : readAtOnce;
      const { items, cursor } = await this.#table.query<StoredEntry>({
        ...{ ...this.#listing.range(low, position), ...options },
        ...{ descending: true, limit: Math.max(1, limit) },
      });
      for (const item of items) {
        this.#read += 1;
        position = this.#listing.below(item);
        if (item.type.startsWith(this.#type)) this.#items.push(entryOf(item));
        if (this.#items.length >= this.#limit || this.#read >= readMax) return position;
      }
      if (cursor === undefined) return undefined;
    }
  }
}
