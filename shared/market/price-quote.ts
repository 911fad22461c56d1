import * as z from 'zod';

const decimalOrNull = z.string().nullable();

/** A ticker as it is answered and pushed: what the venue said, where it comes from and whether it is stale. */
export const PriceQuote = z
  .strictObject({
    venue: z.string(),
    symbol: z.string(),
    last: z.string(),
    bid: decimalOrNull,
    ask: decimalOrNull,
    high: decimalOrNull.describe('Highest price of the last 24 hours'),
    low: decimalOrNull.describe('Lowest price of the last 24 hours'),
    baseVolume: decimalOrNull.describe('Volume of the last 24 hours in the base currency'),
    percentage: decimalOrNull.describe('Change over the last 24 hours in percent'),
    timestamp: z.int().describe('When the venue saw it, epoch milliseconds'),
    source: z.enum(['live', 'recorded', 'simulated']),
    confirmedAt: z.int().nullable().describe('When the venue last confirmed it, epoch milliseconds; null: not known'),
    stale: z.boolean().describe('Not confirmed for three sync periods, and at least 15 seconds'),
  })
  .meta({ id: 'Price' });
export type PriceQuote = z.infer<typeof PriceQuote>;
