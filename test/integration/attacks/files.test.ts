/** Other users of the machine look into the files of the server. */
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startServerHere } from '../../support/server-here.ts';
import { runServerCommand, startServerProcess, temporaryFolder } from '../../support/server-process.ts';

const folder = await temporaryFolder();
afterAll(() => folder.remove());

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** A folder that everybody can open, with these files. */
const openFolder = async (name: string, ...files: string[]): Promise<string> => {
  const path = join(folder.path, name);
  await mkdir(path);
  for (const file of files) await writeFile(join(path, file), '');
  await chmod(path, 0o755);
  return path;
};

describe('the files of a server', () => {
  it('are for their owner alone, in a folder for their owner alone', async () => {
    const data = join(folder.path, 'new', 'data');
    const server = await startServerProcess(data, ['--venue', 'sim']);
    try {
      expect(await modeOf(data)).toBe(0o700);
      const files = await readdir(data);
      expect(files).toEqual(expect.arrayContaining(['alphapulse.db', 'demo-login.txt', 'outbox-url.txt']));
      for (const file of files) expect([file, await modeOf(join(data, file))]).toEqual([file, 0o600]);
    } finally {
      await server.end();
    }
  });

  it.each([
    ['that is empty', []],
    ['of an earlier server', ['secrets.key.draft', 'alphapulse.db']],
  ])('close a data folder %s to others', async (kind, files) => {
    const data = await openFolder(kind, ...files);
    const server = await startServerHere({}, { dataFolder: data });
    await server.end();
    expect(await modeOf(data)).toBe(0o700);
  });

  it('are not put into an open folder of something else, which stays as it is', async () => {
    const data = await openFolder('home', 'letter.txt');
    const { code, stderr, stdout } = await runServerCommand(['--port', '0', '--venue', 'sim', '--data', data]);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `Other users of this machine can open the data folder ${data}: choose another with --data, or close it with chmod 700.\n`,
    ]);
    expect([await readdir(data), await modeOf(data)]).toEqual([['letter.txt'], 0o755]);
  });
});
