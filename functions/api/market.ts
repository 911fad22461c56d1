import { api, ok, on } from '#functions/http/api';
import { openCursor, pageOf } from '#functions/http/page';
import { Catalog } from '#shared/market/catalog';
import { priceQuoteOf, type StoredTicker, Tickers } from '#shared/market/tickers';
import { freshnessOf, readVenueStatus } from '#shared/market/venue-status';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { InvalidCursor, InvalidInput, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import * as routes from './market.routes.ts';

/** A venue's place in the list of venues, as cursors write it. */
const place = (index: number): string => String(index).padStart(2, '0');

export const createMarketApi = (platform: Platform) => {
  const { table, clock, config } = platform;
  const tickers = new Tickers(table);
  const catalog = new Catalog(table);

  const priced = async (venue: string, found: readonly StoredTicker[]) => {
    const status = await readVenueStatus(table, venue);
    return found.map((ticker) => {
      const { stale, confirmedAt } = freshnessOf(status, ticker, clock.now(), config.marketSyncSeconds);
      return priceQuoteOf(ticker, stale, confirmedAt);
    });
  };

  /** The tickers of named symbols; a symbol that no venue asked trades is a mistake. */
  const named = async (venues: readonly string[], symbols: readonly string[]) => {
    const byVenue = await Promise.all(venues.map(async (venue) => priced(venue, await tickers.ofMany(venue, symbols))));
    const prices = byVenue.flat();
    for (const symbol of symbols) {
      if (prices.some((price) => price.symbol === symbol)) continue;
      const traded = await Promise.all(venues.map((venue) => catalog.has(venue, symbol)));
      if (traded.includes(true)) continue;
      for (const venue of venues) {
        if ((await catalog.readAt(venue)) === undefined) {
          throw new Unavailable(`The markets of ${venue} have not been read yet; try again in a moment.`);
        }
      }
      throw new InvalidInput('symbols', `${venues.join(' and ')} does not trade ${symbol}.`);
    }
    return prices;
  };

  return api(platform, [
    on(routes.getPrices, async ({ query: { venue, symbols, limit, cursor } }) => {
      if (venue !== undefined && !config.venues.includes(venue)) {
        throw new InvalidInput(
          'venue',
          `Prices of ${venue} are not watched here; choose ${config.venues.join(' or ')}.`,
        );
      }
      const venues = venue === undefined ? config.venues : [venue];
      if (symbols !== undefined) {
        const list = `prices ${venues.join()} ${symbols.join()}`;
        const start = Number(openCursor(list, cursor).cursor ?? 0);
        const prices = await named(venues, symbols);
        const end = start + limit;
        return ok(pageOf(list, prices.slice(start, end), end < prices.length ? String(end) : undefined));
      }
      const list = `prices ${venues.join()}`;
      const opened = openCursor(list, cursor).cursor;
      // Page by page through one venue after the other: the cursor names the venue it stands in.
      const at = opened === undefined ? 0 : venues.findIndex((_, index) => opened.startsWith(place(index)));
      const inner = opened?.slice(place(0).length);
      const current = venues[at];
      if (current === undefined) throw new InvalidCursor('The cursor names no venue that is watched.');
      const page = await tickers.page(current, limit, inner || undefined);
      const following = at + 1 < venues.length ? place(at + 1) : undefined;
      const next = page.cursor === undefined ? following : place(at) + page.cursor;
      return ok(pageOf(list, await priced(current, page.items), next));
    }),
  ]);
};

export const handler = onLambda(createMarketApi);
