import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Ticker, Venue } from '#shared/exchange/venue';
import { loadCandles } from '#shared/exchange/venues/replay/candle-file';
import { createReplay, REPLAY_STEPS_MAX } from '#shared/exchange/venues/replay/replay';

const folder = mkdtempSync(join(tmpdir(), 'replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const RECORDED = Date.UTC(2025, 7, 5, 20, 49);
const STARTED = Date.UTC(2026, 0, 1);

/** Rows are `open,high,low,close,volume`, a minute apart. */
const record = (name: string, rows: readonly string[], first = RECORDED) => {
  const path = join(folder, name);
  const lines = rows.map((row, i) => `${first + i * MINUTE_MS},${row}`);
  writeFileSync(path, ['Date,Open,High,Low,Close,Volume', ...lines].join('\n'));
  return loadCandles(path);
};

async function given(
  files: Readonly<Record<string, readonly string[] | { rows: readonly string[]; first: number }>>,
  speed = 1,
) {
  const candles = await Promise.all(
    Object.entries(files).map(([name, content]) =>
      'rows' in content ? record(name, content.rows, content.first) : record(name, content),
    ),
  );
  let now = STARTED;
  const clock = { now: () => now, sleep: async () => {} };
  const replay = createReplay({ candles, speed, clock, startedAt: STARTED });
  const symbols = candles.map(({ symbol }) => symbol);
  const seen = new Map<string, number>();
  /** What is new at a wall time after the start. */
  const at = async (elapsedMs: number): Promise<Ticker[]> => {
    now = STARTED + elapsedMs;
    const tickers = await replay.tickers(symbols, seen);
    for (const { symbol, timestamp } of tickers) seen.set(symbol, timestamp);
    return tickers;
  };
  return { replay, at, symbols };
}

const lasts = (tickers: readonly Ticker[]): string[] => tickers.map(({ last }) => last);
const times = (tickers: readonly Ticker[]): number[] => tickers.map(({ timestamp }) => timestamp - RECORDED);
/** `count` minutes whose price rises by one each. */
const rising = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${i + 10},${i + 11},${i + 10},${i + 11},1.5`);

describe('a candle', () => {
  it('is played as open, the nearer extreme, the other one, close', async () => {
    const nearHigh = await given({ 'BTCUSDT_1m.csv': ['9,10,1,5,0'] });
    expect(lasts(await nearHigh.at(MINUTE_MS))).toEqual(['9', '10', '1', '5']);
    const nearLow = await given({ 'BTCUSDT_1m.csv': ['2,10,1,5,0'] });
    expect(lasts(await nearLow.at(MINUTE_MS))).toEqual(['2', '1', '10', '5']);
  });

  it('has its steps at its start, its thirds and its last millisecond', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': rising(1) });
    expect(times(await at(MINUTE_MS))).toEqual([0, 20_000, 40_000, 59_999]);
  });

  it('shows each step when its time has come, and once', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': ['9,10,1,5,0', '6,7,4,5,0'] });
    expect(lasts(await at(0))).toEqual(['9']);
    expect(lasts(await at(19_999))).toEqual([]);
    expect(lasts(await at(20_000))).toEqual(['10']);
    expect(lasts(await at(60_000))).toEqual(['1', '5', '6']);
  });
});

describe('market time', () => {
  it('runs as much faster as the speed says', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': rising(120) }, 60);
    expect(times(await at(1000)).at(-1)).toBe(60_000);
  });

  it('is common to all markets and starts with the earliest', async () => {
    const { at } = await given({
      'ETHUSDT_1m.csv': { rows: ['1,1,1,1,0'], first: RECORDED + 30_000 },
      'BTCUSDT_1m.csv': ['9,10,1,5,0'],
    });
    expect((await at(45_000)).map(({ symbol, last }) => `${symbol} ${last}`)).toEqual([
      'BTC/USDT 9',
      'BTC/USDT 10',
      'ETH/USDT 1',
      'BTC/USDT 1',
    ]);
  });

  it('has not begun before the start', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': rising(2) });
    expect(await at(-1)).toEqual([]);
  });

  it('tells how far it is and when it ends', async () => {
    const { replay, at } = await given({ 'BTCUSDT_1m.csv': rising(10) }, 60);
    await at(5000);
    expect(replay.progress()).toEqual({ marketTime: RECORDED + 5 * MINUTE_MS, finished: false });
    expect(replay.durationMs).toBe(10_000);
    expect(replay.finishedAt()).toBe(STARTED + 10_000);
  });

  it('has played the last step at the time it said it would end, whatever the speed', async () => {
    const rows = await record('BTCUSDT_1m.csv', rising(50));
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.001, max: 1e6, noNaN: true }), async (speed) => {
        let now = STARTED;
        const replay = createReplay({
          candles: [rows],
          speed,
          clock: { now: () => now, sleep: async () => {} },
          startedAt: STARTED,
        });
        now = replay.finishedAt();
        expect(replay.progress().finished).toBe(true);
        expect((await replay.tickers(['BTC/USDT'], new Map())).at(-1)?.last).toBe('60');
      }),
    );
  });

  it('brings nothing more after the end', async () => {
    const { replay, at } = await given({ 'BTCUSDT_1m.csv': rising(3) });
    expect(await at(3 * MINUTE_MS)).toHaveLength(12);
    expect(await at(30 * MINUTE_MS)).toEqual([]);
    expect(replay.progress()).toEqual({ marketTime: RECORDED + 3 * MINUTE_MS - 1, finished: true });
  });
});

describe('a reader who was away', () => {
  it('gets every step in portions, each once and in order', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': rising(700), 'ETHUSDT_1m.csv': rising(700) });
    const portions: Ticker[][] = [];
    for (let portion = await at(DAY_MS); portion.length > 0; portion = await at(DAY_MS)) portions.push(portion);
    const played = portions.flat();
    expect(portions.map(({ length }) => length)).toEqual([REPLAY_STEPS_MAX, REPLAY_STEPS_MAX, 1600]);
    expect(new Set(played.map(({ symbol, timestamp }) => `${symbol} ${timestamp}`)).size).toBe(5600);
    expect(times(played)).toEqual(times(played).toSorted((a, b) => a - b));
  });

  it('gets the same steps however often they ask', async () => {
    const rows = rising(30);
    const whole = lasts(await (await given({ 'BTCUSDT_1m.csv': rows })).at(DAY_MS));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(31 * MINUTE_MS), { maxLength: 20 }), async (moments) => {
        const { at } = await given({ 'BTCUSDT_1m.csv': rows });
        const parts: Ticker[] = [];
        for (const moment of [...moments.toSorted((a, b) => a - b), DAY_MS]) parts.push(...(await at(moment)));
        expect(lasts(parts)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe('figures of the last 24 hours', () => {
  const figures = ({ high, low, baseVolume, percentage }: Ticker) => ({ high, low, baseVolume, percentage });

  it('grow with the path through the candle', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': ['8.0,10.0,4.0,5.0,0.9'] });
    expect((await at(MINUTE_MS)).map(figures)).toEqual([
      { high: '8.0', low: '8.0', baseVolume: '0.0', percentage: '0' },
      { high: '10.0', low: '8.0', baseVolume: '0.3', percentage: '25' },
      { high: '10.0', low: '4.0', baseVolume: '0.6', percentage: '-50' },
      { high: '10.0', low: '4.0', baseVolume: '0.9', percentage: '-37.5' },
    ]);
  });

  it('forget what is older than a day', async () => {
    const calm = Array.from({ length: 1440 }, () => '10,11,9,10,0.1');
    const { at } = await given({ 'BTCUSDT_1m.csv': ['5,99,1,5,1000', ...calm] });
    const played: Ticker[] = [];
    for (let portion = await at(2 * DAY_MS); portion.length > 0; portion = await at(2 * DAY_MS))
      played.push(...portion);
    expect(played.slice(-5).map(figures)).toEqual([
      { high: '99', low: '1', baseVolume: '1143.9', percentage: '100' },
      ...['143.9', '143.9', '144.0', '144.0'].map((baseVolume) =>
        expect.objectContaining({ high: '11', low: '9', baseVolume }),
      ),
    ]);
  });

  it('never leave the last price out', async () => {
    const price = fc.integer({ min: 1, max: 50 });
    const row = fc.tuple(price, price, price, price).map((prices) => {
      const [open, close] = prices;
      return `${open},${Math.max(...prices)},${Math.min(...prices)},${close},1`;
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        const { at } = await given({ 'BTCUSDT_1m.csv': rows });
        const played = await at(DAY_MS);
        const highest = played.map(({ last }) => Number(last));
        for (const [i, { high, low }] of played.entries()) {
          expect(Number(high)).toBe(Math.max(...highest.slice(0, i + 1)));
          expect(Number(low)).toBe(Math.min(...highest.slice(0, i + 1)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are not told for bid and ask, which were not recorded', async () => {
    const { at } = await given({ 'BTCUSDT_1m.csv': rising(1) });
    expect((await at(0))[0]).toMatchObject({ bid: null, ask: null });
  });
});

describe('the replay venue', () => {
  it('offers the recorded markets and says that they are recorded', async () => {
    const { replay } = await given({ 'BTCUSDT_1m.csv': rising(1), 'ETHBTC_1m.csv': rising(1) });
    expect(replay).toMatchObject({ id: 'replay', source: 'recorded' });
    expect((await replay.markets()).map(({ symbol, type, active }) => ({ symbol, type, active }))).toEqual([
      { symbol: 'BTC/USDT', type: 'spot', active: true },
      { symbol: 'ETH/BTC', type: 'spot', active: true },
    ]);
  });

  it('leaves out symbols it does not have', async () => {
    const venue: Venue = (await given({ 'BTCUSDT_1m.csv': rising(1) })).replay;
    expect(await venue.tickers(['ETH/USDT'], new Map())).toEqual([]);
  });

  it('is another series when it is played anew', async () => {
    const candles = [await record('BTCUSDT_1m.csv', rising(1))];
    const clock = { now: () => STARTED, sleep: async () => {} };
    const [first, second] = [STARTED, STARTED + 1].map((startedAt) =>
      createReplay({ candles, speed: 1, clock, startedAt }),
    );
    expect(first?.series).not.toBe(second?.series);
  });

  it('refuses two files of one symbol, naming both', async () => {
    await expect(given({ 'BTCUSDT_1m.csv': rising(1), 'BTC-USDT_1m.csv': rising(1) })).rejects.toThrow(
      /BTC\/USDT is recorded twice, in .*BTCUSDT_1m\.csv and .*BTC-USDT_1m\.csv/,
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the speed %d', async (speed) => {
    await expect(given({ 'BTCUSDT_1m.csv': rising(1) }, speed)).rejects.toThrow(/speed/);
  });

  it('refuses to play nothing', async () => {
    await expect(given({})).rejects.toThrow(/no candles/);
  });
});
