import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BadCandleFile } from '#shared/exchange/venues/replay/bad-candle-file';
import { loadCandles } from '#shared/exchange/venues/replay/candle-file';

const folder = mkdtempSync(join(tmpdir(), 'candles-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HEADER = 'Date,Open,High,Low,Close,Volume';
const FIRST = '2025-08-05 20:49:00,113509.98,113531.76,113494.47,113509.90,9.67487';
const SECOND = '2025-08-05 20:50:00,113509.98,113549.5,113509.97,113549.5,2.32425';

const file = (content: string | Buffer, name = 'BTCUSDT_1m.csv'): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const csv = (...rows: readonly string[]): string => `${[HEADER, ...rows].join('\n')}\n`;

describe('a candle file', () => {
  it('gives its values exactly as they are written', async () => {
    const candles = await loadCandles(file(csv(FIRST, SECOND)));
    expect(candles.candle(0)).toEqual({
      timestamp: Date.UTC(2025, 7, 5, 20, 49),
      open: '113509.98',
      high: '113531.76',
      low: '113494.47',
      close: '113509.90',
      volume: '9.67487',
    });
    expect(candles.candle(1).high).toBe('113549.5');
    expect(candles.count).toBe(2);
  });

  it('is the same with Windows line ends, a byte order mark and blank lines at its end', async () => {
    const candles = await loadCandles(file(`\uFEFF${[HEADER, FIRST, SECOND, '', ''].join('\r\n')}`));
    expect(candles.candle(1)).toMatchObject({ close: '113549.5', volume: '2.32425' });
  });

  it('is whole without a line end after its last row', async () => {
    expect((await loadCandles(file(`${HEADER}\n${FIRST}\n${SECOND}`))).count).toBe(2);
  });

  it('keeps thousands of rows apart, over the borders of its reads', async () => {
    const rows = Array.from(
      { length: 30_000 },
      (_, i) => `${1_600_000_000_000 + i * 60_000},${i + 1},${i + 2},1,${i + 1}.50,${i}`,
    );
    const candles = await loadCandles(file(csv(...rows)));
    expect([0, 1023, 1024, 17_777, 29_999].map((i) => candles.candle(i).close)).toEqual([
      '1.50',
      '1024.50',
      '1025.50',
      '17778.50',
      '30000.50',
    ]);
    expect(candles.indexAt(1_600_000_000_000 + 17_777 * 60_000 + 59_999)).toBe(17_777);
    expect(candles.indexAt(1_599_999_999_999)).toBe(-1);
  });

  it.each([
    ['2022-11-11', Date.UTC(2022, 10, 11)],
    ['2022-11-11 01:02', Date.UTC(2022, 10, 11, 1, 2)],
    ['2022-11-11T01:02:03Z', Date.UTC(2022, 10, 11, 1, 2, 3)],
    ['2022-11-11T01:02:03.004+02:00', Date.UTC(2022, 10, 10, 23, 2, 3, 4)],
    ['1668124800000', 1_668_124_800_000],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
  ])('reads the time %s as UTC', async (time, timestamp) => {
    expect((await loadCandles(file(csv(`${time},2,3,1,2,0`)))).timestamp(0)).toBe(timestamp);
  });

  it('writes scientific notation out', async () => {
    expect((await loadCandles(file(csv('2022-11-11,1e-05,1.5E-05,1e-05,1e-05,1e+3')))).candle(0)).toMatchObject({
      open: '0.00001',
      high: '0.000015',
      volume: '1000',
    });
  });

  it.each([
    ['BTCUSDT_1m.csv', 'BTC/USDT', '1m'],
    ['ETHBTC_4h.csv', 'ETH/BTC', '4h'],
    ['BTCFDUSD-15m-2025-08.csv', 'BTC/FDUSD', '15m'],
    ['solusd_1d.csv', 'SOL/USD', '1d'],
    ['BTC-EUR_1w.csv', 'BTC/EUR', '1w'],
    ['1INCH_USDT_30s.csv', '1INCH/USDT', '30s'],
    ['USDCUSDT_1h.csv', 'USDC/USDT', '1h'],
  ])('called %s is one of %s, %s', async (name, symbol, timeframe) => {
    const candles = await loadCandles(file(csv('2025-08-05,2,3,1,2,0'), name));
    expect([candles.symbol, candles.timeframe]).toEqual([symbol, timeframe]);
  });

  it('tells its timeframe by the first two rows where the name does not', async () => {
    expect((await loadCandles(file(csv(FIRST, SECOND), 'BTCUSDT.csv'))).timeframe).toBe('1m');
  });

  it('may have gaps', async () => {
    expect((await loadCandles(file(csv(FIRST, '2025-08-06,2,3,1,2,0')))).count).toBe(2);
  });
});

describe('a file that is not one of candles', () => {
  const row = (values: string, time = '2025-08-05 20:50:00'): string => csv(FIRST, `${time},${values}`);

  it.each([
    ['an empty file', '', /is empty/],
    ['only a header', csv(), /has no candles/],
    ['no header', `${FIRST}\n${SECOND}\n`, /line 1: the header Date,Open,High,Low,Close,Volume is missing/],
    [
      'a picture',
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
      /line 1: .*not a (text file|CSV)/,
    ],
    ['an archive', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /line 1: this is not a text file/],
    ['one endless line', 'x'.repeat(5000), /line 1: is too long/],
    ['too few columns', row('1,2,3'), /line 3: has 4 columns instead of 6/],
    ['too many columns', row('2,3,1,2,0,7'), /line 3: has 7 columns instead of 6/],
    ['words for numbers', row('2,high,1,2,0'), /line 3: high "high" is not a number/],
    ['an empty cell', row('2,3,1,2,'), /line 3: volume "" is not a number/],
    ['a negative price', row('2,3,-1,2,0'), /line 3: low "-1" is negative/],
    ['a price of zero', row('0,3,0,2,0'), /line 3: a price is zero/],
    ['high below low', row('2,1,3,2,0'), /line 3: high "1" is below low "3"/],
    ['the open outside', row('4,3,1,2,0'), /line 3: open "4" is not between low and high/],
    ['the close outside', row('2,3,1,0.5,0'), /line 3: close "0.5" is not between low and high/],
    ['a word for the time', row('2,3,1,2,0', 'yesterday'), /line 3: "yesterday" is not a time/],
    ['a day that never was', row('2,3,1,2,0', '2026-02-30'), /line 3: "2026-02-30" is not a time/],
    ['the same time twice', csv(FIRST, FIRST), /line 3: has the time of the row before/],
    [
      'neither oldest nor newest first',
      csv(FIRST, SECOND, '2025-08-05 20:48:00,2,3,1,2,0'),
      /line 4: is older than the row before/,
    ],
    [
      'newest first and then not',
      csv(SECOND, FIRST, '2025-08-05 20:51:00,2,3,1,2,0'),
      /line 4: is newer than the row before/,
    ],
    [
      'rows closer than the timeframe',
      row('2,3,1,2,0', '2025-08-05 20:49:30'),
      /line 3: starts 30000 ms after .* lasts 60000 ms/,
    ],
    ['a blank line within', `${HEADER}\n${FIRST}\n\n${SECOND}\n`, /line 3: is blank/],
  ])('is refused with the place and the reason: %s', async (_, content, reason) => {
    const path = file(content);
    const refusal = await loadCandles(path).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BadCandleFile);
    expect(refusal).toMatchObject({ code: 'bad-candle-file', message: expect.stringMatching(reason), file: path });
  });

  it('is refused when it does not exist', async () => {
    await expect(loadCandles(join(folder, 'ETHUSDT_1m.csv'))).rejects.toThrow(/ETHUSDT_1m\.csv: there is no such file/);
  });

  it('is refused when it is a folder', async () => {
    await expect(loadCandles(folder)).rejects.toThrow(/is not a file/);
  });

  it.each(['candles.csv', 'USDT_1m.csv'])('is refused when its name %s has no symbol', async (name) => {
    await expect(loadCandles(file(csv(FIRST), name))).rejects.toThrow(/the file name does not contain the symbol/);
  });

  it('is refused when neither name nor rows tell the timeframe', async () => {
    await expect(loadCandles(file(csv(FIRST), 'BTCUSDT.csv'))).rejects.toThrow(/timeframe is not known/);
  });

  it('is refused above 200 MB', async () => {
    const path = file(csv(FIRST), 'LTCUSDT_1m.csv');
    truncateSync(path, 200_000_001);
    await expect(loadCandles(path)).rejects.toThrow(/is larger than 200 MB/);
  });

  it('is refused with more rows than the limit', async () => {
    await expect(loadCandles(file(csv(FIRST, SECOND)), { rowsMax: 1 })).rejects.toThrow(
      /line 3: there are more than 1 rows/,
    );
  });
});
