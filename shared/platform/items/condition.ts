import type { Value, WriteCondition } from '#shared/platform/table';
import { type Attributes, checkValue } from './item.ts';

/** Whether the condition holds for the stored item; a missing item has no attributes. */
export function holds(condition: WriteCondition, item: Attributes | undefined): boolean {
  if ('all' in condition) return condition.all.every((inner) => holds(inner, item));
  if ('any' in condition) return condition.any.some((inner) => holds(inner, item));
  const stored = valueAt(item, condition.path);
  switch (condition.is) {
    case 'present':
      return stored !== undefined;
    case 'absent':
      return stored === undefined;
    case '=':
      return stored === condition.value;
    case '<>':
      return stored !== condition.value;
    case '<':
      return ordered(stored, condition.value, (order) => order < 0);
    case '<=':
      return ordered(stored, condition.value, (order) => order <= 0);
    case '>':
      return ordered(stored, condition.value, (order) => order > 0);
    case '>=':
      return ordered(stored, condition.value, (order) => order >= 0);
  }
}

/** @throws {TypeError | RangeError} DynamoDB would refuse the condition */
export function checkCondition(condition: WriteCondition): void {
  if ('all' in condition) for (const inner of condition.all) checkCondition(inner);
  else if ('any' in condition) for (const inner of condition.any) checkCondition(inner);
  else {
    namesOf(condition.path);
    if (!('value' in condition)) return;
    checkValue(condition.value, condition.path);
    if (typeof condition.value === 'boolean' && condition.is !== '=' && condition.is !== '<>') {
      throw new TypeError(`${condition.path}: booleans have no order`);
    }
  }
}

/** The attribute that a path names, and the name within it; that name may hold further dots. */
export function namesOf(path: string): [attribute: string, name?: string] {
  const dot = path.indexOf('.');
  const names: [string, string?] = dot < 0 ? [path] : [path.slice(0, dot), path.slice(dot + 1)];
  if (names.includes('')) throw new TypeError(`'${path}' is not a path`);
  return names;
}

export function isMap(value: Value | undefined): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The map's own attribute; names such as `constructor` are like any other. */
export function attributeOf(map: Value | undefined, name: string): Value | undefined {
  return isMap(map) && Object.hasOwn(map, name) ? map[name] : undefined;
}

/** The item's attribute at a path. */
export function valueAt(item: Attributes | undefined, path: string): Value | undefined {
  const [attribute, name] = namesOf(path);
  const value = attributeOf(item, attribute);
  return name === undefined ? value : attributeOf(value, name);
}

function ordered(
  stored: Value | undefined,
  value: string | number | boolean,
  wanted: (order: number) => boolean,
): boolean {
  if (typeof stored === 'number' && typeof value === 'number') return wanted(stored - value);
  if (typeof stored === 'string' && typeof value === 'string') {
    return wanted(Buffer.compare(Buffer.from(stored), Buffer.from(value)));
  }
  return false;
}
