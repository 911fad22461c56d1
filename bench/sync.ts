import { createAccountSync } from '#functions/queue/account-sync';
import { queueEvent } from '#local/queue-event';
import { localLogger, localMetrics } from '#local/telemetry';
import { AccountRecords } from '#shared/accounts/account-records';
import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock } from '#shared/platform/system';
import type { Item } from '#shared/platform/table';
import { accountSystem, owner } from '../test/support/account-system.ts';
import { spot } from '../test/support/account-venues.ts';
import { MemoryVenue, orderAt, tradeAt } from '../test/support/memory-venue.ts';
import { temporaryFolder } from '../test/support/server-process.ts';
import { testContext, testPlatform } from '../test/support/test-platform.ts';
import { figure, printTable, quantile } from './table.ts';

const firstTrades = 5000;
const newTrades = 500;
/** Of a page at Binance. */
const tradesAtOnce = 1000;

/** Milliseconds of a bare write of as many items in one transaction of the same store, and nothing else. */
const bareWrite = async (items: number, rounds: number): Promise<number> => {
  if (items === 0) return 0;
  const folder = await temporaryFolder();
  const database = openDatabase(folder.path);
  const table = new SqliteTable(database, systemClock);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const puts = Array.from({ length: items }, (_, item) => ({
      put: { pk: `P#${round}`, sk: String(item), kind: 'bare', filler: 'x'.repeat(400) } satisfies Item,
    }));
    const startedAt = performance.now();
    await table.writeMany(puts);
    times.push(performance.now() - startedAt);
  }
  database.close();
  await folder.remove();
  return quantile(times, 0.5);
};

/** What a sync reads and writes, and how long it takes beside a bare write of as much; the venue answers at once. */
export const benchSync = async (quick: boolean): Promise<void> => {
  const rounds = quick ? 5 : 30;
  const folder = await temporaryFolder();
  const database = openDatabase(folder.path);
  const system = testPlatform({ market: { venues: ['sim', 'binance'] } }, undefined, database);
  const venue = Object.assign(new MemoryVenue(), { tradesAtOnce });
  venue.held = Array.from({ length: 20 }, (_, asset) => spot(`A${asset}`, '1'));
  venue.orders = Array.from({ length: 10 }, (_, order) => orderAt(String(order)));
  const trades = (count: number) => {
    const from = venue.made.length;
    for (let trade = 0; trade < count; trade += 1) venue.made.push(tradeAt(String(from + trade), from + trade + 1));
  };
  trades(firstTrades);
  const { accountId } = await accountSystem(system, 'binance', async () => venue);
  const sync = createAccountSync(
    { ...system.platform, metrics: localMetrics(localLogger('SILENT')) },
    async () => venue,
  );

  const measured = async () => {
    const body = JSON.stringify({ userId: owner, accountId, dueAt: system.clock.now(), userRequested: false });
    const message = { id: '1', receipt: '1', receiveCount: 1, sentAt: system.clock.now(), body };
    system.table.calls.length = 0;
    const startedAt = performance.now();
    const { batchItemFailures } = await sync(queueEvent('account-sync', [message]), testContext);
    const ms = performance.now() - startedAt;
    if (batchItemFailures.length > 0) throw new Error('The sync failed');
    const calls = system.table.calls.filter(({ keys }) => keys.every(({ pk }) => pk.includes(owner)));
    const count = (writes: boolean) => calls.filter((call) => call.writes === writes);
    return {
      ms,
      reads: count(false).length,
      writes: count(true).length,
      items: count(true).reduce((sum, { keys }) => sum + keys.length, 0),
    };
  };
  const repeated = async (seconds: number, change: () => void) => {
    const all: Awaited<ReturnType<typeof measured>>[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await system.clock.advance(seconds * 1000);
      change();
      all.push(await measured());
    }
    const middle = (name: 'ms' | 'reads' | 'writes' | 'items') =>
      quantile(
        all.map((one) => one[name]),
        0.5,
      );
    return { ms: middle('ms'), reads: middle('reads'), writes: middle('writes'), items: middle('items') };
  };

  const first = await measured();
  const { items: page } = await new AccountRecords(system.platform).trades(owner, accountId, { limit: 1 });
  if (page.length === 0) throw new Error('The first sync read no trades');
  await repeated(5, () => {});
  const unchanged = await repeated(1, () => {});
  const status = await repeated(61, () => {});
  let total = 1;
  const changed = await repeated(61, () => {
    total += 1;
    venue.held = [spot('A0', String(total)), ...venue.held.slice(1)];
  });
  const traded = await repeated(61, () => trades(newTrades));
  const row = async (name: string, { ms, reads, writes, items }: typeof first) => {
    const bare = await bareWrite(items, rounds);
    return [
      name,
      String(reads),
      String(writes),
      String(items),
      figure(ms),
      figure(bare),
      bare === 0 ? '–' : figure(ms / bare),
    ];
  };
  printTable(
    'A sync of an account with 20 assets and 10 open orders: calls of the table, items written, milliseconds',
    ['', 'reads', 'writes', 'items', 'ms', 'bare write', 'to bare'],
    [
      await row('nothing changed', unchanged),
      await row('nothing changed, a minute later: the status', status),
      await row('one balance changed', changed),
      await row(`${newTrades} new trades`, traded),
      await row(`the first sync, ${firstTrades} trades`, first),
    ],
  );
  database.close();
  await folder.remove();
};
