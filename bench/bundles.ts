import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { functions } from '#functions/manifest';
import { bundleFunctions } from '../lib/bundle.ts';
import { figure, printTable, quantile } from './table.ts';

const run = promisify(execFile);

/** Imports a module as Lambda's runtime does, and prints how long that took. */
const importer = `
const startedAt = performance.now();
await import(process.argv[1]);
console.log(performance.now() - startedAt);
process.exit(0);
`;

const resources = {
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  TABLE_NAME: 'bench',
  SECRETS_PREFIX: 'bench',
  WEBSOCKET_ENDPOINT: 'https://example.com/bench',
  ALPHAPULSE_VERSION: 'bench',
  ALPHAPULSE_VENUES: 'binance',
  ALPHAPULSE_MAIL_FROM: 'bench@example.com',
};

const loadTimes = async (file: string, rounds: number): Promise<number[]> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const args = ['--input-type=module', '-e', importer, file];
    const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...resources } });
    times.push(Number(stdout));
  }
  return times;
};

/** Bundle size and load time of each function, beside an empty handler. */
export const benchBundles = async (quick: boolean): Promise<void> => {
  const rounds = quick ? 3 : 11;
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-bench-'));
  try {
    const sizes = await bundleFunctions(functions, { outdir: folder, venues: ['binance', 'sim'] });
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'empty', 'index.mjs'), 'export const handler = async () => {};\n');
    const empty = quantile(await loadTimes(join(folder, 'empty', 'index.mjs'), rounds), 0.5);
    const rows = [['empty handler', '0', '0', figure(empty), '1']];
    for (const { name } of functions) {
      const time = quantile(await loadTimes(join(folder, name, 'index.mjs'), rounds), 0.5);
      const { initBytes, totalBytes } = sizes[name];
      rows.push([name, figure(initBytes / 1000), figure(totalBytes / 1000), figure(time), figure(time / empty)]);
    }
    printTable(
      'Functions on Lambda: minified size and time to load',
      ['', 'init KB', 'all KB', 'ms', 'to empty'],
      rows,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
};
