import * as z from 'zod';

/** A venue: a ccxt id, `sim` or `replay`. */
export const VenueId = z.string().regex(/^[a-z0-9]{2,32}$/, 'must be a venue such as "binance"');

/** A symbol in ccxt's unified form. Some venues name assets with letters of other scripts, so only what breaks keys is refused. */
export const MarketSymbol = z
  .string()
  .max(64)
  .regex(/^[^\s#/:]{1,24}\/[^\s#/:]{1,24}(:[^\s#/:]{1,32})?$/, 'must be a symbol such as "BTC/USDT"')
  .refine((symbol) => symbol.isWellFormed(), 'must be well-formed text');
