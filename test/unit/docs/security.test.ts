import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentTables, securityDocument } from '../../support/security-document.ts';

const docs = new URL('../../../docs/', import.meta.url).pathname;
const linked = [...securityDocument.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, path = '']) => path);

/** The tables that say of requirements how they are met: their last column names tests. */
const requirementTables = documentTables.filter(({ head }) => head.at(-1) === 'test');
const rows = requirementTables.flatMap(({ heading, rows: found }) =>
  found.map((cells) => ({ heading, id: cells[0] ?? '', how: cells[2] ?? '', test: cells[3] ?? '', cells })),
);

/** What a cell says of tests: each link to a file is followed by titles of tests in it, as code. */
const testsOf = (cell: string): { readonly file: string; readonly titles: readonly string[] }[] =>
  cell.split(/(?=\[[^\]]*\]\([^)]+\))/).flatMap((part) => {
    const file = /\]\(([^)]+)\)/.exec(part)?.[1];
    return file === undefined
      ? []
      : [{ file, titles: [...part.matchAll(/`([^`]+)`/g)].map(([, title = '']) => title) }];
  });

const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** Whether a test file has a test or a suite of this title, or a case of one. */
const hasTitle = (source: string, title: string): boolean =>
  new RegExp(`[([]\\s*(['"\`])${literal(title)}\\1,`).test(source);

/** What each test file is said to have. */
const named = Map.groupBy(
  rows.flatMap(({ id, test }) => testsOf(test).map(({ file, titles }) => ({ id, file, titles }))),
  ({ file }) => file,
);

/** The requirements of levels 1 and 2 of ASVS 5.0.0, by section, of the chapters that the document goes through. */
const asvs: Readonly<Record<string, string>> = {
  ...{ '1.1': '1 2', '1.2': '1 2 3 4 5 6 7 8 9', '1.3': '1 2 3 4 5 6 7 8 9 10 11', '1.4': '1 2 3', '1.5': '1 2' },
  ...{ '2.1': '1 2 3', '2.2': '1 2 3', '2.3': '1 2 3 4', '2.4': '1' },
  ...{ '3.4': '1 2 3 4 5 6', '3.5': '1 2 3' },
  ...{ '4.1': '1 2 3', '4.2': '1', '4.3': '1 2', '4.4': '1 2 3 4' },
  ...{ '6.1': '1 2 3', '6.2': '1 2 3 4 5 6 7 8 9 10 11 12', '6.3': '1 2 3 4', '6.4': '1 2 3 4' },
  ...{ '6.5': '1 2 3 4 5', '6.6': '1 2 3', '6.8': '1 2 3 4' },
  ...{ '7.1': '1 2 3', '7.2': '1 2 3 4', '7.3': '1 2', '7.4': '1 2 3 4 5', '7.5': '1 2', '7.6': '1 2' },
  ...{ '8.1': '1 2', '8.2': '1 2 3', '8.3': '1', '8.4': '1' },
  ...{ '9.1': '1 2 3', '9.2': '1 2 3 4' },
  ...{ '11.1': '1 2', '11.2': '1 2 3', '11.3': '1 2 3', '11.4': '1 2 3 4', '11.5': '1', '11.6': '1' },
  ...{ '12.1': '1 2 3', '12.2': '1 2', '12.3': '1 2 3 4' },
  ...{ '13.1': '1', '13.2': '1 2 3 4 5', '13.3': '1 2', '13.4': '1 2 3 4 5' },
  ...{ '14.1': '1 2', '14.2': '1 2 3 4', '14.3': '1 2 3' },
  ...{ '15.1': '1 2 3', '15.2': '1 2 3', '15.3': '1 2 3 4 5 6 7' },
  ...{ '16.1': '1', '16.2': '1 2 3 4 5', '16.3': '1 2 3 4', '16.4': '1 2 3', '16.5': '1 2 3' },
};

describe('docs/security.md', () => {
  it('links to what exists', () => {
    expect([...new Set(linked)].filter((path) => !existsSync(join(docs, path)))).toEqual([]);
  });

  it.each([...named])('names tests that are in %s', (file, told) => {
    const source = readFileSync(join(docs, file), 'utf8');
    const missing = told.flatMap(({ id, titles }) =>
      titles.filter((title) => !hasTitle(source, title)).map((title) => `${id}: ${title}`),
    );
    expect(missing).toEqual([]);
  });

  it('names a test with each file of tests', () => {
    const without = rows.flatMap(({ id, test }) =>
      testsOf(test).flatMap(({ titles }) => (titles.length > 0 ? [] : [id])),
    );
    expect(without).toEqual([]);
  });

  it('says of what no test shows that it is not met, does not apply, or is not tested', () => {
    const silent = rows.filter(
      ({ how, test }) =>
        testsOf(test).length === 0 && !/^(Not met|Met in part|Does not apply|Not tested|Documented)\b/.test(how),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it('has four cells in each row', () => {
    expect(rows.filter(({ cells }) => cells.length !== 4).map(({ id }) => id)).toEqual([]);
  });

  it('goes through every requirement of levels 1 and 2 of its chapters of ASVS 5.0.0, once', () => {
    const told = rows.filter(({ heading }) => /^V\d+ /.test(heading)).flatMap(({ id }) => id.split(/,\s*/));
    const all = Object.entries(asvs).flatMap(([section, numbers]) =>
      numbers.split(' ').map((number) => `${section}.${number}`),
    );
    expect(told.toSorted()).toEqual(all.toSorted());
  });
});
