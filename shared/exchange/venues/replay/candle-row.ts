import { Decimal } from '#shared/model/decimal';
import { quoted, type Refuse } from './bad-candle-file.ts';
import type { CandleColumns } from './candle-columns.ts';
import { parseTime } from './candle-time.ts';

const NUMBER_CHARS_MAX = 40;
/** How far beyond high and low a price may lie, as a part of it, for files whose prices went through floating point. */
const TOLERANCE = 1e-12;

const FIELDS = ['open', 'high', 'low', 'close', 'volume'] as const;

export interface CandleRow {
  readonly timestamp: number;
  /** Open, high, low, close, volume. */
  readonly values: readonly [string, string, string, string, string];
}

/** One row of a file. */
export const parseRow = (cells: readonly string[], columns: CandleColumns, refuse: Refuse): CandleRow => {
  if (cells.length !== columns.count) refuse(`has ${cells.length} columns instead of ${columns.count}`);
  const time = cells[columns.time]?.trim() ?? '';
  const timestamp =
    parseTime(time) ??
    refuse(`${quoted(time)} is not a time; write it like 2024-01-31 00:00:00, or as epoch seconds or milliseconds`);
  const [open, high, low, close, volume] = [...columns.prices, columns.volume].map((index, field) => {
    const cell = cells[index]?.trim() ?? '';
    return parseDecimal(cell) ?? refuse(wrongNumber(FIELDS[field] ?? '', cell));
  }) as [string, string, string, string, string];
  const numbers = { open: Number(open), high: Number(high), low: Number(low), close: Number(close) };
  if (Math.min(...Object.values(numbers)) <= 0) refuse('a price is zero');
  if (numbers.high < numbers.low) refuse(`high ${quoted(high)} is below low ${quoted(low)}`);
  for (const [name, text] of [
    ['open', open],
    ['close', close],
  ] as const) {
    const price = numbers[name];
    if (price < numbers.low * (1 - TOLERANCE) || price > numbers.high * (1 + TOLERANCE)) {
      refuse(`${name} ${quoted(text)} is not between low and high`);
    }
  }
  return { timestamp, values: [open, most([open, high, close], 1), most([open, low, close], -1), close, volume] };
};

/** The largest (sign 1) or the smallest (sign -1) of some prices: the middle one, high or low, unless another goes beyond it. */
const most = ([open, extreme, close]: readonly [string, string, string], sign: 1 | -1): string =>
  [open, close].reduce((best, price) => (sign * Number(price) > sign * Number(best) ? price : best), extreme);

const wrongNumber = (name: string, cell: string): string => {
  const isNegative = cell.startsWith('-') && parseDecimal(cell.slice(1)) !== undefined;
  return `${name} ${quoted(cell)} is ${isNegative ? 'negative' : 'not a number'}`;
};

/** The number as it is written; scientific notation and a missing leading zero are written out. */
const parseDecimal = (cell: string): string | undefined => {
  if (cell.length > NUMBER_CHARS_MAX) return undefined;
  if (/^\d+(\.\d+)?$/.test(cell)) return cell;
  return /^(\d+(\.\d+)?|\.\d+)(e[+-]?\d\d?)?$/i.test(cell) ? new Decimal(cell).toFixed() : undefined;
};
