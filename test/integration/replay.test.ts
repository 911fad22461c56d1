import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notification } from '#shared/notifications/notification';
import { ApiClient } from '../support/client.ts';
import {
  runServerCommand,
  type ServerProcess,
  startServerProcess,
  temporaryFolder,
} from '../support/server-process.ts';
import { SocketClient } from '../support/socket-client.ts';

const header = 'Date,Open,High,Low,Close,Volume';
const firstMinute = Date.parse('2025-08-05T20:49:00Z');

interface Wick {
  readonly minute: number;
  readonly high: string;
}

/** Candles of one minute that stay between `low` and `high`, but for those with a wick. */
const candles = (minutes: number, [low, middle, high]: readonly [string, string, string], wicks: readonly Wick[]) => {
  const rows = Array.from({ length: minutes }, (_, minute) => {
    const time = new Date(firstMinute + minute * 60_000).toISOString().slice(0, 19).replace('T', ' ');
    const top = wicks.find((wick) => wick.minute === minute)?.high ?? high;
    return `${time},${middle},${top},${low},${middle},1.5`;
  });
  return `${[header, ...rows].join('\n')}\n`;
};

const level = (symbol: string, value: string) =>
  ({ type: 'price', venue: 'replay', symbol, operator: 'crosses_above', value }) as const;

const syncSeconds = { ALPHAPULSE_SYNC_SECONDS: '0.05' };
const folder = await temporaryFolder();
const running = new Set<ServerProcess>();
afterAll(async () => {
  await Promise.all([...running].map((server) => server.end('SIGKILL')));
  await folder.remove();
});

const fileOf = async (name: string, content: string | Uint8Array): Promise<string> => {
  const file = join(folder.path, name);
  await writeFile(file, content);
  return file;
};

const play = async (dataFolder: string, files: readonly string[], speed: number) => {
  const server = await startServerProcess(dataFolder, ['--replay', ...files, '--speed', String(speed)], syncSeconds);
  running.add(server);
  return server;
};

const listening = async (server: ServerProcess, client: ApiClient) => {
  const socket = await SocketClient.open(server.webSocketUrl, client.token);
  await socket.subscribe(['alerts']);
  return socket;
};

describe('recorded candles', () => {
  const dataFolder = join(folder.path, 'played');
  let client: ApiClient;
  let socket: SocketClient;
  let ids: Record<'wick' | 'high' | 'ether' | 'never', string>;

  beforeAll(async () => {
    const bitcoin = await fileOf(
      'BTCUSDT_1m.csv',
      candles(60, ['99990.5', '100000.5', '100010.5'], [{ minute: 30, high: '100500.25' }]),
    );
    const ether = await fileOf('ETHUSDT_1m.csv', candles(60, ['3999', '4000', '4001.75'], []));
    // The alerts are set while the record as good as stands still; then it is played from its beginning.
    const slow = await play(dataFolder, [bitcoin, ether], 1);
    const first = await ApiClient.of(slow, dataFolder);
    await first.priceIs('BTC/USDT', '100000.5');
    const set = async (symbol: string, value: string) =>
      (await first.createAlert({ condition: level(symbol, value), channels: ['websocket', 'email'] })).alertId;
    ids = {
      wick: await set('BTC/USDT', '100500.25'),
      high: await set('BTC/USDT', '100010'),
      ether: await set('ETH/USDT', '4001.75'),
      never: await set('BTC/USDT', '100500.26'),
    };
    await slow.end();
    const server = await play(dataFolder, [bitcoin, ether], 6000);
    client = await ApiClient.of(server, dataFolder);
    socket = await SocketClient.open(server.webSocketUrl, client.token);
    await socket.subscribe(['alerts'], { alerts: 0 });
    await socket.next('the wick', ({ data }) => (data as Notification | undefined)?.alertId === ids.wick);
    // Prices of minute 59 are the last ones.
    await socket.subscribe(['prices:replay:BTC/USDT']);
    const end = firstMinute + 60 * 60_000 - 1;
    await socket.next('the end', ({ data }) => (data as { timestamp?: number } | null)?.timestamp === end);
  });

  it('fire an alert whose level only a wick reaches, once', async () => {
    const firings = (await client.history()).filter(({ alertId }) => alertId === ids.wick);
    expect(firings).toMatchObject([
      { value: '100500.25', deliveries: [{ channel: 'websocket' }, { channel: 'email' }] },
    ]);
  });

  it('push each firing once to a socket', async () => {
    const pushed = socket.updates('alerts').map(({ data }) => (data as Notification).alertId);
    expect(pushed.toSorted()).toEqual([ids.wick, ids.high, ids.ether].toSorted());
  });

  it('put one mail for each firing into the outbox', async () => {
    const firings = await client.history();
    const mails = await client.outboxOf(firings.length);
    expect(mails.map(({ id }) => id).toSorted()).toEqual(
      firings.map(({ notificationId }) => notificationId).toSorted(),
    );
  });

  it('do not fire an alert whose level they never reach', async () => {
    const alerts = await client.alerts();
    expect(alerts.filter(({ status }) => status === 'active').map(({ alertId }) => alertId)).toEqual([ids.never]);
  });

  it('play two files together', async () => {
    const prices = await client.prices();
    expect(prices.map(({ symbol, last, source }) => [symbol, last, source])).toEqual([
      ['BTC/USDT', '100000.5', 'recorded'],
      ['ETH/USDT', '4000', 'recorded'],
    ]);
  });
});

