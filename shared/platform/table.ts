/**
 * The Table port: the one table of the system, with the promises of DynamoDB that the domain relies on.
 * String keys sort by their UTF-8 bytes. Numbers are IEEE doubles; money is kept in decimal strings.
 */

/** What an attribute may hold. Empty strings are allowed except in keys; `undefined` attributes are left out. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly [name: string]: Value | undefined };

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** An item: its key, the keys of the two indexes where it shows up there, and its own attributes. */
export interface Item extends Key {
  /** What the item is (`ticker`, `alert`…); stream consumers filter by it. */
  readonly kind: string;
  readonly gsi1pk?: string;
  readonly gsi1sk?: string;
  readonly gsi2pk?: string;
  readonly gsi2sk?: string;
  /** Epoch seconds after which the item is removed at some later time; until then it is still returned. */
  readonly expiresAt?: number;
  /** Rises with every change where writers compete. */
  readonly version?: number;
  /** Number of the stored shape, which migration on read goes by (item-kind.ts); absent: 1. */
  readonly shape?: number;
  readonly [attribute: string]: Value | undefined;
}

/**
 * A condition on the stored item. A path is an attribute's name, or `map.name` for a name within a map attribute.
 * A comparison is false where the attribute is missing or of another type than the value (except `<>`, which is true).
 */
export type WriteCondition =
  | { readonly path: string; readonly is: 'present' | 'absent' }
  | {
      readonly path: string;
      readonly is: '=' | '<>' | '<' | '<=' | '>' | '>=';
      readonly value: string | number | boolean;
    }
  | { readonly all: readonly WriteCondition[] }
  | { readonly any: readonly WriteCondition[] };

/** The item must not exist yet. */
export const ABSENT: WriteCondition = { path: 'pk', is: 'absent' };
/** The item must exist. */
export const PRESENT: WriteCondition = { path: 'pk', is: 'present' };
export const equals = (path: string, value: string | number | boolean): WriteCondition => ({ path, is: '=', value });
export const allOf = (...all: WriteCondition[]): WriteCondition => ({ all });
export const anyOf = (...any: WriteCondition[]): WriteCondition => ({ any });
/** The attribute is missing or at most the value, such as a time in the past. */
export const atMost = (path: string, value: number): WriteCondition =>
  anyOf({ path, is: 'absent' }, { path, is: '<=', value });
/** The attribute is as it was seen. @param seen undefined: it was missing */
export const isStill = (path: string, seen: string | number | boolean | undefined): WriteCondition =>
  seen === undefined ? { path, is: 'absent' } : equals(path, seen);

/** Changes to attributes by path; a path into a map needs the map to exist. Key attributes pk and sk can't change. */
export interface Changes {
  readonly set?: { readonly [path: string]: Value };
  readonly remove?: readonly string[];
  /** Adds to a number, in decimal: 0.1 and 0.2 make 0.3. A missing attribute counts as 0. */
  readonly add?: { readonly [attribute: string]: number };
}

export type Put = { readonly put: Item; readonly if?: WriteCondition };
export type Update = { readonly update: Key; readonly changes: Changes; readonly if?: WriteCondition };
export type Delete = { readonly delete: Key; readonly if?: WriteCondition };
export type Check = { readonly check: Key; readonly if: WriteCondition };
export type Write = Put | Update | Delete | Check;

export interface Query {
  /** The table itself when left out. Indexes are read eventually consistent and hold only items that have both of their keys. */
  readonly index?: 'gsi1' | 'gsi2';
  readonly pk: string;
  /** A range of the sort key; bounds of `between` are inclusive. The whole partition when left out. */
  readonly sk?:
    | { readonly prefix: string }
    | { readonly between: readonly [low: string, high: string] }
    | { readonly after: string }
    | { readonly before: string };
  readonly descending?: boolean;
  /** Most items of a page, 1..{@link QUERY_ITEMS_MAX}; a page may hold fewer and still have a cursor (DynamoDB ends a page at 1 MB). */
  readonly limit?: number;
  /** The `cursor` of the page before. It never leads out of `pk`. */
  readonly cursor?: string;
  /** Sees every write confirmed before (tables only, not indexes). */
  readonly consistent?: boolean;
}

export interface Page<T extends Item = Item> {
  readonly items: T[];
  /** Present while there may be more. */
  readonly cursor?: string;
}

/** Most items of a page. */
export const QUERY_ITEMS_MAX = 1000;

/** @throws {RangeError} no page can have this limit */
export const checkQueryLimit = (limit: number): void => {
  if (Number.isInteger(limit) && limit >= 1 && limit <= QUERY_ITEMS_MAX) return;
  throw new RangeError(`The limit of a page is 1..${QUERY_ITEMS_MAX}`);
};

/** Most writes of one transaction. */
export const TRANSACTION_WRITES_MAX = 100;
/** Largest sum of what one transaction writes: DynamoDB's limit, held by every adapter. */
export const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;
/** Largest item: DynamoDB's limit, held by every adapter. */
export const ITEM_BYTES_MAX = 400 * 1024;

export interface Table {
  get<T extends Item>(key: Key, options?: { readonly consistent?: boolean }): Promise<T | undefined>;
  /** Items of any number of keys, in the order of the keys; missing ones are left out. */
  getMany<T extends Item>(keys: readonly Key[], options?: { readonly consistent?: boolean }): Promise<T[]>;
  query<T extends Item>(query: Query): Promise<Page<T>>;
  /** @throws {ConditionFailed} the condition does not hold */
  put(item: Item, condition?: WriteCondition): Promise<void>;
  /** Creates the item where it is missing and the condition allows it. @returns the new item @throws {ConditionFailed} */
  update<T extends Item>(key: Key, changes: Changes, condition?: WriteCondition): Promise<T>;
  /** @returns the removed item, or undefined @throws {ConditionFailed} */
  delete<T extends Item>(key: Key, condition?: WriteCondition): Promise<T | undefined>;
  /**
   * Many puts and deletes, each for itself. Writes of one key are made in the order given.
   * Cheaper than single ones; on one machine they survive the process, and a power cut only once a later single write or transaction is confirmed.
   * @returns positions of the writes whose condition did not hold, ascending
   */
  writeMany(writes: readonly (Put | Delete)[]): Promise<number[]>;
  /**
   * All or nothing, 1..{@link TRANSACTION_WRITES_MAX} writes, one per key, together at most {@link TRANSACTION_BYTES_MAX}.
   * @throws {TransactionCanceled} with the position of each condition that did not hold
   */
  transact(writes: readonly Write[]): Promise<void>;
}

/** Every item of a query, page by page. */
export async function* every<T extends Item>(table: Table, query: Query): AsyncGenerator<T> {
  let cursor: string | undefined = query.cursor;
  do {
    const page: Page<T> = await table.query<T>(cursor === undefined ? query : { ...query, cursor });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** One change of the table, from its stream. */
export interface Change<T extends Item = Item> {
  readonly event: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly key: Key;
  readonly before?: T;
  readonly after?: T;
  /** When the change was made, epoch ms (DynamoDB rounds to seconds). */
  readonly at: number;
  /** Position in the stream; sorts as a number. */
  readonly sequence: string;
}

/**
 * Builds a key from its parts, `USER#1234`. The separator can't be smuggled in: a part that holds it is refused.
 * @throws {TypeError} a part is empty or holds `#`
 */
export const keyOf = (...parts: readonly string[]): string => {
  for (const part of parts) {
    if (part === '' || part.includes('#')) throw new TypeError('A key part must not be empty or hold #');
  }
  return parts.join('#');
};
