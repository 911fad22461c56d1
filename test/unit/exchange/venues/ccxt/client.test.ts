import { describe, expect, it } from 'vitest';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { createCcxtVenue } from '#shared/exchange/venues/ccxt/public-venue';
import { systemClock as clock } from '#shared/platform/system';

/** A network where every request is answered with 200 and an empty object. */
const listening = () => {
  const urls: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    urls.push(String(input));
    return new Response('{}', { headers: { 'content-type': 'application/json' } });
  };
  return { network: { fetch }, urls };
};

const offered = ['binance', 'kraken', 'coinbase', 'bybit', 'okx', 'kucoin'];

describe('a client of ccxt', () => {
  it.each(offered)('of %s is made without a request', async (id) => {
    const { network, urls } = listening();
    const { exchange } = await createCcxtClient({ id, network, clock });
    expect([exchange.id, exchange.has.fetchTickers, exchange.has.fetchOHLCV]).toEqual([id, true, true]);
    expect(urls).toEqual([]);
  });

  it.each(offered)('of %s sends every request to the replaced origin', async (id) => {
    const { network, urls } = listening();
    const originOverride = 'http://127.0.0.1:9001/ignored';
    const { exchange, run } = await createCcxtClient({ id, network, clock, originOverride });
    exchange.enableRateLimit = false;
    await run(() => exchange.fetchTime()).catch(() => undefined);
    await run(() => exchange.loadMarkets()).catch(() => undefined);
    expect(new Set(urls.map((url) => new URL(url).origin))).toEqual(new Set(['http://127.0.0.1:9001']));
    expect(urls.some((url) => url.includes('ignored'))).toBe(false);
  });

  it('keeps path and query of a replaced URL as they are', async () => {
    const { network, urls } = listening();
    const { exchange } = await createCcxtClient({
      id: 'binance',
      network,
      clock,
      originOverride: 'http://localhost:1',
    });
    await exchange.fetch('https://api.binance.com/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D&x=http://a/');
    expect(urls).toEqual(['http://localhost:1/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D&x=http://a/']);
  });

  it('refuses an origin that is none', async () => {
    const made = createCcxtVenue({ id: 'binance', ...listening(), clock, originOverride: 'localhost' });
    await expect(made).rejects.toMatchObject({ failure: 'not-supported' });
  });

  it.each(['binanc', '../base/errors', 'constructor', ''])('says that there is no venue %s', async (id) => {
    await expect(createCcxtVenue({ id, ...listening(), clock })).rejects.toMatchObject({
      failure: 'not-supported',
      message: expect.stringMatching(/^There is no venue .*; did you mean \w+, \w+, \w+\?$/),
    });
  });

  it('names the venue that was probably meant', async () => {
    await expect(createCcxtVenue({ id: 'binanc', ...listening(), clock })).rejects.toThrow('did you mean binance');
  });

  it('charges a list of symbols what Binance does', async () => {
    const { exchange } = await createCcxtClient({ id: 'binance', ...listening(), clock });
    const weight = (symbols: number) =>
      5 *
      exchange.calculateRateLimiterCost('public', 'GET', 'ticker/24hr', {
        symbols: JSON.stringify(Array.from({ length: symbols }, (_, number) => `S${number}`)),
      });
    expect([1, 20, 21, 100, 101].map(weight)).toEqual([2, 2, 40, 40, 80]);
  });

  it('asks for one symbol after the other where a venue knows no other way', async () => {
    const urls: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      urls.push(String(input));
      return Response.json({ last: 9_000_000, bid: 8_999_000.5, timestamp: 1_700_000_000 });
    };
    const venue = await createCcxtVenue({ id: 'coincheck', network: { fetch }, clock });
    // ccxt knows both markets of Coincheck by heart, and that only one of them has a ticker.
    const tickers = await venue.tickers(['ETH/JPY', 'BTC/JPY'], new Map());
    expect(tickers).toMatchObject([
      { symbol: 'BTC/JPY', last: '9000000', bid: '8999000.5', timestamp: 1_700_000_000_000 },
    ]);
    expect(urls).toHaveLength(1);
  });

  it.each(['binanceusdm', 'krakenfutures'])('leaves the contracts of %s alone', async (id) => {
    const { exchange } = await createCcxtClient({ id, ...listening(), clock });
    expect(JSON.stringify(exchange.options.fetchMarkets ?? null)).not.toContain('spot');
  });

  it('does not wait for a venue for ever', async () => {
    // A clock on which every wait is over at once.
    const hurried = { now: clock.now, sleep: async () => undefined };
    const { run } = await createCcxtClient({ id: 'binance', ...listening(), clock: hurried });
    await expect(run(() => new Promise(() => undefined))).rejects.toMatchObject({ failure: 'retryable' });
  });
});