describe('recorded candles over a restart', () => {
  it('go on where they were, and what fired does not fire again', async () => {
    const dataFolder = join(folder.path, 'restarted');
    const wicks = [
      { minute: 1, high: '160' },
      { minute: 20, high: '180' },
    ];
    const file = await fileOf('SOLUSDT_1m.csv', candles(120, ['149', '150', '151'], wicks));
    const slow = await play(dataFolder, [file], 1);
    const first = await ApiClient.of(slow, dataFolder);
    await first.priceIs('SOL/USDT', '150');
    // Played anew from its beginning, the record would fire a repeating alert a second time.
    const repeating = await first.createAlert({ condition: level('SOL/USDT', '155'), repeat: 'always' });
    const late = await first.createAlert({ condition: level('SOL/USDT', '175') });
    await slow.end();

    const second = await play(dataFolder, [file], 600);
    const socket = await listening(second, await ApiClient.of(second, dataFolder));
    await socket.next(
      'the first wick',
      ({ channel, seq, data }) => channel === 'alerts' && (seq === 1 || isFilled(data)),
    );
    await second.end();

    const third = await play(dataFolder, [file], 600);
    const client = await ApiClient.of(third, dataFolder);
    const rest = await SocketClient.open(third.webSocketUrl, client.token);
    await rest.subscribe(['alerts'], { alerts: 1 });
    await rest.next('the second wick', ({ data }) => (data as Notification | undefined)?.alertId === late.alertId);
    const firings = await client.history();
    // The second wick passes both levels.
    expect(firings.map(({ alertId, value }) => [alertId, value]).toSorted()).toEqual(
      [
        [repeating.alertId, '160'],
        [repeating.alertId, '180'],
        [late.alertId, '180'],
      ].toSorted(),
    );
  });
});

describe('a recording whose name says nothing', () => {
  const dataFolder = join(folder.path, 'named');
  let server: ServerProcess;

  beforeAll(async () => {
    const rows = candles(10, ['149', '150', '151'], []).trimEnd().split('\n').slice(1);
    const newestFirst = rows.toSpliced(4, 2).toReversed();
    const file = await fileOf('export.csv', `${[header, ...newestFirst].join('\n')}\n`);
    server = await startServerProcess(
      dataFolder,
      ['--replay', file, '--symbol', 'SOL/USDT', '--timeframe', '1m', '--speed', '1'],
      syncSeconds,
    );
    running.add(server);
  });

  it('is played as what --symbol and --timeframe say', async () => {
    const client = await ApiClient.of(server, dataFolder);
    expect(await client.priceIs('SOL/USDT', '150')).toMatchObject({ source: 'recorded' });
  });

  it('is said to be read so, with its gaps', () => {
    const line = server.printed.find((text) => text.trimStart().startsWith('Recorded'));
    expect(line).toMatch(/export\.csv: 8 candles of SOL\/USDT, 1m; its rows are newest first; it has a gap from /);
  });
});

const isFilled = (data: unknown): boolean => Array.isArray(data) && data.length > 0;

describe('a file that can not be played', () => {
  const row = '2025-08-05 20:49:00,100,110,90,105,1.5';
  const bad: readonly (readonly [kind: string, content: string | Uint8Array, reason: RegExp])[] = [
    ['is empty', '', /: is empty\.$/],
    [
      'has no header',
      `${row}\n`,
      /, line 1: the header Date,Open,High,Low,Close,Volume is missing; add one that names the columns\.$/,
    ],
    ['is binary', new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]), /, line 1: this is not a text file\.$/],
    [
      'has a wrong number',
      `${header}\n2025-08-05 20:49:00,100,11o,90,105,1\n`,
      /, line 2: high "11o" is not a number\.$/,
    ],
    [
      'has high below low',
      `${header}\n2025-08-05 20:49:00,100,90,110,105,1\n`,
      /, line 2: high "90" is below low "110"\.$/,
    ],
    ['has the same time twice', `${header}\n${row}\n${row}\n`, /, line 3: has the time of the row before\.$/],
  ];

  /** One sentence on one line that names the file. */
  const expectRefusal = async (file: string, args: readonly string[], reason: RegExp) => {
    const { code, stderr, stdout } = await runServerCommand([
      '--port',
      '0',
      '--data',
      join(folder.path, 'unused'),
      ...args,
    ]);
    expect({ code, stdout, named: stderr.includes(file), lines: stderr.split('\n').length }).toEqual({
      code: 2,
      stdout: '',
      named: true,
      lines: 2,
    });
    expect(stderr.trimEnd()).toMatch(reason);
  };

  it.concurrent.each(bad.map(([kind, content, reason], index) => [kind, content, reason, index] as const))(
    'because it %s',
    async (_kind, content, reason, index) => {
      const file = await fileOf(`BAD${index}USDT_1m.csv`, content);
      await expectRefusal(file, ['--replay', file], reason);
    },
  );

  it.concurrent('because it is not there', async () => {
    const file = join(folder.path, 'XRPUSDT_1m.csv');
    await expectRefusal(file, ['--replay', file], /: there is no such file, or it may not be read\.$/);
  });

  it.concurrent('because its name tells no symbol', async () => {
    const file = await fileOf('prices.csv', `${header}\n${row}\n`);
    await expectRefusal(
      file,
      ['--replay', file],
      /: the file name does not contain the symbol; give it with --symbol BTC\/USDT, or name the file like BTCUSDT_1m\.csv\.$/,
    );
  });

  it.concurrent('because another one records the same symbol', async () => {
    const file = await fileOf('ADAUSDT_1m.csv', `${header}\n${row}\n`);
    const other = await fileOf('ADAUSDT_1h.csv', `${header}\n${row}\n`);
    await expectRefusal(
      file,
      ['--replay', file, other],
      /: ADA\/USDT is recorded twice, in .*ADAUSDT_1m\.csv and .*ADAUSDT_1h\.csv\.$/,
    );
  });
});
