import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { temporaryFolder } from '../support/server-process.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const folder = await temporaryFolder();
let server: ServerHere;

beforeAll(async () => {
  server = await startServerHere({}, { dataFolder: folder.path });
});
afterAll(async () => {
  await server?.end();
  await folder.remove();
});

/** Runs the command as a person without any AWS settings does. */
const redrive = async (...args: string[]) => {
  const plain = Object.entries(process.env).filter(([name]) => !/^(AWS|ALPHAPULSE)_/.test(name));
  const env = {
    ...Object.fromEntries(plain),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder.path, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder.path, 'none'),
  };
  return await run(process.execPath, ['bin/redrive.ts', ...args], { cwd: root, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );
};

describe('the redrive command', () => {
  it.concurrent.each<[kind: string, args: () => string[], code: number, told: RegExp]>([
    ['the queue is unknown', () => ['--queue', 'alerts'], 2, /^There are no dead letters "alerts"[,;] /],
    [
      'the server runs',
      () => ['--queue', 'alerts-dead', '--data', folder.path],
      1,
      /^The data folder .* is in use: stop the server first, and start it afterwards\.$/,
    ],
    [
      'there is no data folder',
      () => ['--queue', 'alerts-dead', '--data', join(folder.path, 'none')],
      1,
      /^There is no store in .*none; name its folder with --data\.$/,
    ],
    ['no region is set', () => ['--queue', 'alerts-dead', '--stage', 'dev'], 1, /^No AWS region is set: /],
    [
      'nobody is signed in',
      () => ['--queue', 'alerts-dead', '--stage', 'dev', '--region', 'eu-west-1'],
      1,
      /^There are no AWS credentials that work: /,
    ],
  ])('tells in one sentence why it can not: %s', async (_kind, args, code, told) => {
    const ended = await redrive(...args());
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' });
    expect(ended.stderr.trimEnd()).toMatch(told);
  });

  it('says why scheduled runs are not sent back', async () => {
    expect(await redrive('--queue', 'schedules-dead')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Scheduled runs are not sent back: the next one, due within a minute, /),
    });
  });

  it('shows its usage', async () => {
    expect((await redrive('--help')).stdout).toMatch(/^Usage: npm run redrive -- --queue NAME/);
  });

  it('tells what it did', async () => {
    const { platform } = server;
    const orders = ['1', '2'].map((userId) => ({ body: JSON.stringify({ userId, seq: 1, channel: 'email' }) }));
    await platform.queue('deliveries-dead').send(orders);
    await platform.queue('push-dead').send([{ body: 'damaged' }]);
    await server.end();
    const here = ['--data', folder.path];
    expect(await redrive('--queue', 'alerts-dead', ...here)).toMatchObject({
      code: 0,
      stdout: 'There are no dead letters in alerts-dead.\n',
    });
    expect((await redrive('--queue', 'deliveries-dead', '--max', '1', ...here)).stdout.split('\n')).toEqual([
      '1 message went back from deliveries-dead to deliveries.',
      '1 left in deliveries-dead.',
      'The server goes on with them when it is started again.',
      '',
    ]);
    const failed = await redrive('--queue', 'push-dead', ...here);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^1 could not be sent back: .+\.$/m);
    expect(failed.stdout).toMatch(/^1 left in push-dead\.$/m);
  });
});
