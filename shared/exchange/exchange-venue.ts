import * as z from 'zod';

/** What a venue offers for accounts, as the API shows it. */
export const ExchangeVenue = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    credentials: z.array(z.enum(['apiKey', 'secret', 'password'])).describe('The parts of its API keys'),
    paper: z.boolean().describe('Whether paper accounts can be created: its prices are watched'),
    live: z.boolean().describe('Whether live accounts can be connected'),
    supports: z.strictObject({
      balances: z.boolean(),
      positions: z.boolean(),
      openOrders: z.boolean(),
      closedOrders: z.boolean(),
      trades: z.boolean(),
      transfers: z.boolean(),
    }),
  })
  .meta({ id: 'ExchangeVenue' });
export type ExchangeVenue = z.infer<typeof ExchangeVenue>;
