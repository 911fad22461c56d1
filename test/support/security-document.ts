import { readFileSync } from 'node:fs';

/** docs/security.md, which tests compare with what it describes. */
export const securityDocument = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

export interface DocumentTable {
  readonly heading: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The cells of a line; a bar that belongs to the text is written `\|`. */
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.replaceAll('\\|', '|').trim());

/** The tables of the document, each with the heading above it. */
export const documentTables: readonly DocumentTable[] = securityDocument.split(/^#+ /m).flatMap((section) => {
  const [heading = '', ...lines] = section.split('\n');
  const [head, , ...rows] = lines.filter((line) => line.startsWith('|')).map(cellsOf);
  return head === undefined ? [] : [{ heading: heading.trim(), head, rows }];
});

/** @throws {Error} the document has no table below this heading */
export const documentTable = (heading: string): DocumentTable['rows'] => {
  const found = documentTables.find((table) => table.heading === heading);
  if (found === undefined) throw new Error(`docs/security.md has no table below “${heading}”`);
  return found.rows;
};
