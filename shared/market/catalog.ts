import { isDeepStrictEqual } from 'node:util';
import type { Market } from '#shared/exchange/venue';
import { LimitExceeded } from '#shared/platform/errors';
import { every, type Item, keyOf, type Put, type Table, type Value } from '#shared/platform/table';

/** Most symbols of a venue that users can have watched: each is polled, stored and pushed. */
export const WATCHED_PER_VENUE_MAX = 500;

/** A market of a venue as it was last listed. */
export interface StoredMarket extends Item {
  readonly kind: 'market';
  readonly symbol: string;
  readonly market: Value;
}

export interface WatchedSymbol extends Item {
  readonly kind: 'watch';
  readonly symbol: string;
}

export interface CatalogHead extends Item {
  readonly kind: 'catalog';
  readonly readAt: number;
}

const partition = (venue: string) => keyOf('VENUE', venue);
const marketKey = (venue: string, symbol: string) => ({ pk: partition(venue), sk: keyOf('MARKET', symbol) });
const watchKey = (venue: string, symbol: string) => ({ pk: partition(venue), sk: keyOf('WATCH', symbol) });
const headKey = (venue: string) => ({ pk: partition(venue), sk: 'CATALOG' });

/** What each venue trades, kept so that clients need not fetch it again, and which symbols are watched. */
export class Catalog {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async has(venue: string, symbol: string): Promise<boolean> {
    return (await this.#table.get(marketKey(venue, symbol))) !== undefined;
  }

  /** Which of these symbols the venue listed as trading when its markets were last fetched. */
  async traded(venue: string, symbols: readonly string[]): Promise<ReadonlySet<string>> {
    const keys = symbols.map((symbol) => marketKey(venue, symbol));
    return new Set((await this.#table.getMany<StoredMarket>(keys)).map(({ symbol }) => symbol));
  }

  /** When the venue's markets were last fetched, epoch ms; undefined when they never were. */
  async readAt(venue: string): Promise<number | undefined> {
    return (await this.#table.get<CatalogHead>(headKey(venue), { consistent: true }))?.readAt;
  }

  async markets(venue: string): Promise<Market[]> {
    const markets: Market[] = [];
    for await (const { market } of this.#stored(venue)) markets.push(market as unknown as Market);
    return markets;
  }

  /** Replaces the venue's markets, writing only those that differ. */
  async replace(venue: string, markets: readonly Market[], now: number): Promise<void> {
    const known = new Map<string, Value>();
    for await (const { symbol, market } of this.#stored(venue)) known.set(symbol, market);
    const puts: Put[] = [];
    for (const market of markets) {
      const listed: Value = JSON.parse(JSON.stringify(market));
      if (!isDeepStrictEqual(known.get(market.symbol), listed)) {
        const item: StoredMarket = {
          ...marketKey(venue, market.symbol),
          kind: 'market',
          symbol: market.symbol,
          market: listed,
        };
        puts.push({ put: item });
      }
      known.delete(market.symbol);
    }
    const gone = [...known.keys()].map((symbol) => ({ delete: marketKey(venue, symbol) }));
    await this.#table.writeMany([...puts, ...gone]);
    const head: CatalogHead = { ...headKey(venue), kind: 'catalog', readAt: now };
    await this.#table.put(head);
  }

  /**
   * Makes the venue's sync poll this symbol from now on.
   * @throws {LimitExceeded} {@link WATCHED_PER_VENUE_MAX} symbols are watched already
   */
  async watch(venue: string, symbol: string): Promise<void> {
    const watched: WatchedSymbol = { ...watchKey(venue, symbol), kind: 'watch', symbol };
    if ((await this.#table.get(watched)) !== undefined) return;
    if ((await this.watched(venue)).length >= WATCHED_PER_VENUE_MAX) {
      throw new LimitExceeded(`${WATCHED_PER_VENUE_MAX} symbols of ${venue} are watched already.`);
    }
    await this.#table.put(watched);
  }

  /** The watched symbols. */
  async watched(venue: string): Promise<string[]> {
    const symbols: string[] = [];
    const query = { pk: partition(venue), sk: { prefix: 'WATCH#' } };
    for await (const { symbol } of every<WatchedSymbol>(this.#table, query)) symbols.push(symbol);
    return symbols;
  }

  #stored(venue: string) {
    return every<StoredMarket>(this.#table, { pk: partition(venue), sk: { prefix: 'MARKET#' } });
  }
}
