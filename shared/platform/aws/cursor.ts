import { positionOf as attributesIn, cursorOf as cursorAfter, positionAttributes } from '../items/cursor.ts';
import type { Query } from '../table.ts';

/** A place in a query: the last key that was read, as DynamoDB gives and takes it. */
export type Position = Readonly<Record<string, unknown>>;

/**
 * Names a position within a query's partition. The partition itself is not part of a cursor and is always taken from the
 * query, so that no cursor leads out of it.
 */
export const cursorOf = (query: Pick<Query, 'index'>, position: Position): string =>
  cursorAfter(positionAttributes(query).map((attribute) => position[attribute]));

/** @throws {InvalidCursor} it is not one that {@link cursorOf} makes for such a query */
export const positionOf = (query: Query, cursor: string): Position => {
  const values = attributesIn(cursor, query);
  const partition = query.index === undefined ? 'pk' : `${query.index}pk`;
  return {
    [partition]: query.pk,
    ...Object.fromEntries(positionAttributes(query).map((attribute, index) => [attribute, values[index]])),
  };
};
