import { describe, expect, it } from 'vitest';
import { ProxyNetworks } from '#local/forwarded';
import { type Started, startLines } from '#local/start-lines';

const printed = (changes: Partial<Started> = {}): string =>
  startLines({
    version: '1.2.3',
    options: { host: '127.0.0.1', proxy: undefined },
    server: {
      url: 'http://127.0.0.1:3000',
      webSocketUrl: 'ws://127.0.0.1:3000/ws',
      outboxUrl: 'http://127.0.0.1:3000/outbox?token=t',
    },
    source: { description: 'simulated', notes: [] },
    login: { email: 'demo@example.com', password: 'the-password', file: '/data/demo-login.txt' },
    corsOrigins: ['http://localhost:5173'],
    dataFolder: '/data',
    isTerminal: false,
    ...changes,
  }).join('\n');

describe('the first lines printed', () => {
  it('show the password on a terminal only; elsewhere they name its file', () => {
    expect(printed({ isTerminal: true })).toMatch(/Login +demo@example\.com, password the-password \(kept in /);
    expect(printed()).toMatch(/Login +demo@example\.com, the password is in \/data\/demo-login\.txt$/m);
    expect(printed()).not.toContain('the-password');
  });

  it('say where the outbox is, or that there is none', () => {
    expect(printed()).toMatch(/Outbox +http:\/\/127\.0\.0\.1:3000\/outbox\?token=t$/m);
    const server = { url: 'http://x', webSocketUrl: 'ws://x/ws', outboxUrl: undefined };
    expect(printed({ server })).toMatch(/Outbox +none/);
  });

  it('say of each recorded file what was read', () => {
    const source = {
      description: 'recorded',
      notes: ['a.csv: 3 candles of BTC/USDT, 1m; its rows are newest first', 'b'],
    };
    expect(printed({ source })).toMatch(
      /Prices +recorded\n +Recorded +a\.csv: 3 candles.*newest first\n +Recorded +b$/m,
    );
  });

  it('say which pages may call the API', () => {
    expect(printed()).toMatch(/Web pages +of http:\/\/localhost:5173 may call the API$/m);
  });

  it('warn where other machines reach the server directly', () => {
    expect(printed()).not.toContain('Other machines');
    expect(printed({ options: { host: '0.0.0.0', proxy: undefined } })).toContain('Other machines can reach');
  });

  it('name the public URL of a proxy', () => {
    const networks = ProxyNetworks.parse('127.0.0.1');
    if (networks === undefined) throw new Error('no networks');
    const options = { host: '0.0.0.0', proxy: { networks, publicUrl: 'https://app.example.com' } };
    expect(printed({ options })).toMatch(/Public +https:\/\/app\.example\.com$/m);
  });
});
