import { InvalidCursor } from '#shared/platform/errors';
import type { Query } from '#shared/platform/table';

const positions = {
  table: ['sk'],
  // Items that share both index keys are distinguished by their own key, with which every index ends.
  gsi1: ['gsi1sk', 'pk', 'sk'],
  gsi2: ['gsi2sk', 'pk', 'sk'],
} as const;

/** The key attributes that give an item's position within its partition, most significant first. */
export const positionAttributes = ({ index }: Pick<Query, 'index'>): readonly ('sk' | 'pk' | 'gsi1sk' | 'gsi2sk')[] =>
  positions[index ?? 'table'];

/** A cursor after this position: the values of the {@link positionAttributes} of a page's last item. */
export function cursorOf(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * The position that a cursor of a query gives.
 * @throws {InvalidCursor} anything but what {@link cursorOf} makes for such a query
 */
export function positionOf(cursor: string, query: Pick<Query, 'index'>): string[] {
  const position = parsed(cursor);
  const valid =
    Array.isArray(position) &&
    position.length === positionAttributes(query).length &&
    position.every((part) => typeof part === 'string' && part !== '' && part.isWellFormed());
  // Base64 and JSON can be written in several ways; only the one that cursorOf writes is accepted.
  if (!valid || cursorOf(position) !== cursor) throw new InvalidCursor('The cursor was not given by this query');
  return position;
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
