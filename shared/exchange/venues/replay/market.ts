import type { Ticker } from '#shared/exchange/venue';
import type { Candle, RecordedCandles } from './candles.ts';
import { TrailingDay } from './window.ts';

/** Observations made of one candle: open, the two extremes, close. */
const STEPS = 4;

/**
 * The path of prices through a candle as TradingView's broker emulator assumes it: the extreme nearer to the open comes
 * first (the low where both are equally near).
 */
const pathOf = ({ open, high, low, close }: Candle): readonly string[] =>
  Number(high) - Number(open) < Number(open) - Number(low) ? [open, high, low, close] : [open, low, high, close];

/** One recorded market as a sequence of steps, four per candle, numbered from 0. */
export class RecordedMarket {
  readonly #candles: RecordedCandles;
  readonly #day: TrailingDay;

  constructor(candles: RecordedCandles) {
    this.#candles = candles;
    this.#day = new TrailingDay(candles);
  }

  get file(): string {
    return this.#candles.file;
  }

  /** Times of the first and the last step, epoch ms. */
  get firstTime(): number {
    return this.stepTime(0);
  }

  get lastTime(): number {
    return this.stepTime(this.#candles.count * STEPS - 1);
  }

  /** Open at the start of the candle, close in its last millisecond, the extremes at its thirds. */
  stepTime(step: number): number {
    const index = Math.floor(step / STEPS);
    const place = step % STEPS;
    const start = this.#candles.timestamp(index);
    const durationMs = this.#candles.endOf(index) - start;
    return start + (place === STEPS - 1 ? durationMs - 1 : Math.floor((place * durationMs) / (STEPS - 1)));
  }

  /** How many steps there are up to a moment, itself included. */
  stepsUntil(timestamp: number): number {
    const candle = this.#candles.indexAt(timestamp);
    if (candle < 0) return 0;
    let step = candle * STEPS;
    while (step < (candle + 1) * STEPS && this.stepTime(step) <= timestamp) step++;
    return step;
  }

  /** Trading within a candle is taken as even, so that its volume arrives in thirds. */
  step(step: number): Ticker {
    const index = Math.floor(step / STEPS);
    const place = step % STEPS;
    const path = pathOf(this.#candles.candle(index));
    const last = path[place] ?? '';
    const { highest, lowest } = this.#day.window(index);
    const soFar = path.slice(0, place + 1);
    return {
      symbol: this.#candles.symbol,
      last,
      bid: null,
      ask: null,
      high: most(highest === undefined ? soFar : [this.#candles.candle(highest).high, ...soFar], 1),
      low: most(lowest === undefined ? soFar : [this.#candles.candle(lowest).low, ...soFar], -1),
      baseVolume: this.#day.volume(index, place / (STEPS - 1)),
      percentage: this.#day.percentage(index, last),
      timestamp: this.stepTime(step),
    };
  }
}

/** The largest (sign 1) or the smallest (sign -1) of some prices. */
const most = (prices: readonly string[], sign: 1 | -1): string =>
  prices.reduce((best, price) => (sign * Number(price) > sign * Number(best) ? price : best));
