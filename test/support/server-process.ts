/** The server of one machine in a process of its own, as a person starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const root = resolve(import.meta.dirname, '../..');
const readyTimeoutMs = 30_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly url: string;
  readonly webSocketUrl: string;
  /** What was printed until it was ready, a line each. */
  readonly printed: readonly string[];
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Exit>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Settings of this shell must not reach what is tested. */
const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ALPHAPULSE_')));

const launch = (args: readonly string[], env: NodeJS.ProcessEnv) => {
  const child = spawn(process.execPath, ['bin/local.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  });
  running.add(child);
  const exited = once(child, 'exit').then(([code, signal]): Exit => {
    running.delete(child);
    return { code, signal };
  });
  return { child, exited };
};

/** Starts the server at any free port and waits until it says that it runs. */
export const startServerProcess = async (
  dataFolder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> => {
  const { child, exited } = launch(['--port', '0', '--data', dataFolder, ...args], {
    // Tests look again and again until something has happened.
    ALPHAPULSE_REQUEST_LIMIT_FACTOR: '1000',
    // Receivers of webhooks run on this machine.
    ALPHAPULSE_PRIVATE_WEBHOOKS: 'true',
    ...env,
  });
  const complaints = text(child.stderr);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), readyTimeoutMs);
  const printed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (line.trimStart().startsWith('Data')) break;
  }
  clearTimeout(tooLong);
  child.stdout.resume();
  const addressIn = (protocol: string) => new RegExp(`${protocol}://\\S+`).exec(printed.join('\n'))?.[0];
  const [url, webSocketUrl] = [addressIn('http'), addressIn('ws')];
  if (url === undefined || webSocketUrl === undefined) {
    throw new Error(`The server did not start:\n${printed.join('\n')}\n${await complaints}`);
  }
  return {
    url,
    webSocketUrl,
    printed,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await exited;
    },
  };
};

/** Runs the start command until it exits. */
export const runServerCommand = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { child, exited } = launch(args, env);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), readyTimeoutMs);
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  clearTimeout(tooLong);
  return { stdout, stderr, ...exit };
};

/** A new folder and how to be rid of it. */
export const temporaryFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'alphapulse-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

/** The address of the outbox of the server that was started last with the data folder, with its token. */
export const outboxUrlOf = async (dataFolder: string): Promise<string> =>
  (await readFile(join(dataFolder, 'outbox-url.txt'), 'utf8')).trim();

/** The password of the demo user, where the first start of the data folder wrote it. */
export const demoPassword = async (dataFolder: string): Promise<string> => {
  const login = await readFile(join(dataFolder, 'demo-login.txt'), 'utf8');
  return /^password: (\S+)$/m.exec(login)?.[1] ?? '';
};
