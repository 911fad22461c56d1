import { describe, expect, it } from 'vitest';
import type { Ticker, Venue } from '#shared/exchange/venue';
import { createSim } from '#shared/exchange/venues/sim/sim';

const START = Date.UTC(2026, 10, 22, 15);
const NOTHING_SEEN = new Map<string, number>();

function given({ seed = 'a', now = START } = {}) {
  const clock = { now: () => now, sleep: async () => {} };
  const pass = (ms: number): void => {
    now += ms;
  };
  return { sim: createSim({ seed, clock }), pass };
}

const everything = async (sim: Venue): Promise<Ticker[]> => {
  const symbols = (await sim.markets()).map(({ symbol }) => symbol);
  return sim.tickers(symbols, NOTHING_SEEN);
};

describe('the simulated venue', () => {
  it('says that its prices are simulated', () => {
    expect(given().sim).toMatchObject({ id: 'sim', source: 'simulated' });
  });

  it('offers a dozen active spot markets and more', async () => {
    const markets = await given().sim.markets();
    expect(markets.length).toBeGreaterThanOrEqual(12);
    expect(markets).toContainEqual({
      symbol: 'BTC/USDT',
      id: 'BTCUSDT',
      base: 'BTC',
      quote: 'USDT',
      type: 'spot',
      active: true,
    });
  });

  it('observes each symbol it knows once, at the time of the question', async () => {
    const tickers = await given().sim.tickers(['ETH/USDT', 'NO/SUCH', 'BTC/USDT', 'ETH/USDT'], NOTHING_SEEN);
    expect(tickers.map(({ symbol }) => symbol)).toEqual(['ETH/USDT', 'BTC/USDT']);
    expect(tickers.map(({ timestamp }) => timestamp)).toEqual([START, START]);
  });

  it('is the same market for two processes with the same seed', async () => {
    expect(await everything(given({ seed: 'x' }).sim)).toEqual(await everything(given({ seed: 'x' }).sim));
  });

  it('is another market, and another series, with another seed', async () => {
    const [x, y] = [given({ seed: 'x' }).sim, given({ seed: 'y' }).sim];
    expect(await x.tickers(['BTC/USDT'], NOTHING_SEEN)).not.toEqual(await y.tickers(['BTC/USDT'], NOTHING_SEEN));
    expect(x.series).not.toBe(y.series);
  });

  it('moves nearly every second', async () => {
    const { sim, pass } = given();
    const seen = new Set<string>();
    for (let second = 0; second < 100; second++, pass(1000)) {
      for (const { last } of await sim.tickers(['BTC/USDT'], NOTHING_SEEN)) seen.add(last);
    }
    expect(seen.size).toBeGreaterThan(80);
  });

  it.each([START, Date.UTC(1970, 0, 1), Date.UTC(2024, 1, 29, 23, 59, 59, 999), Date.UTC(2040, 5, 1)])(
    'gives figures that agree with each other (at %i)',
    async (now) => {
      for (const { last, bid, ask, high, low, baseVolume } of await everything(given({ now }).sim)) {
        expect(Number(bid)).toBeGreaterThan(0);
        expect(Number(bid)).toBeLessThanOrEqual(Number(last));
        expect(Number(ask)).toBeGreaterThanOrEqual(Number(last));
        expect(Number(bid)).toBeLessThan(Number(ask));
        expect(Number(low)).toBeLessThanOrEqual(Number(last));
        expect(Number(high)).toBeGreaterThanOrEqual(Number(last));
        expect(Number(baseVolume)).toBeGreaterThan(0);
      }
    },
  );

  it('writes plain decimals with the places of the tick', async () => {
    const [ticker] = await given().sim.tickers(['DOGE/USDT'], NOTHING_SEEN);
    const { last, bid, ask, high, low } = ticker ?? {};
    for (const price of [last, bid, ask, high, low]) expect(price).toMatch(/^\d+\.\d{5}$/);
    expect(ticker?.percentage).toMatch(/^-?\d+(\.\d{1,3})?$/);
  });
});
