import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Decimal } from '#shared/model/decimal';
import { DomainError } from '#shared/platform/errors';
import { CandleRows, RecordedCandles } from './candles.ts';
import { parseFileName } from './file-name.ts';

/** Largest file that is played. */
export const CANDLE_FILE_BYTES_MAX = 200_000_000;
/** Most rows that are played: nine years of minutes. */
export const CANDLE_FILE_ROWS_MAX = 5_000_000;
const LINE_CHARS_MAX = 1000;
const NUMBER_CHARS_MAX = 40;
/** How much of a line that is wrong a message shows. */
const SHOWN_CHARS_MAX = 40;
/** A candle is played in steps of a whole millisecond at least. */
const INTERVAL_MIN_MS = 1000;

const COLUMNS = ['date', 'open', 'high', 'low', 'close', 'volume'];

/** A file can't be played. The message names the file, the line where there is one, and what is wrong there. */
export class BadCandleFile extends DomainError {
  readonly code = 'bad-candle-file';
  override readonly name = 'BadCandleFile';
  readonly file: string;
  readonly line: number | undefined;
  constructor(
    file: string,
    reason: string,
    options: { readonly line?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(`${file}${options.line === undefined ? '' : `, line ${options.line}`}: ${reason}`, { cause: options.cause });
    this.file = file;
    this.line = options.line;
  }
}

/**
 * Reads recorded candles: CSV with the header `Date,Open,High,Low,Close,Volume`, times in UTC (`2025-08-05 20:49:00`,
 * `2025-08-05`, ISO 8601 or epoch ms), oldest first. The file's name tells the symbol, and the timeframe where it has one;
 * else the first two rows do.
 * @throws {BadCandleFile} the file is missing, too large, or a row of it is not a candle
 */
export async function loadCandles(
  path: string,
  { rowsMax }: { readonly rowsMax: number } = { rowsMax: CANDLE_FILE_ROWS_MAX },
): Promise<RecordedCandles> {
  const { symbol, intervalMs } = parseFileName(basename(path));
  await checkFile(path);
  if (symbol === undefined) {
    throw new BadCandleFile(path, 'the name does not tell the symbol; call it like BTCUSDT_1m.csv');
  }
  const sequence = new RowSequence(path, intervalMs, rowsMax);
  for await (const lines of linesOf(path)) {
    for (const line of lines) sequence.read(line);
  }
  return new RecordedCandles(path, symbol, sequence.finish(), sequence.rows);
}

/** The lines of one file as they come: what each must be after those before it. */
class RowSequence {
  readonly rows = new CandleRows();
  readonly #path: string;
  readonly #rowsMax: number;
  #intervalMs: number | undefined;
  #line = 0;
  #blankLine: number | undefined;
  #headed = false;
  #newest: number | undefined;

  constructor(path: string, intervalMs: number | undefined, rowsMax: number) {
    this.#path = path;
    this.#intervalMs = intervalMs;
    this.#rowsMax = rowsMax;
  }

