import type { Exchange } from 'ccxt';
import { VenueError } from '#shared/exchange/errors';

/** Most pages of one list. */
const pagesMax = 40;

interface Marked {
  readonly info?: { readonly nextPageCursor?: unknown; readonly cursor?: unknown };
}

/** The mark that ccxt leaves in the first entry of a page, where there are more. */
const nextPage = (natives: readonly Marked[]): string | undefined =>
  natives
    .map(({ info }) => info?.nextPageCursor ?? info?.cursor)
    .find((cursor): cursor is string => typeof cursor === 'string' && cursor !== '');

/**
 * All pages of a list, one after the other, where the venue marks that there are more.
 * @param read a page, from a mark on where it is given one
 */
export const readPages = async <T extends Marked>(
  exchange: Exchange,
  read: (from: { readonly cursor?: string }) => Promise<readonly T[]>,
): Promise<T[]> => {
  const found: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const natives = await read(cursor === undefined ? {} : { cursor });
    found.push(...natives);
    cursor = nextPage(natives);
    if (cursor === undefined) return found;
  }
  // A partial list would pass for the whole.
  throw new VenueError(exchange.id, 'unknown', `${exchange.id} lists more entries at once than can be read`);
};
