import { ITEM_BYTES_MAX, type Item, type Key, type Value } from '#shared/platform/table';

/** DynamoDB's limits, which this adapter holds as well so that what works on one machine works there. */
const PARTITION_KEY_BYTES_MAX = 2048;
export const SORT_KEY_BYTES_MAX = 1024;
/** Lists and maps within each other; what the innermost holds is DynamoDB's 32nd level. */
const NESTING_MAX = 31;
const NUMBER_MIN = 1e-130;
const NUMBER_MAX = 1e126;

export type Attributes = { readonly [name: string]: Value | undefined };

/** An item as the store keeps it: its text, and the columns that it is found by. */
export interface StoredItem extends Key {
  readonly gsi1pk: string | null;
  readonly gsi1sk: string | null;
  readonly gsi2pk: string | null;
  readonly gsi2sk: string | null;
  readonly expiresAt: number | null;
  readonly json: string;
}

/**
 * Checks an item as DynamoDB would. The result shares nothing with the item.
 * @throws {TypeError} a key or value that can't be stored
 * @throws {RangeError} a key, number, nesting or the item is too large
 */
export function storedItem(item: Item | (Key & Attributes)): StoredItem {
  checkKey(item);
  checkValue(item, 'item', 0);
  const json = JSON.stringify(item);
  // No item is larger than four bytes for each character of its JSON: most need not be measured.
  if (json.length * 4 > ITEM_BYTES_MAX && itemSizeOf(item) > ITEM_BYTES_MAX) {
    throw new RangeError(`The item is larger than ${ITEM_BYTES_MAX} bytes`);
  }
  const [gsi1pk, gsi1sk] = indexKeys(item.gsi1pk, item.gsi1sk, 'gsi1');
  const [gsi2pk, gsi2sk] = indexKeys(item.gsi2pk, item.gsi2sk, 'gsi2');
  const expiresAt = typeof item.expiresAt === 'number' ? item.expiresAt : null;
  return { pk: item.pk, sk: item.sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk, expiresAt, json };
}

/** The key alone, checked. */
export function checkedKey({ pk, sk }: Key): Key {
  checkKey({ pk, sk });
  return { pk, sk };
}

export function checkPartitionKey(value: unknown, name: string): asserts value is string {
  checkKeyString(value, name, PARTITION_KEY_BYTES_MAX);
}

export function checkSortKey(value: unknown, name: string): asserts value is string {
  checkKeyString(value, name, SORT_KEY_BYTES_MAX);
}

/** @throws {TypeError | RangeError} the value can't be stored */
export function checkValue(value: unknown, path: string, depth = 1): void {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return;
  if (typeof value === 'number') checkNumber(value, path);
  else if (typeof value === 'object') checkCollection(value, path, depth);
  else throw new TypeError(`${path}: ${typeof value} can't be stored`);
}

function checkCollection(collection: object, path: string, depth: number): void {
  if (depth > NESTING_MAX) throw new RangeError(`${path}: nested deeper than ${NESTING_MAX}`);
  if (Array.isArray(collection)) {
    for (const element of collection) checkValue(element, `${path}[]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(collection);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError(`${path}: not a plain object`);
  for (const [name, value] of Object.entries(collection)) {
    // DynamoDB takes no empty names, and its client no `__proto__`, which it would take for the object's own prototype.
    if (name === '' || name === '__proto__') throw new TypeError(`${path}: '${name}' can't be a name`);
    if (value !== undefined) checkValue(value, `${path}.${name}`, depth + 1);
  }
}

function checkKey(key: Key): void {
  checkPartitionKey(key.pk, 'pk');
  checkSortKey(key.sk, 'sk');
}

function checkKeyString(value: unknown, name: string, bytesMax: number): asserts value is string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) {
    throw new TypeError(`${name} must be a string that is not empty and well-formed`);
  }
  // A character of UTF-16 has at most three bytes in UTF-8.
  if (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax) {
    throw new RangeError(`${name} is longer than ${bytesMax} bytes`);
  }
}

function checkNumber(value: number, path: string): void {
  const size = Math.abs(value);
  if (size !== 0 && !(size >= NUMBER_MIN && size < NUMBER_MAX))
    throw new RangeError(`${path}: ${value} can't be stored`);
}

function indexKeys(pk: unknown, sk: unknown, index: string): [string, string] | [null, null] {
  if (pk !== undefined) checkPartitionKey(pk, `${index}pk`);
  if (sk !== undefined) checkSortKey(sk, `${index}sk`);
  return pk !== undefined && sk !== undefined ? [pk, sk] : [null, null];
}

const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function itemSizeOf(item: Attributes): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) bytes += Buffer.byteLength(name) + sizeOf(value);
  }
  return bytes;
}

function sizeOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return numberSizeOf(value);
  if (typeof value === 'boolean' || value === null) return 1;
  let bytes = COLLECTION_BYTES;
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined) {
      bytes += ELEMENT_BYTES + sizeOf(inner) + (Array.isArray(value) ? 0 : Buffer.byteLength(name));
    }
  }
  return bytes;
}

/** A byte for two significant digits, one for the exponent and one for a minus. */
function numberSizeOf(value: number): number {
  const digits = String(Math.abs(value))
    .replace(/e.*|[.]/g, '')
    .replace(/^0+|0+$/g, '');
  return Math.max(1, Math.ceil(digits.length / 2)) + 1 + (value < 0 ? 1 : 0);
}
