import { Factor } from './factor.ts';
import { ASSETS, type Asset, INSTRUMENTS, type Instrument, MARKET_VOLATILITY } from './instruments.ts';
import { draw, gaussian, keyOf } from './noise.ts';
import { BLOCK_DAYS, DAY_MS, LEAVES_OF_SPAN, placeOf, SPAN_MS, TradingTime } from './trading-time.ts';

/** After this time half of a distance from the central price is left, on average. */
const HALF_LIFE_DAYS = 180;
/** Leaves over which the speed of trading is measured for the spread: 84 seconds. */
const SPREAD_LEAVES = 64;
/** How much the volume of one market differs from day to day beside what trading time says (of its logarithm). */
const VOLUME_SPREAD = 0.3;
/** Spans whose paths are kept: those at both ends of the day that a quote looks back on, and their neighbours. */
const PATHS_MAX = 4;
/** Spans whose extremes are kept: two days. */
const EXTREMES_MAX = 64;

/** One market at one moment. Floating point: it is a model. */
export interface Quote {
  readonly price: number;
  /** Difference of ask and bid. */
  readonly spread: number;
  /** Extremes, base volume and change in percent of the last 24 hours; `low <= price <= high`. */
  readonly high: number;
  readonly low: number;
  readonly volume: number;
  readonly percentage: number;
}

/** Logarithms of price of every instrument at every knot of a span, and the trading time there. */
interface Paths {
  readonly time: Float64Array;
  readonly levels: readonly Float64Array[];
}

/** Highest and lowest logarithm of price of every instrument in a span. */
interface Extremes {
  readonly highs: Float64Array;
  readonly lows: Float64Array;
}

/**
 * A market that is a function of seed, symbol and time: no state, any moment in any order, and every process sees the same.
 * Log prices are correlated through a common factor; every factor is multifractal with jumps. What is kept
 * between calls is only what was computed already, and little of it.
 */
export class SimulatedMarket {
  readonly #time: TradingTime;
  readonly #market: Factor;
  readonly #own: ReadonlyMap<string, Factor>;
  readonly #volumeKeys: readonly number[];
  readonly #paths = new Map<number, Paths>();
  readonly #extremes = new Map<number, Extremes>();

