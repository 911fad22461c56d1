import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { RememberedSettings } from '../lib/commands/answers.ts';
import { type Arguments, CommandError } from '../lib/commands/arguments.ts';
import { signedInAccount } from '../lib/commands/aws-account.ts';
import type { RunCdk } from '../lib/commands/cdk.ts';
import type { Surroundings } from '../lib/commands/deploy.ts';
import type { Terminal } from '../lib/commands/terminal.ts';

const root = resolve(import.meta.dirname, '..');
const rememberedFile = join(root, '.alphapulse-deploy.json');

const terminal: Terminal = {
  isInteractive: process.stdin.isTTY === true,
  say: (text) => console.log(text),
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    const leave = () => process.exit(130);
    lines.on('SIGINT', leave).on('close', leave);
    const answer = await lines.question(question);
    lines.off('close', leave).close();
    return answer;
  },
};

/** Runs the CDK's command of this project; what it prints is shown as it comes. */
const cdkWith =
  (env: Arguments['env']): RunCdk =>
  async (args, { quiet = false } = {}) => {
    const child = spawn(join(root, 'node_modules/.bin/cdk'), [...args, '--no-notices'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...env,
        // The app of the CDK runs on the Node that runs this.
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        CDK_DISABLE_CLI_TELEMETRY: '1',
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (!quiet) process.stderr.write(text);
      });
    }
    const [exitCode] = await once(child, 'close');
    return { exitCode: exitCode ?? 1, output };
  };

/** Runs an operator's command: reads its arguments, provides what it needs, and reports a failure in one sentence. */
export const runCommand = async (
  read: (args: readonly string[]) => Arguments | 'help',
  usage: string,
  command: (given: Arguments, surroundings: Surroundings) => Promise<void>,
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-deploy-'));
  try {
    const given = read(process.argv.slice(2));
    if (given === 'help') return console.log(usage);
    const remembered = new RememberedSettings(rememberedFile);
    await command(given, {
      ...{ terminal, remembered, folder, cdk: cdkWith(given.env) },
      account: (region) => signedInAccount(region, given.env.AWS_PROFILE),
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
