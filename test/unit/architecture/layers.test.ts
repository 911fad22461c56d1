import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The folders of `shared/`, lowest first. A file imports from its own folder and from those before it. */
const layers = [
  'model',
  'platform',
  'crypto',
  'limits',
  'identity',
  'audit',
  'connections',
  'exchange',
  'market',
  'auth',
  'notifications',
  'accounts',
  'alerts',
  'users',
  'realtime',
  'operations',
  'personal-data',
] as const;

/** What each folder of the project may import, of the others. */
const folders: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  functions: ['shared'],
  local: ['shared', 'functions'],
  lib: ['shared', 'functions'],
  bin: ['shared', 'functions', 'local', 'lib'],
};

const root = resolve(import.meta.dirname, '../../..');

interface Import {
  readonly file: string;
  readonly target: string;
}

const importPattern = /(?:from|import)\s*\(?\s*'((?:#|\.{1,2}\/)[^']+)'/g;

/** The imports of a source text within the project, types included, as paths from the project's root. */
const importsOf = (file: string, source: string): Import[] =>
  [...source.matchAll(importPattern)].map(([, specifier = '']) => ({
    file,
    target: specifier.startsWith('#')
      ? specifier.slice(1)
      : relative(root, join(root, dirname(file), specifier))
          .split(sep)
          .join('/'),
  }));

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true }))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.split(sep).join('/')}`);

const importsIn = async (folder: string): Promise<Import[]> =>
  (await filesIn(folder)).flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));

const layerOf = (path: string): number => layers.findIndex((layer) => path.startsWith(`shared/${layer}/`));

/** Imports that run from a layer of `shared/` to a higher one, or touch a folder that is no layer. */
const upward = (imports: readonly Import[]): Import[] =>
  imports.filter(
    ({ file, target }) =>
      target.startsWith('shared/') &&
      (layerOf(file) === -1 || layerOf(target) === -1 || layerOf(target) > layerOf(file)),
  );

describe('the layers of shared/', () => {
  it('import downwards only, types included', async () => {
    expect(upward(await importsIn('shared'))).toEqual([]);
  });

  it.each([
    ['of a value', "import { Alerts } from '#shared/alerts/alerts';"],
    ['of a type', "import type { StoredAlert } from '../alerts/stored.ts';"],
    ['made when it is needed', "const { Alerts } = await import('#shared/alerts/alerts');"],
    ['into a folder that is no layer', "import { x } from '#shared/misc/x';"],
  ])('an import %s that runs upwards is found', (_, source) => {
    expect(upward(importsOf('shared/market/tickers.ts', source))).toHaveLength(1);
  });
});

describe.each(Object.entries(folders))('%s/', (folder, allowed) => {
  it(`imports of the project ${allowed.join(', ') || 'nothing'}, beside itself`, async () => {
    const known = Object.keys(folders);
    const foreign = (await importsIn(folder)).filter(({ target }) => {
      const [top = ''] = target.split('/');
      return known.includes(top) && top !== folder && !allowed.includes(top);
    });
    expect(foreign).toEqual([]);
  });
});
