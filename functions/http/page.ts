import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Page } from '#shared/platform/table';
import { HttpProblem } from './problem.ts';

const limitMax = 200;
const limitDefault = 50;
const cursorLengthMax = 2048;
/** A cursor that is too long for any list is told to be none; one beyond this is not looked at. */
const cursorTextMax = 8192;

/** The query parameters that every list has. */
export const PageQuery = {
  limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault),
  cursor: z.string().max(cursorTextMax).exactOptional(),
};

export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

/**
 * Cursors as callers see them: the table's own, with a checksum over the list it belongs to, so that one that was
 * damaged or belongs to another list is refused. It needs no secret: a cursor moves only within the partition that the
 * server chose for the caller.
 */
export const openCursor = (list: string, cursor: string | undefined): { cursor?: string } => {
  if (cursor === undefined) return {};
  const inner = cursor.slice(0, cursor.lastIndexOf('.'));
  if (cursor.length > cursorLengthMax || cursor !== sealed(list, inner)) {
    throw new HttpProblem('invalid-cursor', 'Use the nextCursor of the page before, with the same filters, or none.');
  }
  return { cursor: inner };
};

/** A page as callers see it. `list` names the list and its filters. */
export const pageOf = <T>(list: string, items: T[], cursor: Page['cursor']) => ({
  items,
  nextCursor: cursor === undefined ? null : sealed(list, cursor),
});

const sealed = (list: string, inner: string): string =>
  `${inner}.${createHash('sha256').update(`${list}\n${inner}`).digest('base64url').slice(0, 16)}`;
