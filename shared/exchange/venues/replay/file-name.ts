import { UNITS } from './candles.ts';

/** Currencies that prices are quoted in, as file names end with them. */
const QUOTES = [
  ...['USDT', 'USDC', 'BUSD', 'FDUSD', 'TUSD', 'USDE', 'USD1', 'DAI', 'USD', 'EUR', 'GBP', 'CHF', 'JPY', 'KRW', 'AUD'],
  ...['TRY', 'BRL', 'BTC', 'ETH', 'BNB'],
].sort((a, b) => b.length - a.length);

const BASE = /^[A-Z0-9]{1,20}$/;
const TIMEFRAME = /^([1-9]\d{0,3})([smhdw])$/;

/**
 * What the name of a candle file tells: `BTCUSDT_1m.csv`, `btc-usdt.csv`, `BTCUSDT-1h-2025-08.csv`.
 * @param name without folders
 */
export function parseFileName(name: string): { readonly symbol?: string; readonly intervalMs?: number } {
  const [first = '', second = '', ...more] = name.replace(/\.[^.]*$/, '').split(/[-_ .]+/);
  const symbol = symbolOf(first.toUpperCase(), second.toUpperCase());
  const intervalMs = [second, ...more].map(intervalOf).find((interval) => interval !== undefined);
  return { ...(symbol && { symbol }), ...(intervalMs && { intervalMs }) };
}

function symbolOf(first: string, second: string): string | undefined {
  const quote = QUOTES.find((currency) => first.endsWith(currency) && first !== currency);
  if (QUOTES.includes(second) && BASE.test(first)) return `${first}/${second}`;
  const base = quote && first.slice(0, -quote.length);
  return base && BASE.test(base) ? `${base}/${quote}` : undefined;
}

function intervalOf(word: string): number | undefined {
  const [, count, unit] = TIMEFRAME.exec(word) ?? [];
  const unitMs = UNITS.find(([name]) => name === unit)?.[1];
  return unitMs && Number(count) * unitMs;
}
