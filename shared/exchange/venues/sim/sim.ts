import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import type { Clock } from '#shared/platform/ports';
import { INSTRUMENTS, type Instrument } from './instruments.ts';
import { SimulatedMarket } from './market.ts';

/** Decimal places of a volume. */
const VOLUME_DECIMALS = 3;
/** Decimal places of a change in percent. */
const PERCENTAGE_DECIMALS = 3;
/** Lowest price, so that the bid below it is one, too. */
const PRICE_TICKS_MIN = 2;

/**
 * A venue with simulated prices: plausible, moving every second, and determined by the seed.
 * @param seed any text; the same gives the same market in every process
 */
export function createSim({ seed, clock }: { readonly seed: string; readonly clock: Clock }): Venue {
  const simulation = new SimulatedMarket(seed);
  const positions = new Map(INSTRUMENTS.map(({ symbol }, position) => [symbol, position]));
  return {
    id: 'sim',
    source: 'simulated',
    series: `seed ${seed}`,
    markets: async () => INSTRUMENTS.map(marketOf),
    useMarkets: () => {},
    tickers: async (symbols) => {
      const now = clock.now();
      return [...new Set(symbols)].flatMap((symbol) => {
        const position = positions.get(symbol);
        const instrument = INSTRUMENTS[position ?? -1];
        return position === undefined || instrument === undefined
          ? []
          : [tickerOf(simulation, position, instrument, now)];
      });
    },
  };
}

const marketOf = ({ symbol, base, quote }: Instrument): Market => ({
  symbol,
  id: `${base}${quote}`,
  base,
  quote,
  type: 'spot',
  active: true,
});

function tickerOf(simulation: SimulatedMarket, position: number, instrument: Instrument, now: number): Ticker {
  const quote = simulation.quote(position, now);
  const scale = 10 ** instrument.decimals;
  const ticks = (price: number): number => Math.max(PRICE_TICKS_MIN, Math.round(price * scale));
  const text = (count: number): string => (count / scale).toFixed(instrument.decimals);
  const last = ticks(quote.price);
  const spread = Math.max(1, Math.round(quote.spread * scale));
  const bid = Math.max(1, last - Math.floor(spread / 2));
  return {
    symbol: instrument.symbol,
    last: text(last),
    bid: text(bid),
    ask: text(Math.max(last, bid + spread)),
    high: text(ticks(quote.high)),
    low: text(ticks(quote.low)),
    baseVolume: quote.volume.toFixed(VOLUME_DECIMALS),
    percentage: String(Number(quote.percentage.toFixed(PERCENTAGE_DECIMALS))),
    timestamp: now,
  };
}
