import { Catalog } from '#shared/market/catalog';
import { type StoredTicker, Tickers } from '#shared/market/tickers';
import { freshnessOf, readVenueStatus, type VenueStatus } from '#shared/market/venue-status';
import type { Platform } from '#shared/platform/ports';
import type { Waiting } from './alert.ts';
import type { TradedSymbol } from './conditions/condition.ts';
import { type Condition, kindOf } from './conditions/conditions.ts';
import { isActive, type StoredAlert } from './stored.ts';

type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;

/** What is known about some symbols of a venue. */
interface VenueCheck {
  readonly status: VenueStatus | undefined;
  /** The waiting reasons of the symbols checked so far. */
  readonly waiting: Map<string, Waiting | undefined>;
}

/**
 * Which alerts wait because a price that they need is missing, stale or no longer made. Use one per request: it reads
 * each venue's status once, and the tickers and markets of new symbols in one batch each.
 */
export class PriceChecks {
  readonly #ports: Ports;
  readonly #tickers: Tickers;
  readonly #catalog: Catalog;
  readonly #venues = new Map<string, VenueCheck>();

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#tickers = new Tickers(ports.table);
    this.#catalog = new Catalog(ports.table);
  }

  /** Why an alert with this condition can't fire at present; undefined when it can. */
  async of(condition: Condition): Promise<Waiting | undefined> {
    return (await this.#ofAll([condition]))[0];
  }

  /** Why an alert can't fire at present; undefined when it can, or when it isn't active. */
  async ofAlert(alert: StoredAlert): Promise<Waiting | undefined> {
    return (await this.ofAlerts([alert]))[0];
  }

  /** {@link ofAlert} of several alerts, in their order. */
  async ofAlerts(alerts: readonly StoredAlert[]): Promise<readonly (Waiting | undefined)[]> {
    const now = this.#ports.clock.now();
    return await this.#ofAll(alerts.map((alert) => (isActive(alert, now) ? alert.condition : undefined)));
  }

  async #ofAll(conditions: readonly (Condition | undefined)[]): Promise<readonly (Waiting | undefined)[]> {
    const markets = conditions.map((each) => (each === undefined ? [] : kindOf(each).markets(each)));
    await Promise.all(
      [...Map.groupBy(markets.flat(), ({ venue }) => venue)].map(([venue, all]) => this.#check(venue, all)),
    );
    return markets.map((needed) => {
      const found = needed.map(({ venue, symbol }) => this.#venues.get(venue)?.waiting.get(symbol));
      return found.find((waiting) => waiting !== undefined);
    });
  }

  async #check(venue: string, markets: readonly TradedSymbol[]): Promise<void> {
    const known = this.#venues.get(venue);
    const symbols = [...new Set(markets.map(({ symbol }) => symbol))].filter((one) => known?.waiting.has(one) !== true);
    if (symbols.length === 0) return;
    const [status, tickers, traded] = await Promise.all([
      known === undefined ? readVenueStatus(this.#ports.table, venue) : known.status,
      this.#tickers.ofMany(venue, symbols),
      this.#catalog.traded(venue, symbols),
    ]);
    // A venue whose markets were never fetched says nothing about what it trades.
    const isListRead = traded.size === symbols.length || (await this.#catalog.readAt(venue)) !== undefined;
    const check = known ?? { status, waiting: new Map() };
    this.#venues.set(venue, check);
    for (const symbol of symbols) {
      const ticker = tickers.find((each) => each.symbol === symbol);
      const isGone = isListRead && !traded.has(symbol);
      check.waiting.set(
        symbol,
        isGone ? notTraded({ venue, symbol }) : this.#waitingFor({ venue, symbol }, ticker, status),
      );
    }
  }

  #waitingFor(
    { venue, symbol }: TradedSymbol,
    ticker: StoredTicker | undefined,
    status: VenueStatus | undefined,
  ): Waiting | undefined {
    const { clock, config } = this.#ports;
    if (ticker === undefined) {
      return { reason: `There is no price of ${symbol} at ${venue} yet.`, reasonCode: 'no-price' };
    }
    const { stale, confirmedAt } = freshnessOf(status, ticker, clock.now(), config.market.syncSeconds);
    if (!stale) return undefined;
    const since = confirmedAt === null ? '' : ` since ${new Date(confirmedAt).toISOString()}`;
    return { reason: `The price of ${symbol} at ${venue} has not been confirmed${since}.`, reasonCode: 'stale-price' };
  }
}

const notTraded = ({ venue, symbol }: TradedSymbol): Waiting => ({
  reason: `${venue} does not trade ${symbol} at present: it is halted or delisted.`,
  reasonCode: 'not-traded',
});
