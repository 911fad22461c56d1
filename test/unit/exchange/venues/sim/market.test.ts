import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INSTRUMENTS } from '#shared/exchange/venues/sim/instruments';
import { SimulatedMarket } from '#shared/exchange/venues/sim/market';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 3, 1);
const MINUTES_OF_YEAR = 365.25 * 1440;

const positionOf = (symbol: string): number => INSTRUMENTS.findIndex((instrument) => instrument.symbol === symbol);
const BTC = positionOf('BTC/USDT');
const ETH = positionOf('ETH/USDT');
const SOL = positionOf('SOL/USDT');

const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2036, 0, 1) });
const instrument = fc.nat(INSTRUMENTS.length - 1);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (a: readonly number[], b: readonly number[]): number => {
  const [meanA, meanB] = [mean(a), mean(b)];
  return mean(a.map((value, i) => (value - meanA) * ((b[i] ?? 0) - meanB)));
};
const correlation = (a: readonly number[], b: readonly number[]): number =>
  covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b));
const autocorrelation = (values: readonly number[], lag: number): number =>
  correlation(values.slice(lag), values.slice(0, -lag));

describe('the same seed', () => {
  it('gives the same prices in whatever order they are asked for', () => {
    const forwards = new SimulatedMarket('a');
    const backwards = new SimulatedMarket('a');
    const moments = Array.from({ length: 8 }, (_, i) => START + i * 11 * 3_600_001);
    const prices = moments.map((at) => forwards.quote(SOL, at));
    const again = moments.toReversed().map((at) => backwards.quote(SOL, at));
    expect(again.toReversed()).toEqual(prices);
  });

  it('gives another market than another seed', () => {
    expect(new SimulatedMarket('a').price(BTC, START)).not.toBe(new SimulatedMarket('b').price(BTC, START));
  });
});

describe('two months of minutes', () => {
  const market = new SimulatedMarket('plausible');
  const returns = new Map<number, number[]>([BTC, ETH, SOL].map((position) => [position, []]));
  for (let minute = 0; minute < 60 * 1440; minute++) {
    const at = START + minute * MINUTE_MS;
    for (const [position, series] of returns) {
      series.push(Math.log(market.price(position, at + MINUTE_MS) / market.price(position, at)));
    }
  }
  const of = (position: number): number[] => returns.get(position) ?? [];

  it.each([
    ['BTC/USDT', BTC, 0.5],
    ['ETH/USDT', ETH, 0.65],
    ['SOL/USDT', SOL, 0.9],
  ])('%s is as volatile as it should be', (_, position, volatility) => {
    const measured = Math.sqrt(covariance(of(position), of(position)) * MINUTES_OF_YEAR);
    expect(measured / volatility).toBeGreaterThan(0.75);
    expect(measured / volatility).toBeLessThan(1.33);
  });

  it('extreme returns are more frequent than those of a normal distribution', () => {
    const fourth = mean(of(BTC).map((value) => value ** 4)) / covariance(of(BTC), of(BTC)) ** 2;
    expect(fourth - 3).toBeGreaterThan(1);
  });

  it('a return says nothing about the next', () => {
    expect(Math.abs(autocorrelation(of(BTC), 1))).toBeLessThan(0.05);
  });

  it('large moves come in clusters that last for hours', () => {
    const sizes = of(BTC).map(Math.abs);
    expect(autocorrelation(sizes, 1)).toBeGreaterThan(0.15);
    expect(autocorrelation(sizes, 60)).toBeGreaterThan(0.05);
  });

  it('Bitcoin and Ether move together, but not as one', () => {
    const together = correlation(of(BTC), of(ETH));
    expect(together).toBeGreaterThan(0.5);
    expect(together).toBeLessThan(0.95);
  });

  it('days of large ranges are days of large volume', () => {
    const days = Array.from({ length: 30 }, (_, day) => market.quote(BTC, START + day * DAY_MS));
    const ranges = days.map(({ high, low }) => Math.log(high / low));
    const volumes = days.map(({ volume }) => volume);
    expect(correlation(ranges, volumes)).toBeGreaterThan(0.3);
  });
});

