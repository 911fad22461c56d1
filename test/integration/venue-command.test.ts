/** `npm run venue`: a venue to try things on, and what it prints to go on with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../support/client.ts';
import { startServerProcess, temporaryFolder } from '../support/server-process.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = await temporaryFolder();
const stops: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await folder.remove();
});

/** Starts the command and waits for its last line. @returns what it printed, by the word at the front */
const startVenueCommand = async (id: string): Promise<Map<string, string>> => {
  const child = spawn(process.execPath, ['bin/venue.ts', id, '--port', '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stops.push(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const printed = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, word = '', rest = ''] = /^ *(\w+) +(.*)$/.exec(line) ?? [];
    printed.set(word, rest);
    if (word === 'Price') break;
  }
  return printed;
};

describe.each(['binance', 'bybit', 'kraken'])('npm run venue -- %s', (id) => {
  it('prints the command that watches it, and one that moves a price, which arrives', async () => {
    const printed = await startVenueCommand(id);
    const [, urls = '', args = ''] =
      /^ALPHAPULSE_VENUE_URLS='([^']+)' npm start -- (.+)$/.exec(printed.get('Start') ?? '') ?? [];
    const data = join(folder.path, id);
    const server = await startServerProcess(data, args.split(' '), {
      ALPHAPULSE_VENUE_URLS: urls,
      ALPHAPULSE_SYNC_SECONDS: '0.1',
    });
    stops.push(() => server.end('SIGKILL'));
    const client = await ApiClient.of(server, data);
    await client.anyPrice();

    const [, url = '', body = ''] = /^curl -X POST (\S+) -d '([^']+)'$/.exec(printed.get('Price') ?? '') ?? [];
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    expect(await client.priceIs('BTC/USDT', '70000')).toMatchObject({ venue: id, source: 'live' });

    const refused = ['{"symbol":"NOPE/USDT","last":"1"}', '{"symbol":"BTC/USDT","last":"-1"}', 'x'];
    for (const wrong of refused) expect((await fetch(url, { method: 'POST', body: wrong })).status).toBe(422);
    expect((await fetch(url)).status).toBe(405);
  });
});
