import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { DomainError } from '#shared/platform/errors';
import { BadCandleFile, type Refuse } from './bad-candle-file.ts';
import { type CandleColumns, columnsOfHeader, columnsOfRow } from './candle-columns.ts';
import { gridOf } from './candle-grid.ts';
import { parseRow } from './candle-row.ts';
import { CandleRows, RecordedCandles } from './candles.ts';
import { parseFileName, type SymbolsMeant, symbolsIn } from './file-name.ts';
import type { Timeframe } from './timeframe.ts';

/** Largest file that is read. */
export const CANDLE_FILE_BYTES_MAX = 200_000_000;
/** Most rows that are read: nine years of minutes. */
export const CANDLE_FILE_ROWS_MAX = 5_000_000;
const LINE_CHARS_MAX = 1000;
/** Bytes that are read at once. */
const CHUNK_BYTES = 1 << 20;

export interface CandleFileOptions {
  readonly rowsMax?: number;
  /** The symbol of the file, where neither its name nor a column determines it. */
  readonly symbol?: string | undefined;
  readonly timeframe?: Timeframe | undefined;
}

/**
 * Reads recorded candles: CSV with a header that names its columns, or a dump of Binance Vision or
 * Kraken without one; separated by commas, semicolons or tabs, oldest or newest first, times in UTC unless they name a zone.
 * What is certain is read, and {@link RecordedCandles.notes} say what was assumed; the rest is refused with the choice to make.
 * @throws {BadCandleFile} the file is missing, too large, ambiguous, or a row of it is not a candle
 */
export const loadCandles = async (path: string, options: CandleFileOptions = {}): Promise<RecordedCandles> => {
  const named = parseFileName(basename(path));
  await checkFile(path);
  const symbols = options.symbol === undefined ? named.symbols : [options.symbol];
  const reader = new CandleReader(path, symbols, options.rowsMax ?? CANDLE_FILE_ROWS_MAX);
  let line = 0;
  for await (const text of wholeLinesOf(path)) {
    for (const cells of recordsOf(text, reader.delimiterOf(text), path, line)) reader.read(cells, ++line);
  }
  return reader.finish(options.symbol, options.timeframe ?? named.timeframe);
};

/** Reads one file row by row. */
class CandleReader {
  readonly #path: string;
  readonly #named: SymbolsMeant;
  readonly #rowsMax: number;
  readonly #rows = new CandleRows();
  readonly #notes: string[] = [];
  #delimiter: string | undefined;
  #columns: CandleColumns | undefined;
  #line = 0;
  #firstRowLine = 0;
  #blankLine: number | undefined;
  #column: string | undefined;

  constructor(path: string, named: SymbolsMeant, rowsMax: number) {
    this.#path = path;
    this.#named = named;
    this.#rowsMax = rowsMax;
  }

  /** The delimiter of the cells, taken from the first line that is not an address. */
  delimiterOf(text: string): string {
    if (this.#delimiter === undefined) {
      const header = text.split('\n').find((line) => line.trim() !== '' && !isAddress(line)) ?? '';
      this.#delimiter = [',', ';', '\t'].find((delimiter) => header.includes(delimiter)) ?? ',';
    }
    return this.#delimiter;
  }

