import type { Timeframe } from './timeframe.ts';

/** One candle of a file; the strings are exact. */
export interface Candle {
  /** Start, epoch ms. */
  readonly timestamp: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

/** Rows whose text is packed together while a file is read. */
const PACKED_ROWS = 1024;

/** The candles of one market, kept as one text and the offsets of its rows, so that millions of them fit. */
export class RecordedCandles {
  /** Where they came from, for messages. */
  readonly file: string;
  readonly symbol: string;
  readonly #timeframe: Timeframe;
  /** What was assumed while the file was read, and the gaps in it, for people. */
  readonly notes: readonly string[];
  readonly #times: Float64Array;
  /** Rows `open,high,low,close,volume`, one after the other. */
  readonly #text: Buffer;
  /** Where every row ends in the text. */
  readonly #ends: Uint32Array;

  constructor(file: string, symbol: string, timeframe: Timeframe, rows: CandleRows, notes: readonly string[] = []) {
    this.file = file;
    this.symbol = symbol;
    this.#timeframe = timeframe;
    this.notes = notes;
    ({ times: this.#times, text: this.#text, ends: this.#ends } = rows.pack());
  }

  /** As ccxt writes it: `1m`, `4h`, `1M`. */
  get timeframe(): string {
    return this.#timeframe.name;
  }

  /** At least one. */
  get count(): number {
    return this.#times.length;
  }

  /** Start of a candle, epoch ms. @param index 0..count - 1 */
  timestamp(index: number): number {
    return this.#times[index] ?? Number.NaN;
  }

  /** End of a candle, epoch ms: that of its timeframe, at the latest the start of the next one. @param index 0..count - 1 */
  endOf(index: number): number {
    return Math.min(this.#timeframe.endOf(this.timestamp(index)), this.#times[index + 1] ?? Number.POSITIVE_INFINITY);
  }

  /** @param index 0..count - 1 */
  candle(index: number): Candle {
    const text = this.#text.toString('latin1', this.#ends[index - 1] ?? 0, this.#ends[index]);
    const [open = '', high = '', low = '', close = '', volume = ''] = text.split(',');
    return { timestamp: this.timestamp(index), open, high, low, close, volume };
  }

  /** The last candle that starts at or before a moment, -1 where there is none. */
  indexAt(timestamp: number): number {
    let before = -1;
    let after = this.count;
    while (after - before > 1) {
      const middle = (before + after) >>> 1;
      if (this.timestamp(middle) <= timestamp) before = middle;
      else after = middle;
    }
    return before;
  }
}

/** Rows of candles while they are collected. */
export class CandleRows {
  #times: number[] = [];
  readonly #ends: number[] = [];
  readonly #packed: Buffer[] = [];
  #loose: string[] = [];
  #length = 0;

  get count(): number {
    return this.#times.length;
  }

  /** Starts of the rows in the order in which they were added, epoch ms. */
  get times(): readonly number[] {
    return this.#times;
  }

  /** Replaces the starts of the rows. @param times as many as there are rows, ascending or descending */
  moveTo(times: readonly number[]): void {
    this.#times = [...times];
  }

  add(timestamp: number, values: readonly string[]): void {
    const row = values.join(',');
    this.#length += row.length;
    this.#times.push(timestamp);
    this.#ends.push(this.#length);
    if (this.#loose.push(row) === PACKED_ROWS) this.#packLoose();
  }

  /** The rows, oldest first. */
  pack(): { readonly times: Float64Array; readonly text: Buffer; readonly ends: Uint32Array } {
    this.#packLoose();
    const text = Buffer.concat(this.#packed);
    const isDescending = (this.#times[0] ?? 0) > (this.#times.at(-1) ?? 0);
    if (!isDescending) return { times: Float64Array.from(this.#times), text, ends: Uint32Array.from(this.#ends) };
    const reversed = Buffer.allocUnsafe(text.length);
    const ends = new Uint32Array(this.count);
    let end = 0;
    for (let row = this.count - 1; row >= 0; row--) {
      end += text.copy(reversed, end, this.#ends[row - 1] ?? 0, this.#ends[row]);
      ends[this.count - 1 - row] = end;
    }
    return { times: Float64Array.from(this.#times).reverse(), text: reversed, ends };
  }

  #packLoose(): void {
    this.#packed.push(Buffer.from(this.#loose.join(''), 'latin1'));
    this.#loose = [];
  }
}
