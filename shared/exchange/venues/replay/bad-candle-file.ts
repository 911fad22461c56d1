import { DomainError } from '#shared/platform/errors';

/** A file can't be read as candles. The message names the file, the line where there is one, and what is wrong there. */
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

/** Refuses a line. */
export type Refuse = (reason: string, line?: number) => never;

/** How much of a cell a message shows. */
const SHOWN_CHARS_MAX = 40;

/** A cell as messages quote it. */
export const quoted = (cell = ''): string => {
  const text = cell.trim();
  return `"${text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text}"`;
};
