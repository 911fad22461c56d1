import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metafile } from 'esbuild';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '#shared/platform/system';
import { ccxtExchanges } from '../../../../../lib/ccxt-plugin.ts';

const offered = ['binance', 'kraken'];
const loadedBytesMax = 650_000;

describe('a bundle with chosen exchanges', () => {
  let folder: string;
  let outputs: Metafile['outputs'];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ccxt-bundle-'));
    const { metafile } = await build({
      entryPoints: ['shared/exchange/venues/ccxt/client.ts'],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      mainFields: ['module', 'main'],
      metafile: true,
      plugins: [ccxtExchanges(offered)],
    });
    outputs = metafile.outputs;
  });
  afterAll(() => rm(folder, { recursive: true }));

  const chunkOf = (source: string) =>
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(source));
  /** Bytes of a chunk and of all that it imports at once. */
  const loadedBytes = (path: string, seen = new Set<string>()): number => {
    if (seen.has(path)) return 0;
    seen.add(path);
    const { bytes = 0, imports = [] } = outputs[path] ?? {};
    const needed = imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
    return needed.reduce((sum, { path: next }) => sum + loadedBytes(next, seen), bytes);
  };
  const load = async () => {
    const client: typeof import('#shared/exchange/venues/ccxt/client') = await import(
      pathToFileURL(join(folder, 'client.mjs')).href
    );
    return client.createCcxtClient;
  };
  const network = { fetch: async () => new Response('{"code":-1003,"msg":"Too many requests."}', { status: 429 }) };

  it('loads none of them before it is asked for', () => {
    const [client = ''] = chunkOf('ccxt/client.ts') ?? [];
    expect(loadedBytes(client)).toBeLessThan(60_000);
  });

  it.each(offered)('loads %s alone, without what it does not use', (id) => {
    const [chunk = ''] = chunkOf(`src/${id}.js`) ?? [];
    expect(loadedBytes(chunk)).toBeLessThan(loadedBytesMax);
    const others = offered.filter((other) => other !== id).map((other) => `/src/${other}.js`);
    const inputs = Object.keys(outputs[chunk]?.inputs ?? {});
    expect(inputs.filter((input) => others.some((other) => input.endsWith(other)))).toEqual([]);
  });

  it('talks to an exchange and understands its errors', async () => {
    const client = await (await load())({ id: 'binance', network, clock });
    await expect(client.run((exchange) => exchange.fetchTime())).rejects.toMatchObject({ failure: 'rate-limited' });
  });

  it('says that an exchange which was not chosen is not there', async () => {
    await expect((await load())({ id: 'okx', network, clock })).rejects.toMatchObject({ failure: 'not-supported' });
  });
});
