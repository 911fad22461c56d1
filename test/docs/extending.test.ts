import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const sources = [
  'bin',
  'lib',
  'functions',
  'shared',
  'local',
  'test',
  'bench',
  'tsconfig.json',
  'package.json',
  'cdk.json',
];

/** The examples of docs/extending.md by their heading. */
const examples = (await readFile(join(root, 'docs/extending.md'), 'utf8'))
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    name: section.slice(0, section.indexOf('\n')),
    diff: /^```diff\n(.*?)^```$/ms.exec(section)?.[1] ?? '',
  }));

const linesOf = (diff: string, sign: '+' | '-'): string[] =>
  diff
    .split('\n')
    .filter((line) => line.startsWith(sign) && !line.startsWith(sign.repeat(3)))
    .map((line) => line.slice(1).trim());

describe('an example of how to extend it', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'extending-'));
    await Promise.all(sources.map((source) => cp(join(root, source), join(folder, source), { recursive: true })));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is there for each of the six', () => {
    expect(examples.map(({ name }) => name)).toEqual([
      'A kind of condition',
      'A channel',
      'A feed',
      'A queue',
      'A reaction to a change of the table',
      'A stored kind',
    ]);
  });

  it.each(examples)('adds one file and changes only lists: $name', ({ diff }) => {
    const files = diff.split(/^(?=diff --git )/m);
    const changed = files.filter((file) => !file.includes('new file mode'));
    expect(files.length - changed.length).toBe(1);
    for (const file of changed) {
      const added = linesOf(file, '+').filter((line) => !line.startsWith('import '));
      const removed = linesOf(file, '-');
      // A line of a list, be it a new one or one that is longer now; a function's entry in the manifest is a record of lines.
      if (!file.includes('functions/manifest.ts')) expect({ added: added.length, file }).toEqual({ added: 1, file });
      expect(removed.length).toBeLessThanOrEqual(1);
    }
  });

  it('compiles, all of them together', async () => {
    for (const { name, diff } of examples) {
      const patch = join(folder, 'example.diff');
      await writeFile(patch, diff);
      await run('git', ['apply', '--recount', patch], { cwd: folder }).catch((error: unknown) => {
        throw new Error(`The example "${name}" does not apply`, { cause: error });
      });
    }
    const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), [], { cwd: folder });
    expect(stdout).toBe('');
  });
});
