/** The start as people type it: `npm start`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/server-process.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = await temporaryFolder();
afterAll(() => folder.remove());

const startTimeoutMs = 30_000;

describe('npm start', () => {
  it.each<[kind: string, signal: NodeJS.Signals, target: 'npm' | 'all']>([
    ['a supervisor that stops npm', 'SIGTERM', 'npm'],
    ['an interrupt of npm', 'SIGINT', 'npm'],
    ['Ctrl-C, which reaches every process of the terminal', 'SIGINT', 'all'],
  ])(
    'is ended by %s, and the server with it',
    async (kind, signal, target) => {
      const args = ['start', '--', '--port', '0', '--venue', 'sim', '--data', join(folder.path, kind)];
      const npm = spawn('npm', args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      const printed: string[] = [];
      for await (const line of createInterface({ input: npm.stdout })) {
        printed.push(line);
        if (line.startsWith('  Data')) process.kill(target === 'npm' ? (npm.pid ?? 0) : -(npm.pid ?? 0), signal);
      }
      // The output ends with the last process that has it open: the server.
      expect(printed.at(-1)).toBe('AlphaPulse stopped.');
    },
    startTimeoutMs,
  );
});

it('a Node that is too old says so in one sentence, instead of what it can not read', async () => {
  const older = 'data:text/javascript,Object.defineProperty(process, "version", { value: "v20.19.0" })';
  const args = ['--import', older, '--import', './bin/check-node.mjs', 'bin/local.ts'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect([code, complaint]).toEqual([
    1,
    expect.stringMatching(/^AlphaPulse runs on Node\.js 24, and this is v20\.19\.0: .*npm rebuild node.*\.\n$/),
  ]);
});
