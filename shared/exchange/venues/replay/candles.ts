/** One candle in the words of its file; the strings are exact. */
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

/** The candles of one market, kept as one text and the places of its rows, so that millions of them fit. */
export class RecordedCandles {
  /** Where they came from, for messages. */
  readonly file: string;
  readonly symbol: string;
  readonly intervalMs: number;
  readonly #times: Float64Array;
  /** Rows `open,high,low,close,volume`, one after the other. */
  readonly #text: Buffer;
  /** Where every row ends in the text. */
  readonly #ends: Uint32Array;

  constructor(file: string, symbol: string, intervalMs: number, rows: CandleRows) {
    this.file = file;
    this.symbol = symbol;
    this.intervalMs = intervalMs;
    ({ times: this.#times, text: this.#text, ends: this.#ends } = rows.pack());
  }

  /** At least one. */
  get count(): number {
    return this.#times.length;
  }

  /** As ccxt writes it: `1m`, `4h`. */
  get timeframe(): string {
    const [unit, unitMs] = UNITS.find(([, ms]) => this.intervalMs % ms === 0) ?? ['ms', 1];
    return `${this.intervalMs / unitMs}${unit}`;
  }

  /** Start of a candle, epoch ms. @param index 0..count - 1 */
  timestamp(index: number): number {
    return this.#times[index] ?? Number.NaN;
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
  readonly #times: number[] = [];
  readonly #ends: number[] = [];
  readonly #packed: Buffer[] = [];
  #loose: string[] = [];
  #length = 0;

  get count(): number {
    return this.#times.length;
  }

  add(timestamp: number, values: readonly string[]): void {
    const row = values.join(',');
    this.#length += row.length;
    this.#times.push(timestamp);
    this.#ends.push(this.#length);
    if (this.#loose.push(row) === PACKED_ROWS) this.#packLoose();
  }

  pack(): { readonly times: Float64Array; readonly text: Buffer; readonly ends: Uint32Array } {
    this.#packLoose();
    return {
      times: Float64Array.from(this.#times),
      text: Buffer.concat(this.#packed),
      ends: Uint32Array.from(this.#ends),
    };
  }

  #packLoose(): void {
    this.#packed.push(Buffer.from(this.#loose.join(''), 'latin1'));
    this.#loose = [];
  }
}

const SECOND_MS = 1000;

/** Units of a timeframe, the longest first. */
export const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['w', 7 * 86_400 * SECOND_MS],
  ['d', 86_400 * SECOND_MS],
  ['h', 3_600 * SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['s', SECOND_MS],
];
