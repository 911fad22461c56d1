const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const;
type Unit = keyof typeof UNITS;
/** From the longest: a duration is written in the longest unit that divides it. */
const longestFirst = Object.entries(UNITS).toReversed() as readonly (readonly [Unit, number])[];

/** Words that candle files use for a timeframe beside ccxt's, as CryptoDataDownload's `Binance_BTCUSDT_d.csv`. */
const WORDS: Readonly<Record<string, string>> = {
  ...{ minute: '1m', hour: '1h', hourly: '1h', '1hr': '1h', d: '1d', h: '1h', daily: '1d', day: '1d', '1day': '1d' },
  ...{ weekly: '1w', week: '1w', monthly: '1M', month: '1M', '1mo': '1M' },
};

/** Minutes of the timeframes that Kraken offers: its files are named `XBTUSD_1440.csv`. */
const KRAKEN_MINUTES = ['1', '5', '15', '30', '60', '240', '720', '1440', '10080'];

/** How long candles last: a fixed time, or a calendar month (UTC). */
export class Timeframe {
  /** As ccxt writes it: `1m`, `4h`, `1M`. */
  readonly name: string;
  /** Undefined for months, which differ in length. */
  readonly fixedMs: number | undefined;

  private constructor(name: string, fixedMs: number | undefined) {
    this.name = name;
    this.fixedMs = fixedMs;
  }

  /** @param text as ccxt writes it, or a word that files use for it; undefined when it is no timeframe */
  static parse(text: string): Timeframe | undefined {
    const known = WORDS[text.toLowerCase()] ?? text;
    if (known === '1M') return new Timeframe('1M', undefined);
    const [, count, letter = ''] = /^([1-9]\d{0,3})([smhdwHDW])$/.exec(known) ?? [];
    if (count === undefined) return undefined;
    const unit = letter.toLowerCase() as Unit;
    return Timeframe.ofMs(Number(count) * UNITS[unit]);
  }

  /** @param text a number of minutes that Kraken offers candles of */
  static ofKrakenMinutes(text: string): Timeframe | undefined {
    return KRAKEN_MINUTES.includes(text) ? Timeframe.ofMs(Number(text) * MINUTE_MS) : undefined;
  }

  /** The timeframe of rows that start so far apart at the least. @param ms 1,000 or more */
  static ofMs(ms: number): Timeframe {
    const [unit, unitMs] = longestFirst.find(([, length]) => ms % length === 0) ?? ['ms', 1];
    return new Timeframe(`${ms / unitMs}${unit}`, ms);
  }

  /** Calendar months. */
  static readonly month = new Timeframe('1M', undefined);

  /** When a candle ends that starts then, epoch ms. */
  endOf(start: number): number {
    if (this.fixedMs !== undefined) return start + this.fixedMs;
    const date = new Date(start);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  }

  /**
   * How much earlier than its end the next candle may start: local days are an hour shorter when the clocks go forward, and
   * local months begin some hours off the UTC month.
   */
  get slackMs(): number {
    if (this.fixedMs === undefined) return DAY_MS;
    return this.fixedMs >= DAY_MS ? HOUR_MS : 0;
  }
}

/** Whether a step from one row to the next is that of calendar months. */
export const isMonthStep = (from: number, to: number): boolean => {
  const [start, end] = [new Date(from), new Date(to)];
  const months = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth();
  return months === 1 && start.getUTCDate() === 1 && end.getUTCDate() === 1;
};
