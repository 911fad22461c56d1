/** Where a file has what a candle consists of: indices of its columns. */
export interface CandleColumns {
  readonly time: number;
  /** Open, high, low, close. */
  readonly prices: readonly [number, number, number, number];
  readonly volume: number;
  /** A column that names the symbol, as CryptoDataDownload has it. */
  readonly symbol?: number;
  /** Columns of a row. */
  readonly count: number;
}

const TIME_NAMES = [
  'unix',
  'unix timestamp',
  'timestamp',
  'time',
  'datetime',
  'open time',
  'open_time',
  'opentime',
  'date',
];
const PRICE_NAMES = ['open', 'high', 'low', 'close'] as const;
const VOLUME_NAMES = ['volume', 'vol', 'base volume', 'base_volume', 'volume_base'];

/** A Binance Vision dump has no header: open time, four prices, volume, close time, quote volume, trades, taker volumes, ignored. */
const BINANCE_COLUMNS = 12;
/** Kraken's OHLCVT files have no header: time, four prices, volume, trades. */
const KRAKEN_COLUMNS = 7;

/**
 * The columns that a header names, in any order and case; those of a header that begins with no name are times, as pandas
 * writes an index.
 * @param base of the symbol as far as it is known: `Volume BTC` is then the volume, beside `Volume USDT`
 */
export const columnsOfHeader = (cells: readonly string[], base: string | undefined): CandleColumns | undefined => {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const indexOf = (candidates: readonly string[]): number | undefined =>
    candidates.map((name) => names.indexOf(name)).find((index) => index >= 0);
  const unnamed = names[0] === '' || names[0] === 'unnamed: 0' ? 0 : undefined;
  const time = indexOf(TIME_NAMES) ?? unnamed;
  const prices = PRICE_NAMES.map((name) => indexOf([name]));
  const ofBase = base === undefined ? undefined : indexOf([`volume ${base.toLowerCase()}`]);
  const volume = indexOf(VOLUME_NAMES) ?? ofBase;
  const [open, high, low, close] = prices;
  if (time === undefined || volume === undefined) return undefined;
  if (open === undefined || high === undefined || low === undefined || close === undefined) return undefined;
  const symbol = indexOf(['symbol', 'pair']);
  return {
    ...{ time, prices: [open, high, low, close], volume, count: names.length },
    ...(symbol === undefined ? {} : { symbol }),
  };
};

/** The columns of a file without a header, where its form is one that only a known source has. */
export const columnsOfRow = (cells: readonly string[]): CandleColumns | undefined => {
  const isNumeric = cells.every((cell) => /^\d*\.?\d+(e[+-]?\d+)?$/i.test(cell.trim()));
  const isKnown = cells.length === BINANCE_COLUMNS || cells.length === KRAKEN_COLUMNS;
  return isNumeric && isKnown ? { time: 0, prices: [1, 2, 3, 4], volume: 5, count: cells.length } : undefined;
};
