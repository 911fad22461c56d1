import * as z from 'zod';

const limitMax = 200;
const limitDefault = 50;
/** Longer cursors fail validation; shorter ones that no list could have issued are an invalid cursor. */
const cursorTextMax = 8192;

/** The query parameters of every list. */
export const PageQuery = {
  limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault),
  cursor: z.string().max(cursorTextMax).exactOptional(),
};
/** Names of the query parameters that choose a page; all others are filters. */
export type PageField = keyof typeof PageQuery;

/** A page of a list, as callers see it. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
