import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { liveVenues, startFleet, venueLimits } from '../test/support/account-fleet.ts';
import { figure, printTable } from './table.ts';

/** Live accounts by what each venue's budget allows in the period; docs/accounts.md has the sums. */
const fleets = {
  quick: { accounts: { paper: 20, binance: 12, bybit: 4, kraken: 24 }, syncSeconds: 60 },
  full: { accounts: { paper: 300, binance: 100, bybit: 200, kraken: 400 }, syncSeconds: 300 },
};
/** How often the dispatcher comes. */
const places = { 'one machine': 5, AWS: 60 };
/** What finds no room at once comes again some seconds later. */
const graceSeconds = 25;
const minutes = 10;
const firstMinutesMax = 60;

setFlagsFromString('--expose_gc');
const collect: () => void = runInNewContext('gc');

const megabytes = () => {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 };
};

/** Least squares, per step. */
const slope = (values: readonly number[]): number => {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const above = values.reduce((sum, value, step) => sum + (step - middle) * (value - mean), 0);
  return above / values.reduce((sum, _, step) => sum + (step - middle) ** 2, 0);
};

/** Ten minutes of many accounts on one machine: requests to the venues, whether every sync is on time, and memory. */
export const benchAccounts = async (quick: boolean): Promise<void> => {
  for (const [place, dispatchSeconds] of Object.entries(places)) {
    await benchFleet(quick ? fleets.quick : fleets.full, place, dispatchSeconds);
  }
};

const benchFleet = async (
  { accounts, syncSeconds }: (typeof fleets)['full'],
  place: string,
  dispatchSeconds: number,
): Promise<void> => {
  const fleet = await startFleet({ accounts, syncSeconds, dispatchSeconds });
  try {
    const begun = fleet.clock.now();
    const firstSeconds = new Map<string, number>();
    while (firstSeconds.size < liveVenues.length && fleet.clock.now() < begun + firstMinutesMax * 60_000) {
      await fleet.pass(10);
      fleet.forget();
      for (const venue of liveVenues) {
        const isWell = !firstSeconds.has(venue) && (await fleet.well(venue)) === accounts[venue];
        if (isWell) firstSeconds.set(venue, (fleet.clock.now() - begun) / 1000);
      }
    }
    const since = fleet.clock.now();
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    fleet.reset();
    const memory = [megabytes()];
    for (let minute = 0; minute < minutes; minute += 1) {
      await fleet.pass(60);
      fleet.forget();
      memory.push(megabytes());
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const rows = await Promise.all(
      liveVenues.map(async (venue) => {
        const seen = fleet.seen(venue, graceSeconds, since);
        const { most, unit } = venueLimits[venue];
        return { ...seen, venue, limit: most, unit, well: await fleet.well(venue) };
      }),
    );
    const syncs = rows.reduce((sum, row) => sum + row.syncs, 0);
    printTable(
      `Dispatched as on ${place}: ${accounts.paper} paper accounts and these, every ${syncSeconds} s, ${minutes} minutes`,
      [
        '',
        'accounts',
        'all well after s',
        'syncs',
        'in period',
        'requests/s',
        'most in a window',
        'of limit',
        'refused',
      ],
      rows.map((row) => [
        row.venue,
        String(row.accounts),
        String(firstSeconds.get(row.venue) ?? 'never'),
        String(row.syncs),
        `${figure((row.inTime / row.accounts) * 100)} %`,
        figure(row.requests / minutes / 60),
        `${row.most} of ${row.limit} ${row.unit}`,
        figure(row.most / row.limit),
        String(row.refused),
      ]),
    );
    const { read, written } = fleet.items();
    const { user, system } = process.cpuUsage(cpu);
    console.log(
      `\nper sync: ${figure(read / syncs)} items read, ${figure(written / syncs)} written, ` +
        `${figure((user + system) / 1000 / syncs)} ms of CPU with the doubles and virtual time; ${figure(seconds)} s in all`,
    );
    const at = (minute: number) => memory[minute] ?? { heap: Number.NaN, rss: Number.NaN };
    printTable(
      'Memory after a collection, MB',
      ['', 'start', 'middle', 'end', 'slope per minute'],
      (['heap', 'rss'] as const).map((name) => [
        name,
        ...[0, minutes / 2, minutes].map((minute) => figure(at(minute)[name])),
        slope(memory.map((measured) => measured[name])).toFixed(2),
      ]),
    );
  } finally {
    await fleet.end();
  }
};
