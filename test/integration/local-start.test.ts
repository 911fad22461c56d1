import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alphapulse-'));
});
afterAll(() => rm(folder, { recursive: true }));

const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

const run = (...args: string[]) => {
  const child = spawn(process.execPath, ['bin/local.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
};

/** Starts the server and gives what it printed once it is ready. */
const ready = async (...args: string[]) => {
  const child = run('--port', '0', '--venue', 'sim', ...args);
  let printed = '';
  for await (const piece of child.stdout) {
    printed += String(piece);
    if (printed.includes('Data ')) break;
  }
  return { child, printed, url: /http:\S+/.exec(printed)?.[0] ?? '' };
};

/** Runs a command that is to fail. */
const failed = async (...args: string[]) => {
  const child = run(...args);
  const [message, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { message: message.trim(), exitCode };
};

describe('npm start', () => {
  it('prints where it runs, how to get in and where prices come from, and is ready then', async () => {
    const { printed, url } = await ready('--data', join(folder, 'first'));
    expect(printed).toMatch(/^AlphaPulse \S+ runs at http:\/\/127\.0\.0\.1:\d+\n/);
    expect(printed).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/ws\n/);
    expect(printed).toMatch(/demo@example\.com, password [\w-]{20} /);
    expect(printed).toContain('simulated');
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('keeps the login in a file that only its owner reads, and names it the next time', async () => {
    const first = await ready('--data', join(folder, 'second'));
    const password = /password (\S+)/.exec(first.printed)?.[1] ?? '';
    const file = join(folder, 'second', 'demo-login.txt');
    expect(await readFile(file, 'utf8')).toContain(password);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    first.child.kill('SIGINT');
    await once(first.child, 'exit');
    const second = await ready('--data', join(folder, 'second'));
    expect(second.printed).toContain(file);
    expect(second.printed).not.toContain(password);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops cleanly on %s', async (signal) => {
    const { child } = await ready('--data', join(folder, signal));
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('prints its usage', async () => {
    const child = run('--help');
    expect(await text(child.stdout)).toMatch(/^Usage: npm start/);
  });
});

describe('npm start says in one sentence', () => {
  it('that a flag is unknown', async () => {
    expect(await failed('--prot', '1')).toEqual({
      message: 'There is no flag --prot, perhaps --port; see --help.',
      exitCode: 2,
    });
  });

  it('that the port is taken, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const result = await failed('--port', String(port), '--venue', 'sim', '--data', join(folder, 'taken'));
    other.close();
    expect(result).toEqual({
      message: `Port ${port} of 127.0.0.1 is taken; choose another with --port, or any free one with --port 0.`,
      exitCode: 1,
    });
  });

  it('that the data folder is a file', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(await failed('--port', '0', '--venue', 'sim', '--data', file)).toEqual({
      message: `The data folder ${file} is not a folder; choose one with --data.`,
      exitCode: 1,
    });
  });

  it('that the data folder is in use', async () => {
    const data = join(folder, 'shared');
    await ready('--data', data);
    const { message, exitCode } = await failed('--port', '0', '--venue', 'sim', '--data', data);
    expect(message).toMatch(/^The data folder .* is in use[^\n]*\.$/);
    expect(exitCode).toBe(1);
  });

  it('that a file can not be played, and where it is wrong', async () => {
    const file = join(folder, 'BTCUSDT_1m.csv');
    await writeFile(file, 'Date,Open,High,Low,Close,Volume\n2025-08-05 20:49:00,1,2,0.5,oops,3\n');
    const { message, exitCode } = await failed('--port', '0', '--replay', file, '--data', join(folder, 'replay'));
    expect(message).toMatch(/^[^\n]*BTCUSDT_1m\.csv, line 2: [^\n]*$/);
    expect(exitCode).toBe(2);
  });
});
