import * as z from 'zod';

/** A decimal number as a string, without exponent: how money travels everywhere. */
export const Decimal = z
  .string()
  .regex(/^-?(0|[1-9]\d{0,17})(\.\d{1,18})?$/, 'must be a decimal number in a string, such as "70000.5"')
  .meta({
    id: 'Decimal',
    description: 'A decimal number with at most 18 digits before and after the point',
    examples: ['70000.5'],
  });

/** A price: a positive decimal. */
export const Price = Decimal.refine((value) => !value.startsWith('-') && /[1-9]/.test(value), 'must be greater than 0');

/** A venue: a ccxt id, `sim` or `replay`. */
export const VenueId = z.string().regex(/^[a-z0-9]{2,32}$/, 'must be a venue such as "binance"');

/** A symbol in ccxt's unified form. Some venues name assets with letters of other scripts, so only what breaks keys is refused. */
export const MarketSymbol = z
  .string()
  .max(64)
  .regex(/^[^\s#/:]{1,24}\/[^\s#/:]{1,24}(:[^\s#/:]{1,32})?$/, 'must be a symbol such as "BTC/USDT"')
  .refine((symbol) => symbol.isWellFormed(), 'must be well-formed text');
