import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import * as esbuild from 'esbuild';
import type { FunctionEntry } from '../functions/manifest.ts';
import { ccxtExchanges } from './ccxt-plugin.ts';

const projectFolder = resolve(import.meta.dirname, '..');
/** Its modules are imported on demand so that grants can leave them out; the others load while Lambda initialises. */
const platformFolder = 'shared/platform/aws/';

/** The simulator is part of this project; every other venue is a ccxt exchange. */
const simulator = 'sim';

/** Size in bytes of a function's bundle, and the packages in it. */
export interface BundleSize {
  /** Loaded before the first request: the entry, what it imports, and the platform of its grants. */
  readonly initBytes: number;
  /** All of it; an exchange is loaded when a run needs it. */
  readonly totalBytes: number;
  /** Names of the npm packages that left code in it. */
  readonly packages: readonly string[];
}

export type BundledEntry = Pick<FunctionEntry, 'file' | 'grants'> & { readonly name: string };

export interface BundleOptions {
  /** Gets a folder for each function with `index.mjs`; what it held before is removed. */
  readonly outdir: string;
  /** Venues; functions that are granted venues can load these and no others. */
  readonly venues: readonly string[];
}

/**
 * Bundles each function for Lambda separately, so that a bundle holds only what its manifest entry grants. The same sources
 * give the same bytes. Source maps go to `outdir` with `-maps` behind it: they are not deployed, because they slow down loading.
 * @throws {Error} a source file is missing or does not compile
 */
export const bundleFunctions = async <Entry extends BundledEntry>(
  entries: readonly Entry[],
  { outdir, venues }: BundleOptions,
): Promise<Record<Entry['name'], BundleSize>> => {
  await Promise.all([outdir, `${outdir}-maps`].map((folder) => rm(folder, { recursive: true, force: true })));
  const sizes = await Promise.all(
    entries.map(async (entry) => [entry.name, await bundle(entry, outdir, venues)] as const),
  );
  return Object.fromEntries(sizes) as Record<Entry['name'], BundleSize>;
};

const bundle = async (entry: BundledEntry, outdir: string, venues: readonly string[]): Promise<BundleSize> => {
  const folder = resolve(outdir, entry.name);
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: projectFolder,
    entryPoints: { index: resolve(projectFolder, 'functions', `${entry.file}.ts`) },
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    mainFields: ['module', 'main'],
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    define: definesOf(entry.grants),
    plugins: entry.grants.venues ? [ccxtExchanges(venues.filter((id) => id !== simulator))] : [],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  await Promise.all(
    outputFiles.map(async ({ path, contents }) => {
      const file = path.endsWith('.map') ? join(`${resolve(outdir)}-maps`, entry.name, relative(folder, path)) : path;
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, contents);
    }),
  );
  return sizeOf(metafile);
};

/** Constants by which the platform leaves out the ports that a function is not granted. */
const definesOf = (grants: FunctionEntry['grants']): Record<string, string> => {
  const uses = {
    TABLE: grants.table,
    QUEUES: grants.send ?? grants.receive ?? grants.watch,
    SECRETS: grants.secrets ?? grants.secretFamilies,
    MAIL: grants.mail,
    PUSH: grants.push,
  };
  return Object.fromEntries(
    Object.entries(uses).map(([port, grant]) => [
      `process.env.ALPHAPULSE_USES_${port}`,
      JSON.stringify(String(grant !== undefined)),
    ]),
  );
};

const sizeOf = ({ outputs }: esbuild.Metafile): BundleSize => {
  const isCode = (path: string): boolean => path.endsWith('.mjs');
  const isPlatform = (path: string): boolean => outputs[path]?.entryPoint?.startsWith(platformFolder) ?? false;
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? []) {
      if (!external && (kind === 'import-statement' || isPlatform(imported))) load(imported);
    }
  };
  const entry = Object.keys(outputs).find((path) => path.endsWith('/index.mjs'));
  if (entry !== undefined) load(entry);
  const bytesOf = (paths: Iterable<string>): number =>
    [...paths].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
  return {
    initBytes: bytesOf(loaded),
    totalBytes: bytesOf(Object.keys(outputs).filter(isCode)),
    packages: packagesOf(outputs),
  };
};

const packagesOf = (outputs: esbuild.Metafile['outputs']): string[] => {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const names = files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)].toSorted();
};
