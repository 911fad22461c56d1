import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrossingEntry, crossingEntry, levelsOf, priceSeries } from '#shared/market/crossing-entry';
import { CrossingIndex, type SeriesMove } from '#shared/market/crossing-index';
import type { UserId } from '#shared/model/user-id';
import { openDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { systemClock } from '#shared/platform/system';
import { every } from '#shared/platform/table';
import { figure, printTable } from './table.ts';

const series = priceSeries('bench', 'BTC/USDT');
/** Prices walk within this band, which holds the same levels whatever the number stored. */
const band = { low: 70_000, high: 71_000, levels: 500 };
const step = 4;

const entryAt = (value: number, id: number): CrossingEntry =>
  crossingEntry(
    { series, direction: 'up', value: value.toFixed(2), reachedByFirst: false },
    { userId: 'bench' as UserId, id: `alert-${id}`, role: 'fire' },
    0,
  );

/** Entries in and around the band: with the count grows the number of alerts that no tick of the bench reaches. */
function* entries(count: number): Generator<CrossingEntry> {
  for (let id = 0; id < count; id++) {
    const isNear = id < band.levels;
    const value = isNear
      ? band.low + ((id + 0.5) / band.levels) * (band.high - band.low)
      : id % 2 === 0
        ? 10_000 + Math.random() * 59_000
        : 72_000 + Math.random() * 100_000;
    yield entryAt(value, id);
  }
}

function* walk(ticks: number): Generator<SeriesMove> {
  let from = 70_500;
  for (let version = 1; version <= ticks; version++) {
    const to = Math.min(band.high, Math.max(band.low, from + (Math.random() - 0.5) * 2 * step));
    yield { series, from: from.toFixed(2), to: to.toFixed(2), version, at: 0 };
    from = to;
  }
}

/** Microseconds per tick. */
const timed = async (moves: readonly SeriesMove[], find: (move: SeriesMove) => Promise<unknown>): Promise<number> => {
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
      let batch: { put: CrossingEntry }[] = [];
      for (const put of entries(count)) {
        batch.push({ put });
        if (batch.length === 5000) {
          await table.writeMany(batch);
          batch = [];
        }
      }
      await table.writeMany(batch);
      const index = new CrossingIndex(table);
      const find = (move: SeriesMove) => index.reachedBy(move);
      const scan = async ({ version }: SeriesMove) => {
        let reached = 0;
        for await (const { seen } of every<CrossingEntry>(table, { pk: levelsOf(series, 'up') }))
          if (seen >= version) reached++;
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
