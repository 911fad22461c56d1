import type { Market, Ticker } from '#shared/exchange/venue';
import { Decimal } from '#shared/model/decimal';

/** Decimal numbers as venues write them. The exponent is bounded: written out, `1e999999999` would fill the memory. */
const decimalPattern = /^[+-]?\d{1,40}(?:\.\d{0,40})?(?:e[+-]?\d{1,2})?$/i;

/**
 * A plain decimal string without exponent, leading plus or trailing zeros: equal numbers become equal strings.
 * @returns undefined where it is not a finite number
 */
export const plainDecimal = (value: unknown): string | undefined => {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && decimalPattern.test(text) ? new Decimal(text).toFixed() : undefined;
};

/** ccxt's record of a market, as far as it is read here. `unknown`: it comes from the venue, or from the table. */
export type NativeMarket = { readonly [field: string]: unknown };

/** The market of an active spot pair; undefined for anything else. */
export const toMarket = (native: NativeMarket): Market | undefined => {
  const { info: _info, ...kept } = native;
  const { symbol, id, base, quote, spot, active } = kept;
  if (spot !== true || active === false) return undefined;
  if (typeof symbol !== 'string' || typeof id !== 'string' || typeof base !== 'string' || typeof quote !== 'string') {
    return undefined;
  }
  // Through JSON, because ccxt's records hold `undefined`.
  return { symbol, id, base, quote, type: 'spot', active: true, native: JSON.parse(JSON.stringify(kept)) };
};

/** ccxt's ticker, as far as it is read here. */
export interface NativeTicker {
  readonly last?: unknown;
  readonly bid?: unknown;
  readonly ask?: unknown;
  readonly high?: unknown;
  readonly low?: unknown;
  readonly baseVolume?: unknown;
  readonly percentage?: unknown;
  readonly timestamp?: unknown;
}

/**
 * @param now used where the venue reports no time, epoch ms
 * @param malformed receives the names of fields that hold no number; they count as absent
 * @returns undefined without a last price above zero
 */
export const toTicker = (
  symbol: string,
  native: NativeTicker,
  now: number,
  malformed: (field: string) => void,
): Ticker | undefined => {
  const read = (field: Exclude<keyof NativeTicker, 'timestamp'>): string | null => {
    const value = native[field];
    if (value === undefined || value === null) return null;
    const plain = plainDecimal(value);
    if (plain === undefined) malformed(field);
    return plain ?? null;
  };
  const last = read('last');
  if (last === null || !new Decimal(last).gt(0)) return undefined;
  return {
    symbol,
    last,
    bid: read('bid'),
    ask: read('ask'),
    high: read('high'),
    low: read('low'),
    baseVolume: read('baseVolume'),
    percentage: read('percentage'),
    timestamp: Number.isSafeInteger(native.timestamp) && Number(native.timestamp) > 0 ? Number(native.timestamp) : now,
  };
};
