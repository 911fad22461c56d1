import type { ListPage, PageRequest } from '#shared/model/page';
import { InvalidCursor, InvalidInput, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { Catalog } from './catalog.ts';
import type { PriceQuote } from './price-quote.ts';
import { priceQuoteOf, type StoredTicker, Tickers } from './tickers.ts';
import { freshnessOf, readVenueStatus } from './venue-status.ts';

/** Separates the venue of a cursor from the cursor within that venue. */
const separator = '.';

/** The newest prices of the watched venues, with their age. */
export class Prices {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'config'>;
  readonly #tickers: Tickers;
  readonly #catalog: Catalog;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'config'>) {
    this.#ports = ports;
    this.#tickers = new Tickers(ports.table);
    this.#catalog = new Catalog(ports.table);
  }

  /**
   * All prices by symbol, one venue after the other. A page ends with its venue at the latest.
   * @param venue undefined: every watched venue
   * @throws {InvalidInput} the venue is not watched
   * @throws {InvalidCursor}
   */
  async list(venue: string | undefined, { limit, cursor }: PageRequest): Promise<ListPage<PriceQuote>> {
    const venues = this.#watched(venue);
    const { index, inner } = placeOf(venues, cursor);
    const current = venues[index];
    if (current === undefined) throw new InvalidCursor('The cursor names no venue of this list.');
    const page = await this.#tickers.page(current, limit, inner);
    const following = page.cursor === undefined ? venues[index + 1] : current;
    return {
      items: await this.#quoted(current, page.items),
      ...(following !== undefined && { cursor: `${following}${separator}${page.cursor ?? ''}` }),
    };
  }

  /**
   * The prices of some symbols at every venue that trades them. A symbol that is traded but has no price yet is left out.
   * @param venue undefined: every watched venue
   * @throws {InvalidInput} the venue is not watched, or no venue trades one of the symbols
   * @throws {Unavailable} whether a symbol is traded is not known yet
   * @throws {InvalidCursor}
   */
  async ofSymbols(
    symbols: readonly string[],
    venue: string | undefined,
    { limit, cursor = '0' }: PageRequest,
  ): Promise<ListPage<PriceQuote>> {
    if (!/^\d{1,6}$/.test(cursor)) throw new InvalidCursor('The cursor was not issued by this list.');
    const venues = this.#watched(venue);
    const found = await Promise.all(
      venues.map(async (id) => this.#quoted(id, await this.#tickers.ofMany(id, symbols))),
    );
    const prices = found.flat();
    const priced = new Set(prices.map(({ symbol }) => symbol));
    for (const symbol of symbols) if (!priced.has(symbol)) await this.#checkTraded(symbol, venues);
    const start = Number(cursor);
    const end = start + limit;
    return { items: prices.slice(start, end), ...(end < prices.length && { cursor: String(end) }) };
  }

  async #checkTraded(symbol: string, venues: readonly string[]): Promise<void> {
    const traded = await Promise.all(venues.map((venue) => this.#catalog.has(venue, symbol)));
    if (traded.includes(true)) return;
    for (const venue of venues) {
      if ((await this.#catalog.readAt(venue)) === undefined) {
        throw new Unavailable(`The markets of ${venue} have not been read yet; try again in a moment.`);
      }
    }
    throw new InvalidInput('symbols', `${symbol} is not traded at ${venues.join(' or ')}.`);
  }

  async #quoted(venue: string, tickers: readonly StoredTicker[]): Promise<PriceQuote[]> {
    const { table, clock, config } = this.#ports;
    const status = await readVenueStatus(table, venue);
    return tickers.map((ticker) => {
      const { stale, confirmedAt } = freshnessOf(status, ticker, clock.now(), config.market.syncSeconds);
      return priceQuoteOf(ticker, stale, confirmedAt);
    });
  }

  #watched(venue: string | undefined): readonly string[] {
    const { venues } = this.#ports.config.market;
    if (venue === undefined) return venues;
    if (venues.includes(venue)) return [venue];
    throw new InvalidInput('venue', `Prices of ${venue} are not watched here; choose ${venues.join(' or ')}.`);
  }
}

/** The venue at which a page starts, −1 where it is none of these, and the cursor within it. */
const placeOf = (venues: readonly string[], cursor: string | undefined) => {
  if (cursor === undefined) return { index: 0, inner: undefined };
  const index = venues.findIndex((venue) => cursor.startsWith(venue + separator));
  const inner = cursor.slice(cursor.indexOf(separator) + separator.length);
  return { index, inner: inner === '' ? undefined : inner };
};
