import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Level, LevelIndex, levelKey } from '#shared/market/crossing-index';
import type { PriceMove } from '#shared/market/tickers';
import type { UserId } from '#shared/model/user-id';
import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock } from '#shared/platform/system';
import { every } from '#shared/platform/table';
import { figure, printTable } from './table.ts';

const symbol = 'BTC/USDT';
const venue = 'bench';
/** Prices walk within this band, which holds the same levels whatever the number stored. */
const band = { low: 70_000, high: 71_000, levels: 500 };
const step = 4;

const level = (value: number, id: number): Level => ({
  ...levelKey(venue, symbol, 'up', value.toFixed(2), `alert-${id}`),
  kind: 'level',
  userId: 'bench' as UserId,
  alertId: `alert-${id}`,
  role: 'fire',
  operator: 'crosses_above',
  seen: 0,
});

/** Levels in and around the band: the stock of alerts that no tick of the bench reaches grows with the count. */
function* levels(count: number): Generator<Level> {
  for (let id = 0; id < count; id++) {
    const isNear = id < band.levels;
    const value = isNear
      ? band.low + ((id + 0.5) / band.levels) * (band.high - band.low)
      : id % 2 === 0
        ? 10_000 + Math.random() * 59_000
        : 72_000 + Math.random() * 100_000;
    yield level(value, id);
  }
}

function* walk(ticks: number): Generator<PriceMove> {
  let from = 70_500;
  for (let version = 1; version <= ticks; version++) {
    const to = Math.min(band.high, Math.max(band.low, from + (Math.random() - 0.5) * 2 * step));
    yield { venue, symbol, from: from.toFixed(2), to: to.toFixed(2), version, at: 0 };
    from = to;
  }
}

/** Microseconds per tick. */
const timed = async (moves: readonly PriceMove[], find: (move: PriceMove) => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  for (const move of moves) await find(move);
  return ((performance.now() - startedAt) * 1000) / moves.length;
};

/** What a tick costs to find the alerts it reaches, by the crossing index and by looking at every stored level. */
export const benchCrossing = async (quick: boolean): Promise<void> => {
  const counts = quick ? [1_000, 10_000, 100_000] : [1_000, 10_000, 100_000, 1_000_000];
  const measured: { count: number; indexed: number; scanned: number }[] = [];
  for (const count of counts) {
    const folder = await mkdtemp(join(tmpdir(), 'alphapulse-bench-'));
    const database = openDatabase(folder);
    try {
      const table = new SqliteTable(database, systemClock);
      let batch: { put: Level }[] = [];
      for (const put of levels(count)) {
        batch.push({ put });
        if (batch.length === 5000) {
          await table.writeMany(batch);
          batch = [];
        }
      }
      await table.writeMany(batch);
      const index = new LevelIndex(table);
      const find = (move: PriceMove) => index.reachedBy(move);
      const scan = async ({ version }: PriceMove) => {
        let reached = 0;
        for await (const { seen } of every<Level>(table, { pk: level(1, 0).pk })) if (seen >= version) reached++;
        return reached;
      };
      await timed([...walk(2_000)], find);
      const indexed = await timed([...walk(20_000)], find);
      const scanned = await timed([...walk(Math.max(1, Math.min(50, 300_000 / count)))], scan);
      measured.push({ count, indexed, scanned });
    } finally {
      database.close();
      await rm(folder, { recursive: true });
    }
  }
  const base = measured[0];
  printTable(
    'Finding the alerts that a tick reaches, by the number of alerts stored',
    ['alerts', 'index µs/tick', 'to 1k', 'scan µs/tick', 'to 1k', 'scan/index'],
    measured.map(({ count, indexed, scanned }) => [
      count.toLocaleString('en'),
      figure(indexed),
      figure(indexed / (base?.indexed ?? 1)),
      figure(scanned),
      figure(scanned / (base?.scanned ?? 1)),
      figure(scanned / indexed),
    ]),
  );
};
