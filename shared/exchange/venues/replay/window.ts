import type { RecordedCandles } from './candles.ts';

const DAY_MS = 86_400_000;
/** Volumes are summed as whole numbers of their last decimal place; up to here that, and their way back to text, is exact. */
const UNITS_MAX = 1e15;

/** The last 24 hours before a candle: those candles of which it is the last one that fits into them. */
export interface TrailingWindow {
  /** Its oldest candle; the candle itself where nothing older is in it. */
  readonly first: number;
  /** The candles before the candle with the highest high and the lowest low, undefined where there is none. */
  readonly highest: number | undefined;
  readonly lowest: number | undefined;
}

/** Figures of the last 24 hours at any candle, made ready in one pass. */
export class TrailingDay {
  readonly #candles: RecordedCandles;
  readonly #firsts: Int32Array;
  readonly #highest: Int32Array;
  readonly #lowest: Int32Array;
  /** Volume of all candles before, in units of the last decimal place. */
  readonly #volumes: Float64Array;
  readonly #decimals: number;

  constructor(candles: RecordedCandles) {
    this.#candles = candles;
    const { count } = candles;
    const highs = new Float64Array(count);
    const lows = new Float64Array(count);
    const volumes = new Float64Array(count);
    let decimals = 0;
    for (let i = 0; i < count; i++) {
      const { high, low, volume } = candles.candle(i);
      highs[i] = Number(high);
      lows[i] = -Number(low);
      volumes[i] = Number(volume);
      const point = volume.indexOf('.');
      if (point >= 0) decimals = Math.max(decimals, volume.length - point - 1);
    }
    this.#firsts = new Int32Array(count);
    for (let i = 0, first = 0; i < count; i++) {
      const from = candles.endOf(i) - DAY_MS;
      while (first < i && candles.timestamp(first) < from) first++;
      this.#firsts[i] = first;
    }
    this.#highest = maxima(highs, this.#firsts);
    this.#lowest = maxima(lows, this.#firsts);
    const total = volumes.reduce((sum, volume) => sum + volume, 0);
    this.#decimals = Math.max(0, Math.min(decimals, Math.floor(Math.log10(UNITS_MAX / Math.max(1, total)))));
    this.#volumes = new Float64Array(count + 1);
    volumes.forEach((volume, i) => {
      this.#volumes[i + 1] = at(this.#volumes, i) + Math.round(volume * 10 ** this.#decimals);
    });
  }

  window(candle: number): TrailingWindow {
    return {
      first: at(this.#firsts, candle),
      highest: known(at(this.#highest, candle)),
      lowest: known(at(this.#lowest, candle)),
    };
  }

  /** Volume of a window's candles and of the given part (0..1) of the candle itself. */
  volume(candle: number, part: number): string {
    const before = at(this.#volumes, candle);
    const own = Math.round((at(this.#volumes, candle + 1) - before) * part);
    const units = before - at(this.#volumes, at(this.#firsts, candle)) + own;
    return (units / 10 ** this.#decimals).toFixed(this.#decimals);
  }

  /** Change in percent from the window's beginning, the first price recorded where that is younger. */
  percentage(candle: number, price: string): string {
    const reference = Number(this.#candles.candle(at(this.#firsts, candle)).open);
    return String(Number((100 * (Number(price) / reference - 1)).toFixed(3)));
  }
}

/** For every position the place of the largest value from `firsts` up to the position before it; -1 where there is none. */
function maxima(values: Float64Array, firsts: Int32Array): Int32Array {
  const places = new Int32Array(values.length).fill(-1);
  // Places whose value no later one exceeds: the values fall from head to tail.
  const falling = new Int32Array(values.length);
  let head = 0;
  let tail = 0;
  for (let i = 0; i < values.length; i++) {
    while (head < tail && at(falling, head) < at(firsts, i)) head++;
    if (head < tail) places[i] = at(falling, head);
    while (head < tail && at(values, at(falling, tail - 1)) <= at(values, i)) tail--;
    falling[tail++] = i;
  }
  return places;
}

const at = (values: Float64Array | Int32Array, index: number): number => values[index] ?? Number.NaN;
const known = (place: number): number | undefined => (place < 0 ? undefined : place);