  read(line: string): void {
    this.#line++;
    if (line.trim() === '') {
      this.#blankLine ??= this.#line;
      return;
    }
    if (this.#blankLine !== undefined) this.#fail('is blank', this.#blankLine);
    if (this.#headed) this.#readRow(line);
    else checkHeader(line, this.#fail);
    this.#headed = true;
  }

  /** @returns duration of a candle in ms */
  finish(): number {
    if (!this.#headed) throw new BadCandleFile(this.#path, 'is empty');
    if (this.rows.count === 0) throw new BadCandleFile(this.#path, 'has no candles');
    if (this.#intervalMs === undefined || this.#intervalMs < INTERVAL_MIN_MS) {
      throw new BadCandleFile(this.#path, 'the timeframe is not known or below a second; call it like BTCUSDT_1m.csv');
    }
    return this.#intervalMs;
  }

  #readRow(line: string): void {
    if (this.rows.count === this.#rowsMax) this.#fail(`there are more than ${this.#rowsMax} rows`);
    const { timestamp, values } = parseRow(line, this.#fail);
    if (this.#newest !== undefined) this.#checkStep(timestamp - this.#newest);
    this.#newest = timestamp;
    this.rows.add(timestamp, values);
  }

  #checkStep(stepMs: number): void {
    if (stepMs === 0) this.#fail('has the time of the row before');
    if (stepMs < 0) this.#fail('is older than the row before');
    this.#intervalMs ??= stepMs;
    if (stepMs < this.#intervalMs) {
      this.#fail(`starts ${stepMs} ms after the row before, but a candle lasts ${this.#intervalMs} ms`);
    }
  }

  readonly #fail = (reason: string, line = this.#line): never => {
    throw new BadCandleFile(this.#path, reason, { line });
  };
}

async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new BadCandleFile(path, 'there is no such file, or it may not be read', { cause });
  });
  if (!found.isFile()) throw new BadCandleFile(path, 'is not a file');
  if (found.size > CANDLE_FILE_BYTES_MAX) {
    throw new BadCandleFile(path, `is larger than ${CANDLE_FILE_BYTES_MAX / 1e6} MB`);
  }
}

/** The lines of a text file, as many at a time as were read at once. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
  let rest = '';
  let count = 0;
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
      const text: string = rest + chunk;
      const lines = (count === 0 ? text.replace(/^\uFEFF/, '') : text).split('\n');
      rest = lines.pop() ?? '';
      const long = [...lines, rest].findIndex((line) => line.length > LINE_CHARS_MAX);
      if (long >= 0)
        throw new BadCandleFile(path, 'is too long: this is not a CSV of candles', { line: count + long + 1 });
      count += lines.length;
      yield lines;
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new BadCandleFile(path, 'could not be read', { cause });
  }
  if (rest !== '') yield [rest];
}

type Fail = (reason: string) => never;

function checkHeader(text: string, fail: Fail): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells a binary file
  if (/[\x00-\x08\x0e-\x1f\uFFFD]/.test(text)) fail('this is not a text file');
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  if (names.join() !== COLUMNS.join()) fail('the header Date,Open,High,Low,Close,Volume is missing');
}

function parseRow(text: string, fail: Fail): { readonly timestamp: number; readonly values: readonly string[] } {
  const cells = text.split(',');
  if (cells.length !== COLUMNS.length) fail(`has ${cells.length} columns instead of ${COLUMNS.length}`);
  const timestamp = parseTime(cells[0]?.trim() ?? '') ?? fail(`${shown(cells[0])} is not a time`);
  const values = cells.slice(1).map((cell, column) => parseDecimal(cell.trim()) ?? fail(wrongNumber(column, cell)));
  const [open = 0, high = 0, low = 0, close = 0] = values.map(Number);
  if (Math.min(open, high, low, close) <= 0) fail('a price is zero');
  if (high < low) fail(`high ${shown(values[1])} is below low ${shown(values[2])}`);
  if (open < low || open > high) fail(`open ${shown(values[0])} is not between low and high`);
  if (close < low || close > high) fail(`close ${shown(values[3])} is not between low and high`);
  return { timestamp, values };
}

function wrongNumber(column: number, cell: string): string {
  const negative = cell.trim().startsWith('-') && parseDecimal(cell.trim().slice(1)) !== undefined;
  return `${COLUMNS[column + 1]} ${shown(cell)} is ${negative ? 'negative' : 'not a number'}`;
}

/** The number as it stands there; one in scientific notation is written out. */
function parseDecimal(cell: string): string | undefined {
  if (cell.length > NUMBER_CHARS_MAX) return undefined;
  if (/^\d+(\.\d+)?$/.test(cell)) return cell;
  return /^\d+(\.\d+)?e[+-]?\d\d?$/i.test(cell) ? new Decimal(cell).toFixed() : undefined;
}

const TIME = /^(\d{4}-\d\d-(\d\d))(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** Epoch ms; what names no zone is UTC. */
function parseTime(cell: string): number | undefined {
  if (/^\d{12,13}$/.test(cell)) return Number(cell);
  const [, date, day, time = '00:00', zone = 'Z'] = TIME.exec(cell) ?? [];
  if (date === undefined) return undefined;
  // Date.parse would read the 30th of February as a day in March.
  if (Number(day) > 28 && new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return undefined;
  const timestamp = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(timestamp) ? undefined : timestamp;
}

function shown(cell = ''): string {
  const text = cell.trim();
  return `"${text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text}"`;
}
