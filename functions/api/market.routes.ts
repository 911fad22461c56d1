import * as z from 'zod';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { PriceQuote } from '#shared/market/price-quote';
import { MarketSymbol, VenueId } from '#shared/model/symbols';

const symbolsMax = 100;
/** Characters of that many symbols with their commas. */
const symbolsTextMax = symbolsMax * 65;

export const getPrices = route({
  method: 'GET',
  path: '/api/market/prices',
  scope: 'market:read',
  throttle: perMinute(1200),
  summary: 'Tickers of the watched symbols',
  query: z.strictObject({
    venue: VenueId.exactOptional(),
    symbols: z
      .string()
      .max(symbolsTextMax)
      .transform((list) => [...new Set(list.split(','))])
      .pipe(z.array(MarketSymbol).max(symbolsMax))
      .exactOptional()
      .describe('Comma-separated symbols'),
    ...PageQuery,
  }),
  response: { 200: listOf(PriceQuote) },
});
