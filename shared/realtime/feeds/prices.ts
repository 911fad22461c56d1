import type { Channel } from '#shared/connections/channel';
import { Catalog } from '#shared/market/catalog';
import { tickerKind } from '#shared/market/items';
import { priceQuoteOf, type StoredTicker, Tickers } from '#shared/market/tickers';
import { freshnessOf, readVenueStatus } from '#shared/market/venue-status';
import type { Change } from '#shared/platform/table';
import { onChange, type StateUpdate } from '../feed.ts';
import type { FeedPorts } from '../feed-ports.ts';
import { Refusal } from '../refusal.ts';
import { stateFeed } from '../state-feed.ts';

type PriceChannel = Channel & { readonly venue: string; readonly symbol: string };

const priceChannel = (venue: string, symbol: string): PriceChannel => ({
  ...{ privacy: 'public', name: `prices:${venue}:${symbol}` },
  ...{ venue, symbol },
});

const updateOf = ({ after }: Change<StoredTicker>): StateUpdate | undefined =>
  after && { channel: priceChannel(after.venue, after.symbol), seq: after.version, data: priceQuoteOf(after, false) };

/** The newest price of a symbol, `prices:binance:BTC/USDT`; numbered by the ticker's version. */
export const pricesFeed = (ports: FeedPorts) => {
  const { table, clock, config } = ports;
  const tickers = new Tickers(table);
  const catalog = new Catalog(table);
  return stateFeed<PriceChannel>(ports, {
    syntax: 'prices:<venue>:<symbol>',

    parse(name) {
      const match = /^prices:(?<venue>[a-z0-9]{2,32}):(?<symbol>[^\s#\p{Surrogate}]{3,64})$/u.exec(name);
      const { venue, symbol } = match?.groups ?? {};
      return venue === undefined || symbol === undefined ? undefined : priceChannel(venue, symbol);
    },

    /** The symbol is watched from now on. */
    async open({ venue, symbol }) {
      if (!(await catalog.has(venue, symbol))) {
        throw new Refusal('invalid-input', `${venue} does not trade ${symbol}.`);
      }
      if (!config.market.symbols.includes(symbol)) await catalog.watch(venue, symbol);
    },

    async current({ venue, symbol }) {
      const ticker = await tickers.of(venue, symbol, { consistent: true });
      return {
        seq: ticker?.version ?? 0,
        async snapshot() {
          if (ticker === undefined) return null;
          const status = await readVenueStatus(table, venue);
          const { stale, confirmedAt } = freshnessOf(status, ticker, clock.now(), config.market.syncSeconds);
          return priceQuoteOf(ticker, stale, confirmedAt);
        },
        update: () => (ticker === undefined ? null : priceQuoteOf(ticker, false)),
      };
    },

    updates: [onChange(tickerKind, updateOf)],
  });
};