  constructor(seed: string) {
    const persistence = 2 ** (-BLOCK_DAYS / HALF_LIFE_DAYS);
    this.#time = new TradingTime(seed);
    this.#market = new Factor(seed, 'market', MARKET_VOLATILITY, persistence);
    this.#own = new Map(
      ASSETS.map(({ name, volatility, beta }) => {
        const own = Math.sqrt(volatility ** 2 - (beta * MARKET_VOLATILITY) ** 2);
        // A stablecoin forgets where it was: it is redeemed at one.
        return [name, new Factor(seed, name, own, beta === 0 ? 0 : persistence)];
      }),
    );
    this.#volumeKeys = INSTRUMENTS.map(({ symbol }) => keyOf(`${seed}/volume/${symbol}`));
  }

  /**
   * @param instrument position in {@link INSTRUMENTS}
   * @param timestamp epoch ms
   */
  price(instrument: number, timestamp: number): number {
    return Math.exp(this.#level(instrument, timestamp));
  }

  /** Like {@link price}, with the spread and the figures of the last 24 hours. */
  quote(instrument: number, timestamp: number): Quote {
    const level = this.#level(instrument, timestamp);
    const dayAgo = this.#level(instrument, timestamp - DAY_MS);
    const { high, low } = this.#range(instrument, timestamp - DAY_MS, timestamp);
    const price = Math.exp(level);
    const { spreadBasisPoints = 0, dailyVolume = 0 } = INSTRUMENTS[instrument] ?? {};
    const traded = this.#tradingTime(timestamp) - this.#tradingTime(timestamp - DAY_MS);
    return {
      price,
      spread: price * spreadBasisPoints * 1e-4 * Math.sqrt(this.#speed(timestamp)),
      high: Math.exp(Math.max(high, level, dayAgo)),
      low: Math.exp(Math.min(low, level, dayAgo)),
      // Volume is proportional to trading time (Clark 1973), so that it rises and falls with volatility.
      volume: dailyVolume * traded * this.#interest(instrument, timestamp),
      percentage: 100 * Math.expm1(level - dayAgo),
    };
  }

  #level(instrument: number, timestamp: number): number {
    const { span, leaves } = placeOf(timestamp);
    return interpolate(levelsOf(this.#pathsOf(span), instrument), leaves);
  }

  #tradingTime(timestamp: number): number {
    const { span, leaves } = placeOf(timestamp);
    return interpolate(this.#pathsOf(span).time, leaves);
  }

  /** How fast trading time passes, 1 on average. */
  #speed(timestamp: number): number {
    const { span, leaves } = placeOf(timestamp);
    const { time } = this.#pathsOf(span);
    const first = Math.floor(leaves / SPREAD_LEAVES) * SPREAD_LEAVES;
    const days = (SPREAD_LEAVES / LEAVES_OF_SPAN) * (SPAN_MS / DAY_MS);
    return (at(time, first + SPREAD_LEAVES) - at(time, first)) / days;
  }

  #interest(instrument: number, timestamp: number): number {
    const key = this.#volumeKeys[instrument] ?? 0;
    const day = Math.floor(timestamp / DAY_MS);
    const before = gaussian(draw(key, day));
    const after = gaussian(draw(key, day + 1));
    return Math.exp(VOLUME_SPREAD * (before + (after - before) * (timestamp / DAY_MS - day)));
  }

  /** Extremes at the knots from one moment to another. Between knots paths are straight, so there are no others. */
  #range(instrument: number, from: number, to: number): { readonly high: number; readonly low: number } {
    const first = placeOf(from);
    const last = placeOf(to);
    const oldest = levelsOf(this.#pathsOf(first.span), instrument);
    const newest = levelsOf(this.#pathsOf(last.span), instrument);
    let { high, low } = extremesOf(oldest, Math.ceil(first.leaves), LEAVES_OF_SPAN);
    for (let span = first.span + 1; span < last.span; span++) {
      const { highs, lows } = this.#extremesOf(span);
      high = Math.max(high, at(highs, instrument));
      low = Math.min(low, at(lows, instrument));
    }
    const end = extremesOf(newest, 0, Math.floor(last.leaves));
    return { high: Math.max(high, end.high), low: Math.min(low, end.low) };
  }

  #pathsOf(span: number): Paths {
    return remembered(this.#paths, PATHS_MAX, span, () => this.#compute(span));
  }

  #extremesOf(span: number): Extremes {
    return remembered(this.#extremes, EXTREMES_MAX, span, () => {
      const { levels } = this.#paths.get(span) ?? this.#compute(span);
      const ranges = levels.map((path) => extremesOf(path, 0, LEAVES_OF_SPAN));
      return {
        highs: Float64Array.from(ranges, ({ high }) => high),
        lows: Float64Array.from(ranges, ({ low }) => low),
      };
    });
  }

  #compute(index: number): Paths {
    const span = this.#time.span(index);
    const market = this.#market.path(span);
    const assets = new Map<string, Float64Array>();
    for (const asset of ASSETS) {
      const path = this.#own.get(asset.name)?.path(span);
      if (path !== undefined) assets.set(asset.name, addMarket(path, asset, market));
    }
    return { time: span.time, levels: INSTRUMENTS.map((instrument) => quotient(instrument, assets)) };
  }
}

/** Turns an asset's own path into its logarithms of price, in place. */
function addMarket(path: Float64Array, { price, beta }: Asset, market: Float64Array): Float64Array {
  const center = Math.log(price);
  for (let knot = 0; knot < path.length; knot++) path[knot] = center + beta * at(market, knot) + at(path, knot);
  return path;
}

/** A pair's price is the quotient of its assets' prices, so that no round trip through three markets gains. */
function quotient({ base, quote }: Instrument, assets: ReadonlyMap<string, Float64Array>): Float64Array {
  const path = assets.get(base) ?? new Float64Array();
  const denominator = assets.get(quote);
  return denominator === undefined ? path : path.map((level, knot) => level - at(denominator, knot));
}

/** Reads an element that is known to exist; NaN would show the mistake. */
const at = (values: Float64Array, index: number): number => values[index] ?? Number.NaN;

const levelsOf = (paths: Paths, instrument: number): Float64Array => {
  const levels = paths.levels[instrument];
  if (levels === undefined) throw new RangeError(`There is no instrument ${instrument}`);
  return levels;
};

const interpolate = (path: Float64Array, leaves: number): number => {
  const knot = Math.floor(leaves);
  const from = at(path, knot);
  return from + (leaves - knot) * (at(path, knot + 1) - from);
};

const extremesOf = (
  path: Float64Array,
  first: number,
  last: number,
): { readonly high: number; readonly low: number } => {
  let high = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  for (let knot = first; knot <= last; knot++) {
    const level = at(path, knot);
    if (level > high) high = level;
    if (level < low) low = level;
  }
  return { high, low };
};

/** The value under a key, computed when it is missing; the least recently used value is evicted. */
function remembered<V>(values: Map<number, V>, max: number, key: number, compute: () => V): V {
  const known = values.get(key);
  if (known !== undefined) {
    values.delete(key);
    values.set(key, known);
    return known;
  }
  const value = compute();
  values.set(key, value);
  for (const oldest of values.keys()) {
    if (values.size <= max) break;
    values.delete(oldest);
  }
  return value;
}
