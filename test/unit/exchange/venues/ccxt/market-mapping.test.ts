import { describe, expect, it } from 'vitest';
import { plainDecimal, toMarket, toTicker } from '#shared/exchange/venues/ccxt/market-mapping';

describe('decimal numbers of a venue', () => {
  it.each([
    ['65000.10', '65000.1'],
    ['65000.10000000', '65000.1'],
    ['1.75e-5', '0.0000175'],
    [1e21, '1000000000000000000000'],
    [0.52, '0.52'],
    ['123456789012345678.12345678', '123456789012345678.12345678'],
    ['-1.50', '-1.5'],
    ['0', '0'],
  ])('reads %s as %s', (value, plain) => {
    expect(plainDecimal(value)).toBe(plain);
  });

  it.each(['', 'NaN', 'Infinity', '1e999999999', '0x10', '1,000', ' 1', '1'.repeat(50), null, Number.NaN, {}])(
    'takes %s for no number',
    (value) => {
      expect(plainDecimal(value)).toBeUndefined();
    },
  );
});

describe('tickers of a venue', () => {
  const observed = (native: object) => {
    const malformed: string[] = [];
    return { ticker: toTicker('BTC/USDT', native, 1000, (field) => malformed.push(field)), malformed };
  };

  it('are null where the venue tells nothing', () => {
    expect(observed({ last: '65000', timestamp: 900 }).ticker).toEqual({
      symbol: 'BTC/USDT',
      last: '65000',
      bid: null,
      ask: null,
      high: null,
      low: null,
      baseVolume: null,
      percentage: null,
      timestamp: 900,
    });
  });

  it('take the present for a missing time', () => {
    expect(observed({ last: '65000' }).ticker?.timestamp).toBe(1000);
  });

  it.each([undefined, null, '0', '-5'])('are left out with a last price of %s', (last) => {
    expect(observed({ last })).toEqual({ ticker: undefined, malformed: [] });
  });

  it('are left out and reported with a last price that is no number', () => {
    expect(observed({ last: 'about 65000' })).toEqual({ ticker: undefined, malformed: ['last'] });
  });

  it('keep their price when another number is broken, which is reported', () => {
    const { ticker, malformed } = observed({ last: '65000', bid: 'NaN' });
    expect([ticker?.last, ticker?.bid, malformed]).toEqual(['65000', null, ['bid']]);
  });
});

describe('markets of a venue', () => {
  const pair = { symbol: 'BTC/USDT', id: 'BTCUSDT', base: 'BTC', quote: 'USDT', spot: true, active: true };

  it("keep ccxt's record without the venue's raw answer and without undefined", () => {
    expect(toMarket({ ...pair, settle: undefined, info: { big: true } })?.native).toStrictEqual(pair);
  });

  it.each([{ active: false }, { spot: false, swap: true }, { base: undefined }])('leave out %o', (other) => {
    expect(toMarket({ ...pair, ...other })).toBeUndefined();
  });
});
