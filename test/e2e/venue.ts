/** Binance's double in the process of the runner, and an address at which tests move its prices. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { startBinance } from '../support/venues/binance.ts';

const PriceChange = z.object({ symbol: z.string(), price: z.string() });

export interface Venue {
  /** Where the system reaches it. */
  readonly url: string;
  /** Takes `PUT {symbol, price}`. */
  readonly pricesUrl: string;
  close(): Promise<void>;
}

export const startVenue = async (): Promise<Venue> => {
  const binance = await startBinance();
  const control = createServer(async (request, answer) => {
    try {
      const { symbol, price } = PriceChange.parse(await json(request));
      binance.setPrice(symbol, price);
      answer.writeHead(204).end();
    } catch (error) {
      answer.writeHead(422).end(String(error));
    }
  }).listen(0, '127.0.0.1');
  await once(control, 'listening');
  return {
    url: binance.url,
    pricesUrl: `http://127.0.0.1:${(control.address() as AddressInfo).port}/prices`,
    close: async () => {
      control.closeAllConnections();
      control.close();
      await binance.close();
    },
  };
};
