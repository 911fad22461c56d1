import { InvalidCursor } from '#shared/platform/errors';

/** A cursor that says where a page ended: the key strings of its last item within the partition. */
export function cursorOf(position: readonly string[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * @param length how many key strings the position has
 * @throws {InvalidCursor} anything but what {@link cursorOf} gives
 */
export function positionOf(cursor: string, length: number): string[] {
  const position = parsed(cursor);
  const valid =
    Array.isArray(position) &&
    position.length === length &&
    position.every((part) => typeof part === 'string' && part !== '' && part.isWellFormed());
  // Base64 and JSON can be written in several ways; only one of them is ours.
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
