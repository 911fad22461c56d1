import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCandles } from '#shared/exchange/venues/replay/candle-file';
import { symbolsIn } from '#shared/exchange/venues/replay/file-name';
import { Timeframe } from '#shared/exchange/venues/replay/timeframe';

const fixture = (name: string): string => resolve(import.meta.dirname, '../../../../fixtures/candles', name);
const folder = mkdtempSync(join(tmpdir(), 'candle-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, ...lines: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};
const HEADER = 'Date,Open,High,Low,Close,Volume';
const candle = (row: string, time = '2024-01-01') => [HEADER, `${time},${row}`] as const;
const startsOf = async (path: string): Promise<string[]> => {
  const candles = await loadCandles(path);
  return Array.from({ length: candles.count }, (_, index) => new Date(candles.timestamp(index)).toISOString());
};

describe('a file name', () => {
  it.each([
    ['BNBUSD', 'BNB/USD'],
    ['DOTUSD', 'DOT/USD'],
    ['SHIBUSD', 'SHIB/USD'],
    ['GRTUSD', 'GRT/USD'],
    ['BATUSD', 'BAT/USD'],
    ['USDTUSD', 'USDT/USD'],
    ['XXBTZUSD', 'BTC/USD'],
    ['XBTUSD', 'BTC/USD'],
    ['BTCBUSD', 'BTC/BUSD'],
    ['ETHTUSD', 'ETH/TUSD'],
    ['BTCFDUSD', 'BTC/FDUSD'],
    ['DOGE/USDT', 'DOGE/USDT'],
  ])('%s means %s alone', (word, symbol) => {
    expect(symbolsIn(word)).toEqual([symbol]);
  });

  it.each([
    ['Binance_BTCUSDT_d.csv', 'BTC/USDT', '1d'],
    ['Bitstamp_BTC_EUR_1h.csv', 'BTC/EUR', '1h'],
    ['Binance_BTCUSDT_2023_minute.csv', 'BTC/USDT', '1m'],
    ['XXBTZUSD_60.csv', 'BTC/USD', '1h'],
    ['ETHUSDT-1mo-2024-01.csv', 'ETH/USDT', '1M'],
  ])('%s is of %s, %s', async (name, symbol, timeframe) => {
    const candles = await loadCandles(file(name, ...candle('1,2,1,2,3')));
    expect([candles.symbol, candles.timeframe]).toEqual([symbol, timeframe]);
  });

  it('that can be split in two ways is refused with the choice, which --symbol makes', async () => {
    const path = file('QQTUSD_1d.csv', ...candle('1,2,1,2,3'));
    await expect(loadCandles(path)).rejects.toThrow(
      /this can be QQ\/TUSD or QQT\/USD; say which with --symbol QQ\/TUSD/,
    );
    expect((await loadCandles(path, { symbol: 'QQT/USD' })).symbol).toBe('QQT/USD');
  });
});

describe('a candle file as people have it', () => {
  it('of Binance around its outage of February 2018 has its shifted minutes back on the grid, and tells the gap', async () => {
    const candles = await loadCandles(fixture('BTCUSDT-1m-2018-02.csv'));
    expect(await startsOf(fixture('BTCUSDT-1m-2018-02.csv'))).toEqual([
      '2018-02-08T00:28:00.000Z',
      '2018-02-08T00:29:00.000Z',
      '2018-02-08T09:59:00.000Z',
      '2018-02-08T10:00:00.000Z',
      '2018-02-08T10:01:00.000Z',
    ]);
    expect(candles.notes).toEqual([
      '2 rows off the grid of 1m were moved back to it',
      'it has a gap from 2018-02-08T00:30:00.000Z to 2018-02-08T09:59:00.000Z',
    ]);
  });

  it('of months has candles of their calendar length', async () => {
    const candles = await loadCandles(fixture('BTCUSDT-1M.csv'));
    expect(candles.timeframe).toBe('1M');
    expect([0, 1, 2].map((index) => new Date(candles.endOf(index)).toISOString().slice(0, 10))).toEqual([
      '2024-02-01',
      '2024-03-01',
      '2024-04-01',
    ]);
    expect(candles.notes).toEqual([]);
  });

  it('of months is known as such without its name', async () => {
    const path = file('BTCUSDT.csv', HEADER, '2024-01-01,1,2,1,2,3', '2024-02-01,1,2,1,2,3', '2024-03-01,1,2,1,2,3');
    expect((await loadCandles(path)).timeframe).toBe('1M');
  });

  it('of local days may have one of 23 hours, which ends where the next one starts', async () => {
    const candles = await loadCandles(fixture('BTCUSD_1d.csv'));
    expect(await startsOf(fixture('BTCUSD_1d.csv'))).toEqual([
      '2024-03-09T05:00:00.000Z',
      '2024-03-10T05:00:00.000Z',
      '2024-03-11T04:00:00.000Z',
    ]);
    expect(candles.endOf(1)).toBe(candles.timestamp(2));
  });

  it.each([
    ['unix seconds under "timestamp"', 'BTCUSDT_1h.csv', '2024-01-01T00:00:00.000Z'],
    ['microseconds', 'AAAUSDT_1d.csv', '2024-01-31T00:00:00.000Z'],
    ['quoted cells', 'XRPUSDT_1d.csv', '2024-01-01T00:00:00.000Z'],
    ['times of pandas and a byte order mark', '1000PEPEUSDT_1d.csv', '2024-01-01T00:00:00.000Z'],
    ['an index of pandas without a name', 'LTCUSDT_1d.csv', '2024-01-01T00:00:00.000Z'],
    ['semicolons', 'ADAUSDT_1d.csv', '2024-01-01T00:00:00.000Z'],
  ])('with %s is read', async (_, name, first) => {
    expect((await startsOf(fixture(name)))[0]).toBe(first);
    expect((await loadCandles(fixture(name))).candle(0)).toMatchObject({ open: '1', high: '2', low: '1', close: '2' });
  });

  it("of Kraken tells symbol and timeframe by Kraken's names", async () => {
    const candles = await loadCandles(fixture('XBTUSD_1440.csv'));
    expect([candles.symbol, candles.timeframe, candles.count]).toEqual(['BTC/USD', '1d', 2]);
  });

  it('has exponents and numbers without a leading zero written out', async () => {
    const candles = await loadCandles(fixture('PEPEUSDT_1d.csv'));
    expect(candles.candle(0)).toMatchObject({ open: '0.000011', low: '0.00001', volume: '1000000' });
    expect(candles.candle(1).low).toBe('0.00001');
  });

  it('whose close is above its high by a rounding error has that as its high', async () => {
    const candles = await loadCandles(fixture('ETHUSDT_1d.csv'));
    expect(candles.candle(1)).toMatchObject({ high: '2.0000000000000009', close: '2.0000000000000009' });
  });

  it('with an empty cell is refused with its line', async () => {
    await expect(loadCandles(fixture('SOLUSDT_1d.csv'))).rejects.toThrow(/line 2: volume "" is not a number/);
  });

  it.each([
    ['milliseconds', 'BTCUSDT-1h-2024-12.csv', '1704067200000'],
    ['microseconds, as since 2025', 'BTCUSDT-1h-2025-01.csv', '1704067200000000'],
  ])('that Binance Vision dumped without a header is read with times in %s', async (_, name, time) => {
    const row = `${time},1.0,2.0,1.0,2.0,3.5,${Number(time) + 3_599_999},7.0,12,1.5,3.0,0`;
    const candles = await loadCandles(file(name, row));
    expect(candles.candle(0)).toEqual({
      ...{ timestamp: Date.UTC(2024, 0, 1), open: '1.0', high: '2.0', low: '1.0', close: '2.0', volume: '3.5' },
    });
    expect(candles.notes).toContain('without a header, its columns are taken as time, open, high, low, close, volume');
  });

  it("of Kraken's OHLCVT archive is read without a header", async () => {
    const candles = await loadCandles(file('XBTEUR_60.csv', '1704067200,1,2,1,2,3.5,12', '1704070800,2,3,2,3,1,4'));
    expect([candles.symbol, candles.timeframe, candles.candle(0).volume]).toEqual(['BTC/EUR', '1h', '3.5']);
  });

  it('of CryptoDataDownload is read: an address first, newest first, unix seconds, two volumes', async () => {
    const path = file(
      'Binance_BTCUSDT_d.csv',
      'https://www.CryptoDataDownload.com',
      'Unix,Date,Symbol,Open,High,Low,Close,Volume USDT,Volume BTC,tradecount',
      '1704153600000,2024-01-02,BTCUSDT,2,3,2,3,900,4,7',
      '1704067200000,2024-01-01,BTCUSDT,1,2,1,2,800,3,6',
    );
    const candles = await loadCandles(path);
    expect(await startsOf(path)).toEqual(['2024-01-01T00:00:00.000Z', '2024-01-02T00:00:00.000Z']);
    expect([candles.candle(0).volume, candles.candle(1).close]).toEqual(['3', '3']);
    expect(candles.notes).toEqual(['its rows are newest first']);
  });

  it('that holds two symbols, or another one than its name says, is refused', async () => {
    const header = `${HEADER},Symbol`;
    const mixed = file('mixed.csv', header, '2024-01-01,1,2,1,2,3,BTCUSDT', '2024-01-02,1,2,1,2,3,ETHUSDT');
    await expect(loadCandles(mixed)).rejects.toThrow(/line 3: is of ETHUSDT, the rows before are of BTCUSDT/);
    const other = file('BTCUSDT_1d.csv', header, '2024-01-01,1,2,1,2,3,ETHUSDT');
    await expect(loadCandles(other)).rejects.toThrow(/this can be BTC\/USDT or ETH\/USDT; say which with --symbol/);
  });

  it('whose rows do not agree on a timeframe is refused with the choice, which --timeframe makes', async () => {
    const times = ['2024-01-01 00:00', '2024-01-01 01:00', '2024-01-01 02:00', '2024-01-01 02:30'];
    const path = file('BTCUSDT.csv', HEADER, ...times.map((time) => `${time},1,2,1,2,3`));
    await expect(loadCandles(path)).rejects.toThrow(/give it with --timeframe/);
    expect((await loadCandles(path, { timeframe: Timeframe.ofMs(1_800_000) })).timeframe).toBe('30m');
  });

  it('with decimal commas is refused: a comma there is ambiguous', async () => {
    const path = file('BTCUSDT_1d.csv', 'Date;Open;High;Low;Close;Volume', '2024-01-01;1,5;2;1;2;3');
    await expect(loadCandles(path)).rejects.toThrow(/line 2: open "1,5" is not a number/);
  });

  it('with an American date is refused: day and month can be either', async () => {
    const path = file('BTCUSDT_1d.csv', ...candle('1,2,1,2,3', '01/02/2024'));
    await expect(loadCandles(path)).rejects.toThrow(/"01\/02\/2024" is not a time; write it like 2024-01-31/);
  });

  it('with a quote that does not end is refused with its line', async () => {
    const path = file('BTCUSDT_1d.csv', HEADER, '2024-01-01,1,2,1,2,3', '2024-01-02,"1,2,1,2,3');
    await expect(loadCandles(path)).rejects.toThrow(/line \d: (its quotes do not match|a quoted cell runs over)/);
  });
});
