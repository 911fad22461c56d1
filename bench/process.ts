import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program of the bench in its own process, so that what is measured does not share its thread. */
export interface Program {
  /** The first line that matches, as its match. */
  readonly ready: RegExpExecArray;
  stop(): Promise<void>;
}

export const start = async (
  args: readonly string[],
  readyLine: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<Program> => {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const ready = readyLine.exec(line);
    if (ready === null) continue;
    child.stdout.resume();
    return { ready, stop: () => stopped(child) };
  }
  throw new Error(`${args.join(' ')} ended before it was ready`);
};

const stopped = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
};
