import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock } from '#shared/platform/system';
import { newFolder } from './folder.ts';

const program = new URL('./confirmed-writes.ts', import.meta.url).pathname;

/** Lets the program write until it has confirmed `count` items, kills it amid its work, and returns what it confirmed. */
async function confirmedBeforeKill(folder: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const confirmed: string[] = [];
  for await (const sk of createInterface({ input: child.stdout })) {
    confirmed.push(sk);
    if (confirmed.length === count) child.kill('SIGKILL');
  }
  await closed;
  return confirmed;
}

it('has every confirmed item and its change after the process was killed, and frees the folder', async () => {
  const folder = newFolder();
  // Known before the first write, so that it starts at the beginning.
  const prepared = openDatabase(folder);
  new ChangeLog(prepared, ['alerts']);
  prepared.close();

  const confirmed = await confirmedBeforeKill(folder, 500);

  const database = openDatabase(folder);
  onTestFinished(() => database.close());
  const stored = await new SqliteTable(database, systemClock).getMany(confirmed.map((sk) => ({ pk: 'p', sk })));
  const changes = await new ChangeLog(database, ['alerts']).read('alerts', 1_000_000);
  const logged = new Set(changes.map(({ key }) => key.sk));
  expect(stored.map(({ sk }) => sk)).toEqual(confirmed);
  expect(confirmed.filter((sk) => !logged.has(sk))).toEqual([]);
});

it('refuses the folder of another process while it lives', async () => {
  const folder = newFolder();
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  expect(() => openDatabase(folder)).toThrow(/in use/);
});
