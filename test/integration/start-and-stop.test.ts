import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '#shared/alerts/alert';
import { ApiClient, call, logIn } from '../support/client.ts';
import {
  demoPassword,
  runServerCommand,
  type ServerProcess,
  startServerProcess,
  temporaryFolder,
} from '../support/server-process.ts';
import { SocketClient } from '../support/socket-client.ts';

const folder = await temporaryFolder();
const dataFolder = join(folder.path, 'data');
let server: ServerProcess;

const start = async () => {
  server = await startServerProcess(dataFolder, ['--venue', 'sim'], { ALPHAPULSE_SYNC_SECONDS: '0.05' });
};

beforeAll(start);
afterAll(async () => {
  await server?.end('SIGKILL');
  await folder.remove();
});

describe('the start', () => {
  it('says where it runs, how to log in and where prices come from, in this order', () => {
    const at = (what: RegExp) => server.printed.findIndex((line) => what.test(line));
    const order = [
      /runs at http:\/\/127\.0\.0\.1:\d+$/,
      /Login {2,}demo@example\.com, the password is in .*demo-login\.txt$/,
      /Prices {2,}simulated/,
    ].map(at);
    expect(order[0]).toBe(0);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(-1);
  });

  it('is over when that is printed: the server answers, and the login in the file it names works', async () => {
    const password = await demoPassword(dataFolder);
    // The output is a pipe, not a terminal.
    expect(server.printed.join('\n')).not.toContain(password);
    expect((await call(`${server.url}/health`)).body).toEqual({ status: 'ok' });
    expect((await logIn(server.url, password)).status).toBe(200);
  });

  it('keeps the login in a file that only its owner reads', async () => {
    expect((await stat(join(dataFolder, 'demo-login.txt'))).mode & 0o777).toBe(0o600);
  });
});

describe('a stop by Ctrl-C', () => {
  it('ends well, says goodbye to sockets and keeps logins and alerts', async () => {
    const client = await ApiClient.of(server, dataFolder);
    const password = await demoPassword(dataFolder);
    await client.anyPrice();
    const alerts: Alert[] = [];
    for (const value of ['1', '9000000']) {
      const operator = value === '1' ? 'below' : 'above';
      const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator, value } as const;
      alerts.unshift(await client.createAlert({ condition }));
    }
    const socket = await SocketClient.open(server.webSocketUrl, client.token);
    await socket.subscribe(['alerts']);

    expect(await server.end('SIGINT')).toEqual({ code: 0, signal: null });
    expect(await socket.closed).toBe(1001);
    expect(socket.messages.at(-1)).toMatchObject({ type: 'goodbye', reconnect: true });

    await start();
    const told = server.printed.join('\n');
    expect(told).toContain('demo-login.txt');
    expect(told).not.toContain(password);
    const answer = await logIn(server.url, password);
    expect(answer.status).toBe(200);
    const again = new ApiClient(server.url, (answer.body as { accessToken: string }).accessToken);
    expect(await again.alerts()).toEqual(alerts);
  });
});

it('a stop by SIGTERM ends well too', async () => {
  const other = await startServerProcess(join(folder.path, 'terminated'), ['--venue', 'sim']);
  expect(await other.end('SIGTERM')).toEqual({ code: 0, signal: null });
});

it('--help prints the usage', async () => {
  expect((await runServerCommand(['--help'])).stdout).toMatch(/^Usage: npm start/);
});

describe('a start that can not be', () => {
  const taken = createServer();
  const file = join(folder.path, 'file');
  beforeAll(async () => {
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    await writeFile(file, 'not a folder');
    await mkdir(join(folder.path, 'broken', 'alphapulse.db'), { recursive: true });
  });
  afterAll(() => taken.close());
  const spare = () => ['--port', '0', '--venue', 'sim'];
  const port = () => String((taken.address() as AddressInfo).port);

  it.concurrent.each<[kind: string, args: () => string[], code: number, told: () => RegExp]>([
    [
      'the port is taken',
      () => ['--venue', 'sim', '--data', join(folder.path, 'other'), '--port', port()],
      1,
      () => new RegExp(`^Port ${port()} of 127\\.0\\.0\\.1 is taken; `),
    ],
    ['the data folder is a file', () => [...spare(), '--data', file], 1, () => /^The data folder .* is not a folder; /],
    ['the data folder is below a file', () => [...spare(), '--data', join(file, 'x')], 1, () => /is not a folder; /],
    [
      'the store can not be opened',
      () => [...spare(), '--data', join(folder.path, 'broken')],
      1,
      () => /^The data folder .* can't be used: /,
    ],
    ['another one runs there', () => [...spare(), '--data', dataFolder], 1, () => /^The data folder .* is in use: /],
    ['a flag is unknown', () => ['--colour', 'red'], 2, () => /^There is no flag --colour; see --help\.$/],
    ['the port is none', () => ['--port', '70000'], 2, () => /^--port must be a port, 0 to 65535, not "70000"\.$/],
    ['the port is a word', () => ['--port', 'web'], 2, () => /^--port must be a port, 0 to 65535, not "web"\.$/],
    ['the venue is unknown', () => ['--venue', 'binnance'], 2, () => /there is no venue binnance, perhaps binance\.$/],
  ])('tells in one sentence why: %s', async (_kind, args, code, told) => {
    const ended = await runServerCommand(args());
    expect({ code: ended.code, stdout: ended.stdout, lines: ended.stderr.split('\n').length }).toEqual({
      code,
      stdout: '',
      lines: 2,
    });
    expect(ended.stderr.trimEnd()).toMatch(told());
    expect(ended.stderr).toMatch(/\.\n$/);
  });
});
