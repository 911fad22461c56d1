/** The stacks, deployed by the CDK's own command as an operator does it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const commandTimeoutMs = 300_000;
const outputBytesMax = 64 * 1024 * 1024;
/** The account of every emulator. */
const environment = 'aws://000000000000/us-east-1';

const Outputs = z.looseObject({ 'alphapulse-dev': z.looseObject({ HttpUrl: z.string(), WebSocketUrl: z.string() }) });

const Failure = z.looseObject({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** Templates and manifests of an assembly by file name; the names of assets are hashes of what they hold. */
export type Assembly = Readonly<Record<string, string>>;

export interface SecondDeployment {
  readonly assembly: Assembly;
  /** What `cdk diff --fail` said, and 1 where it found a difference. */
  readonly diff: { readonly exitCode: number; readonly output: string };
}

export interface Deployment {
  readonly httpApiId: string;
  readonly socketApiId: string;
  readonly socketStage: string;
  /** Makes the templates again and has `cdk diff` compare them with what is deployed. */
  again(): Promise<SecondDeployment>;
  /** The templates that were deployed. */
  readonly assembly: Assembly;
  removeFiles(): Promise<void>;
}

/** Deploys to an account that holds nothing yet. */
export const deploy = async (
  env: Readonly<Record<string, string>>,
  context: Readonly<Record<string, string>>,
): Promise<Deployment> => {
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-cdk-'));
  const settings = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const cdkIn = (cwd: string, ...args: string[]) =>
    run(join(root, 'node_modules/.bin/cdk'), [...args, '--no-notices'], {
      cwd,
      env: {
        ...process.env,
        ...env,
        // The app runs on the Node that is first here.
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        CDK_DISABLE_CLI_TELEMETRY: '1',
        NO_COLOR: '1',
      },
      timeout: commandTimeoutMs,
      maxBuffer: outputBytesMax,
    });
  const cdk = (...args: string[]) => cdkIn(root, ...args, ...settings);
  const outputsFile = join(folder, 'outputs.json');
  const deployed = join(folder, 'deployed');
  // Away from the app, which bootstrapping would run for nothing.
  await cdkIn(folder, 'bootstrap', environment);
  await cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', outputsFile, '--output', deployed);
  const outputs = Outputs.parse(JSON.parse(await readFile(outputsFile, 'utf8')))['alphapulse-dev'];
  const sockets = new URL(outputs.WebSocketUrl);
  return {
    httpApiId: apiIdOf(new URL(outputs.HttpUrl)),
    socketApiId: apiIdOf(sockets),
    socketStage: sockets.pathname.slice(1),
    assembly: await assemblyIn(deployed),
    again: async () => {
      const output = join(folder, 'again');
      const diff = await cdk('diff', '--all', '--fail', '--output', output).then(
        ({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }),
        (error: unknown) => {
          const { code, stdout, stderr } = Failure.parse(error);
          return { exitCode: code, output: stdout + stderr };
        },
      );
      return { diff, assembly: await assemblyIn(output) };
    },
    removeFiles: () => rm(folder, { recursive: true, force: true }),
  };
};

const apiIdOf = ({ hostname }: URL): string => hostname.split('.')[0] ?? '';

const assemblyIn = async (folder: string): Promise<Assembly> => {
  const files = (await readdir(folder)).filter((name) => /\.(template|assets)\.json$/.test(name)).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
};