describe('years', () => {
  const market = new SimulatedMarket('years');

  it('keep every price within reason of its centre for ten years', () => {
    const centers = [...INSTRUMENTS.keys()].map((position) => market.price(position, Date.UTC(2025, 0, 1)));
    const ratios: number[] = [];
    for (let month = 1; month <= 120; month++) {
      const at = Date.UTC(2025, month, 1);
      ratios.push(...centers.map((center, position) => market.price(position, at) / center));
    }
    expect(Math.min(...ratios)).toBeGreaterThan(1 / 20);
    expect(Math.max(...ratios)).toBeLessThan(20);
  });

  it('keep the stablecoin within half a percent of one', () => {
    const position = positionOf('USDC/USDT');
    for (let day = 0; day < 3650; day += 30) {
      expect(Math.abs(market.price(position, Date.UTC(2025, 0, 1) + day * DAY_MS) - 1)).toBeLessThan(0.005);
    }
  });

  it('pass midnight with steps like those of any other second', () => {
    const step = (at: number): number => Math.abs(Math.log(market.price(ETH, at + 500) / market.price(ETH, at - 500)));
    const nights = Array.from({ length: 100 }, (_, day) => Date.UTC(2026, 0, 1) + day * DAY_MS);
    const midnight = nights.map(step);
    const later = nights.map((at) => step(at + 1_234_567));
    expect(mean(midnight) / mean(later)).toBeGreaterThan(0.4);
    expect(mean(midnight) / mean(later)).toBeLessThan(2.5);
    expect(Math.max(...midnight)).toBeLessThan(10 * Math.max(...later));
  });

  it('have no gap: within a millisecond no price moves by a twentieth of a percent', () => {
    fc.assert(
      fc.property(
        instrument,
        moment,
        fc.constantFrom(1, 45 * MINUTE_MS, DAY_MS, 32 * DAY_MS),
        (position, at, border) => {
          const edge = Date.UTC(2025, 0, 1) + Math.round((at - Date.UTC(2025, 0, 1)) / border) * border;
          const move = Math.log(market.price(position, edge) / market.price(position, edge - 1));
          expect(Math.abs(move)).toBeLessThan(0.0005);
        },
      ),
    );
  });
});

describe('at any moment', () => {
  const market = new SimulatedMarket('any moment');

  it('the high and the low of the day hold every price of the day', () => {
    fc.assert(
      fc.property(instrument, moment, fc.array(fc.nat(DAY_MS), { maxLength: 10 }), (position, at, ages) => {
        const { high, low, price } = market.quote(position, at);
        for (const seen of [price, ...ages.map((age) => market.price(position, at - age))]) {
          expect(seen).toBeLessThanOrEqual(high * (1 + 1e-12));
          expect(seen).toBeGreaterThanOrEqual(low * (1 - 1e-12));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('the high and the low of the day hold until they are a day old', () => {
    for (let hour = 0; hour < 120; hour += 3) {
      const at = START + hour * 60 * MINUTE_MS;
      const { high, low } = market.quote(SOL, at);
      const oldest = Array.from({ length: 45 }, (_, minute) => market.price(SOL, at - DAY_MS + minute * MINUTE_MS));
      expect(Math.max(...oldest)).toBeLessThanOrEqual(high * (1 + 1e-12));
      expect(Math.min(...oldest)).toBeGreaterThanOrEqual(low * (1 - 1e-12));
    }
  });

  it('changing Bitcoin for Ether directly or by way of dollars costs the same', () => {
    const cross = positionOf('ETH/BTC');
    fc.assert(
      fc.property(moment, (at) => {
        const around = market.price(ETH, at) / market.price(BTC, at);
        expect(Math.abs(market.price(cross, at) / around - 1)).toBeLessThan(1e-9);
      }),
    );
  });

  it('the change in percent is that from the price a day before', () => {
    const { price, percentage } = market.quote(SOL, START);
    expect(percentage).toBeCloseTo(100 * (price / market.price(SOL, START - DAY_MS) - 1), 9);
  });
});
