/** What is traded on the simulated market. Prices are about those of the start of 2025. */

/** Annual volatility of the factor that all assets share. */
export const MARKET_VOLATILITY = 0.45;

/** An asset whose logarithm of price is `log(price) + beta × market + own`. */
export interface Asset {
  readonly name: string;
  /** Central price in USDT, that of the origin. */
  readonly price: number;
  /** Annual, 0.5 is 50 %; at least `beta` × {@link MARKET_VOLATILITY}. */
  readonly volatility: number;
  readonly beta: number;
}

/** A market: its logarithm of price is that of the base less that of the quote (USDT is the unit). */
export interface Instrument {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** Decimal places of a price; the tick is one unit of the last. */
  readonly decimals: number;
  /** Difference of ask and bid in an average hour, in hundredths of a percent of the price. */
  readonly spreadBasisPoints: number;
  /** Base volume of an average day. */
  readonly dailyVolume: number;
}

export const ASSETS: readonly Asset[] = [
  { name: 'BTC', price: 95_000, volatility: 0.5, beta: 1 },
  { name: 'ETH', price: 3_400, volatility: 0.65, beta: 1.2 },
  { name: 'SOL', price: 190, volatility: 0.9, beta: 1.45 },
  { name: 'BNB', price: 700, volatility: 0.8, beta: 1.1 },
  { name: 'XRP', price: 2.2, volatility: 0.95, beta: 1.2 },
  { name: 'ADA', price: 0.85, volatility: 0.95, beta: 1.4 },
  { name: 'DOGE', price: 0.32, volatility: 1.1, beta: 1.5 },
  { name: 'AVAX', price: 36, volatility: 1, beta: 1.5 },
  { name: 'LINK', price: 20, volatility: 0.95, beta: 1.4 },
  { name: 'DOT', price: 6.7, volatility: 0.95, beta: 1.4 },
  { name: 'LTC', price: 103, volatility: 0.8, beta: 1.2 },
  { name: 'USDC', price: 1, volatility: 0.002, beta: 0 },
];

const market = (
  symbol: `${string}/${string}`,
  decimals: number,
  spreadBasisPoints: number,
  dailyVolume: number,
): Instrument => {
  const [base = '', quote = ''] = symbol.split('/');
  return { symbol, base, quote, decimals, spreadBasisPoints, dailyVolume };
};

export const INSTRUMENTS: readonly Instrument[] = [
  market('BTC/USDT', 2, 0.2, 20_000),
  market('ETH/USDT', 2, 0.3, 400_000),
  market('SOL/USDT', 2, 0.8, 3_000_000),
  market('BNB/USDT', 2, 0.6, 250_000),
  market('XRP/USDT', 4, 0.8, 150_000_000),
  market('ADA/USDT', 4, 1.5, 120_000_000),
  market('DOGE/USDT', 5, 1, 900_000_000),
  market('AVAX/USDT', 3, 2, 3_000_000),
  market('LINK/USDT', 3, 2, 3_000_000),
  market('DOT/USDT', 4, 3, 5_000_000),
  market('LTC/USDT', 2, 1.5, 400_000),
  market('USDC/USDT', 5, 0.1, 1_500_000_000),
  market('ETH/BTC', 6, 0.5, 15_000),
];
