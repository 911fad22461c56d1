import { Decimal } from '#shared/model/decimal';
import type { Changes, Key, Value } from '#shared/platform/table';
import { attributeOf, isMap, namesOf } from './condition.ts';
import { type Attributes, checkValue } from './item.ts';

/**
 * Checks changes as DynamoDB would.
 * @returns a copy that shares nothing with them
 * @throws {TypeError} a path is not one, overlaps another or names a key attribute; a value can't be stored
 */
export function checkedChanges({ set = {}, remove = [], add = {} }: Changes): Required<Changes> {
  const paths = [...Object.keys(set), ...remove, ...Object.keys(add)];
  const changed = new Set(paths);
  if (changed.size < paths.length) throw new TypeError('A path is changed twice');
  for (const path of paths) {
    const [attribute, name] = namesOf(path);
    if (attribute === 'pk' || attribute === 'sk') throw new TypeError(`${path}: the key can't change`);
    if (name !== undefined && changed.has(attribute)) throw new TypeError(`${path}: changed in part and as a whole`);
  }
  for (const [path, value] of Object.entries(set)) checkValue(value, path);
  for (const [attribute, amount] of Object.entries(add)) {
    if (attribute.includes('.'))
      throw new TypeError(`${attribute}: only attributes of the item itself can be added to`);
    if (typeof amount !== 'number') throw new TypeError(`${attribute}: only numbers can be added`);
    checkValue(amount, attribute);
  }
  return structuredClone({ set, remove, add });
}

/**
 * The item after the changes; a missing one is created.
 * @throws {TypeError} a path leads into what is not a map, or an amount is added to what is not a number
 */
export function applyChanges(
  item: Attributes | undefined,
  { pk, sk }: Key,
  { set, remove, add }: Required<Changes>,
): Key & Attributes {
  let changed: Attributes = item ?? {};
  for (const [path, value] of Object.entries(set)) changed = withValue(changed, path, value);
  for (const path of remove) changed = withValue(changed, path, undefined);
  for (const [attribute, amount] of Object.entries(add)) {
    const stored = attributeOf(changed, attribute);
    if (stored !== undefined && typeof stored !== 'number') {
      throw new TypeError(`${attribute}: not a number, nothing can be added to it`);
    }
    changed = withValue(changed, attribute, sumOf(stored ?? 0, amount, attribute));
  }
  return { ...changed, pk, sk };
}

/** DynamoDB's numbers are decimals of 38 digits. */
const DIGITS_MAX = 38;
/** Enough for any two numbers that can be stored, so that their sum is exact. */
const Exact = Decimal.clone({ precision: 300 });

/** @throws {RangeError} the sum has more digits than DynamoDB keeps */
function sumOf(stored: number, amount: number, attribute: string): number {
  if (Number.isSafeInteger(stored) && Number.isSafeInteger(amount)) return stored + amount;
  const sum = new Exact(stored).plus(amount);
  if (sum.precision() > DIGITS_MAX) throw new RangeError(`${attribute}: the sum has more than ${DIGITS_MAX} digits`);
  return sum.toNumber();
}

function withValue(item: Attributes, path: string, value: Value | undefined): Attributes {
  const [attribute, name] = namesOf(path);
  if (name === undefined) return { ...item, [attribute]: value };
  const map = attributeOf(item, attribute);
  if (!isMap(map)) throw new TypeError(`${path}: ${attribute} is not a map`);
  return { ...item, [attribute]: { ...map, [name]: value } };
}
