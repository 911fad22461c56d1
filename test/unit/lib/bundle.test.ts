import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundledEntry, bundleFunctions } from '../../../lib/bundle.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alphapulse-bundle-'));
  const sources = {
    'ports.ts': `
      export const ports: string[] = [];
      if (process.env.ALPHAPULSE_USES_TABLE === 'true') ports.push('the table');
      if (process.env.ALPHAPULSE_USES_QUEUES === 'true') ports.push('the queues');
      if (process.env.ALPHAPULSE_USES_MAIL === 'true') ports.push('the mailer');
      export const handler = async () => ports;`,
    'later.ts': `export const later = 'loaded when it is asked for';`,
    'lazy.ts': `export const handler = async () => (await import('./later.ts')).later;`,
  };
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(sources).map(([name, text]) => writeFile(join(folder, name), text)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const entry = (name: string, file: string, grants: BundledEntry['grants'] = {}): BundledEntry => ({
  name,
  file: join(folder, file),
  grants,
});

const outputOf = async (outdir: string): Promise<Record<string, string>> => {
  const files = await readdir(outdir, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path.slice(outdir.length), await readFile(path, 'utf8')] as const)),
  );
};

const call = async (file: string): Promise<unknown> => {
  const { handler }: { handler: () => Promise<unknown> } = await import(pathToFileURL(file).href);
  return handler();
};

describe('bundles', () => {
  it('hold the ports that are granted and no others', async () => {
    const outdir = join(folder, 'granted');
    await bundleFunctions([entry('reader', 'ports', { table: 'read', watch: ['deliveries'] })], { outdir, venues: [] });
    expect(await call(join(outdir, 'reader/index.mjs'))).toEqual(['the table', 'the queues']);
    expect(await readFile(join(outdir, 'reader/index.mjs'), 'utf8')).not.toContain('the mailer');
  });

  it('are the same bytes from the same sources', async () => {
    const entries = [entry('ports', 'ports'), entry('lazy', 'lazy')];
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await bundleFunctions(entries, { outdir: first, venues: [] });
    await bundleFunctions(entries, { outdir: second, venues: [] });
    expect(await outputOf(second)).toEqual(await outputOf(first));
  });

  it('leave no file of an earlier run behind', async () => {
    const outdir = join(folder, 'again');
    await bundleFunctions([entry('lazy', 'lazy')], { outdir, venues: [] });
    await bundleFunctions([entry('ports', 'ports')], { outdir, venues: [] });
    expect(Object.keys(await outputOf(outdir))).toEqual(['/ports/index.mjs']);
  });

  it('count what is imported on demand apart from what is loaded at once', async () => {
    const outdir = join(folder, 'sizes');
    const { lazy } = await bundleFunctions([entry('lazy', 'lazy')], { outdir, venues: [] });
    const bytes = Object.entries(await outputOf(outdir)).map(([path, text]) => [path, text.length] as const);
    const total = bytes.reduce((sum, [, size]) => sum + size, 0);
    expect(lazy?.totalBytes).toBe(total);
    expect(lazy?.initBytes).toBe(Object.fromEntries(bytes)['/lazy/index.mjs']);
    expect(lazy?.initBytes).toBeLessThan(total);
  });
});