  read(cells: readonly string[], line: number): void {
    this.#line = line;
    if (cells.length <= 1 && (cells[0] ?? '').trim() === '') {
      this.#blankLine ??= line;
      return;
    }
    if (this.#blankLine !== undefined) this.#refuse('is blank', this.#blankLine);
    if (this.#columns !== undefined) this.#readRow(cells, this.#columns);
    else if (line > 1 || !isAddress(cells.join())) this.#readHeader(cells);
  }

  finish(given: string | undefined, timeframe: Timeframe | undefined): RecordedCandles {
    if (this.#columns === undefined) throw new BadCandleFile(this.#path, 'is empty');
    const symbol = this.#symbol(given);
    if (this.#rows.count === 0) throw new BadCandleFile(this.#path, 'has no candles');
    const grid = gridOf(this.#rows.times, timeframe, (reason, index) => {
      const line = index === undefined ? undefined : this.#firstRowLine + index;
      throw new BadCandleFile(this.#path, reason, { line });
    });
    this.#rows.moveTo(grid.times);
    return new RecordedCandles(this.#path, symbol, grid.timeframe, this.#rows, [...this.#notes, ...grid.notes]);
  }

  #readHeader(cells: readonly string[]): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they identify a binary file
    if (/[\x00-\x08\x0e-\x1f\uFFFD]/.test(cells.join())) this.#refuse('this is not a text file');
    const bases = this.#named.map((symbol) => symbol.split('/')[0]);
    this.#columns = columnsOfHeader(cells, bases.length === 1 ? bases[0] : undefined);
    if (this.#columns !== undefined) return;
    this.#columns = columnsOfRow(cells);
    if (this.#columns === undefined) {
      this.#refuse('the header Date,Open,High,Low,Close,Volume is missing; add one that names the columns');
    }
    this.#notes.push('without a header, its columns are taken as time, open, high, low, close, volume');
    this.#readRow(cells, this.#columns);
  }

  #readRow(cells: readonly string[], columns: CandleColumns): void {
    if (this.#rows.count === this.#rowsMax) this.#refuse(`there are more than ${this.#rowsMax} rows`);
    if (this.#rows.count === 0) this.#firstRowLine = this.#line;
    const { timestamp, values } = parseRow(cells, columns, this.#refuse);
    if (columns.symbol !== undefined) this.#readSymbol(cells[columns.symbol] ?? '');
    this.#rows.add(timestamp, values);
  }

  #readSymbol(cell: string): void {
    const symbol = cell.trim();
    if (this.#column !== undefined && this.#column !== symbol) {
      this.#refuse(`is of ${symbol}, the rows before are of ${this.#column}; a file holds one symbol`);
    }
    this.#column = symbol;
  }

  /** The symbol of the file: as given, or as its column and name agree. */
  #symbol(given: string | undefined): string {
    if (given !== undefined) return given;
    const inColumn = this.#column === undefined ? [] : symbolsIn(this.#column);
    const agreed = inColumn.filter((symbol) => this.#named.includes(symbol));
    const meant = inColumn.length === 0 ? this.#named : this.#named.length === 0 ? inColumn : agreed;
    const [symbol] = meant;
    if (symbol !== undefined && meant.length === 1) return symbol;
    const choices = [...new Set([...this.#named, ...inColumn])];
    throw new BadCandleFile(
      this.#path,
      choices.length === 0
        ? 'the file name does not contain the symbol; give it with --symbol BTC/USDT, or name the file like BTCUSDT_1m.csv'
        : `this can be ${choices.join(' or ')}; say which with --symbol ${choices[0]}`,
    );
  }

  readonly #refuse: Refuse = (reason, line = this.#line) => {
    throw new BadCandleFile(this.#path, reason, { line });
  };
}

/** CryptoDataDownload's files begin with a line that is the address of its site. */
const isAddress = (line: string): boolean => /^"?(https?:\/\/|www\.)\S+$/i.test(line.trim());

/** @param line of the line before */
const recordsOf = (text: string, delimiter: string, path: string, line: number): string[][] => {
  let records: string[][];
  try {
    records = parse(text, { delimiter, relax_column_count: true });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new BadCandleFile(path, 'its quotes do not match', { line: line + Number(cause.lines ?? 1), cause });
  }
  const lines = text.replace(/\r?\n$/, '').split('\n').length;
  if (records.length !== lines)
    throw new BadCandleFile(path, 'a quoted cell runs over the end of a line', { line: line + 1 });
  return records;
};

const checkFile = async (path: string): Promise<void> => {
  const found = await stat(path).catch((cause: unknown) => {
    throw new BadCandleFile(path, 'there is no such file, or it may not be read', { cause });
  });
  if (!found.isFile()) throw new BadCandleFile(path, 'is not a file');
  if (found.size > CANDLE_FILE_BYTES_MAX) {
    throw new BadCandleFile(path, `is larger than ${CANDLE_FILE_BYTES_MAX / 1e6} MB`);
  }
};

/** The text of a file in pieces that end with a line. */
async function* wholeLinesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  let count = 0;
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK_BYTES })) {
      const text: string = count === 0 && rest === '' ? chunk.replace(/^\uFEFF/, '') : rest + chunk;
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      const lines = text.slice(0, end).split('\n');
      const long = [...lines.slice(0, -1), rest].findIndex((line) => line.length > LINE_CHARS_MAX);
      if (long >= 0) {
        throw new BadCandleFile(path, 'is too long: this is not a CSV of candles', { line: count + long + 1 });
      }
      count += lines.length - 1;
      if (end > 0) yield text.slice(0, end);
    }
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    throw new BadCandleFile(path, 'could not be read', { cause });
  }
  if (rest !== '') yield rest;
}
