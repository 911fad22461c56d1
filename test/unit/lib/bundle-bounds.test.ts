import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FunctionEntry, type FunctionName, functions } from '../../../functions/manifest.ts';
import { type BundleSize, bundleFunctions } from '../../../lib/bundle.ts';

/** A person waits for these to load. */
const apiInitBytesMax = 700_000;
const initBytesMax = 2_000_000;

const clients = [
  ['@aws-sdk/client-dynamodb', ({ table }) => table !== undefined],
  ['@aws-sdk/client-sqs', ({ send, receive, watch }) => (send ?? receive ?? watch) !== undefined],
  ['@aws-sdk/client-secrets-manager', ({ secrets, secretFamilies }) => (secrets ?? secretFamilies) !== undefined],
  ['@aws-sdk/client-ses', ({ mail }) => mail === true],
  ['@aws-sdk/client-apigatewaymanagementapi', ({ push }) => push === true],
  ['ccxt', ({ venues }) => venues === true],
] as const satisfies readonly (readonly [string, (grants: FunctionEntry['grants']) => boolean])[];

let folder: string;
let sizes: Record<FunctionName, BundleSize>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alphapulse-bundles-'));
  sizes = await bundleFunctions(functions, { outdir: join(folder, 'functions'), venues: ['binance', 'kraken', 'sim'] });
  const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} KB`.padStart(8);
  const lines = functions.map(
    ({ name }) => `${name.padEnd(12)}${kilobytes(sizes[name].initBytes)}${kilobytes(sizes[name].totalBytes)}`,
  );
  process.stdout.write(`${['function        init     all', ...lines].join('\n')}\n`);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const isAnswering = ({ trigger }: FunctionEntry): boolean => ['http', 'authorizer', 'socket'].includes(trigger.type);

describe.each(functions.map((entry) => [entry.name, entry] as const))('the bundle of %s', (name, entry) => {
  const bytesMax = isAnswering(entry) ? apiInitBytesMax : initBytesMax;

  it(`loads at most ${bytesMax / 1000} KB before the first event`, () => {
    expect(sizes[name].initBytes).toBeLessThanOrEqual(bytesMax);
  });

  it('holds the clients of what it is granted, and no others', () => {
    const held = clients.map(([client]) => client).filter((client) => sizes[name].packages.includes(client));
    const granted = clients.filter(([, isGranted]) => isGranted(entry.grants)).map(([client]) => client);
    expect(held).toEqual(granted);
  });

  it('holds nothing of what deploys it', () => {
    expect(sizes[name].packages.filter((name) => /^(aws-cdk|constructs$|esbuild$|cdk-nag$)/.test(name))).toEqual([]);
  });
});
