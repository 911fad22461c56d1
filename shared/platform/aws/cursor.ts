import { InvalidCursor } from '../errors.ts';
import type { Query } from '../table.ts';

/** A place in a query: the last key that was read, as DynamoDB gives and takes it. */
export type Position = Readonly<Record<string, unknown>>;

/**
 * Names a position within a query's partition. The partition itself is not part of a table cursor and is always taken
 * from the query, so that no cursor leads out of it; on an index the item's own key tells items of one index key apart.
 */
export const cursorOf = (index: Query['index'], position: Position): string => {
  const named = index === undefined ? [position.sk] : [position[`${index}sk`], position.pk, position.sk];
  return Buffer.from(JSON.stringify(named)).toString('base64url');
};

/** @throws {InvalidCursor} it is not one that {@link cursorOf} makes for such a query */
export const positionOf = ({ index, pk }: Query, cursor: string): Position => {
  const named = namesOf(cursor);
  const [first, itemPk, itemSk] = named;
  if (index === undefined && named.length === 1) return { pk, sk: first };
  if (index !== undefined && named.length === 3) {
    return { [`${index}pk`]: pk, [`${index}sk`]: first, pk: itemPk, sk: itemSk };
  }
  throw new InvalidCursor('The cursor belongs to another query');
};

const namesOf = (cursor: string): string[] => {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length > 0 && bytes.toString('base64url') === cursor) {
    const names = parsed(bytes.toString());
    if (Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '')) return names;
  }
  throw new InvalidCursor('The cursor is damaged');
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
