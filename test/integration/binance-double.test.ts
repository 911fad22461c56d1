import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import { createCcxtVenue } from '#shared/exchange/venues/ccxt/public-venue';
import { systemClock as clock } from '#shared/platform/system';
import type { BinanceDouble } from '../support/venues/binance.ts';
import { startBinance } from '../support/venues/binance.ts';

const none = new Map<string, number>();
const listingPath = '/api/v3/exchangeInfo';
const tickerPath = '/api/v3/ticker/24hr';

describe('the ccxt venue over HTTP', () => {
  let binance: BinanceDouble;
  let venue: Venue;
  let listed: Market[];
  const warnings: unknown[] = [];

  const connect = (requestTimeoutMs = 2000) =>
    createCcxtVenue({
      id: 'binance',
      network: { fetch },
      clock,
      originOverride: binance.url,
      requestTimeoutMs,
      logger: { warn: (...warning) => void warnings.push(warning) },
    });
  const prices = (tickers: readonly Ticker[]) => Object.fromEntries(tickers.map(({ symbol, last }) => [symbol, last]));
  const paths = () => binance.requests.map(({ path }) => path);

  beforeAll(async () => {
    binance = await startBinance();
    listed = await (await connect()).markets();
    await binance.close();
  });
  beforeEach(async () => {
    binance = await startBinance();
    venue = await connect();
    venue.useMarkets(listed);
    warnings.length = 0;
  });
  afterEach(() => binance.close());

  it('lists the active markets with a single request', async () => {
    binance.delist('ADA/USDT');
    const markets = await venue.markets();
    expect(markets.map(({ symbol }) => symbol).toSorted()).toEqual([
      'BNB/USDT',
      'BTC/USDT',
      'DOGE/USDT',
      'ETH/BTC',
      'ETH/USDT',
      'SHIB/USDT',
      'SOL/USDT',
      'USDC/USDT',
      'XRP/USDT',
    ]);
    expect(paths()).toEqual([listingPath]);
  });

  it('keeps tick sizes as exact strings, and none of the raw answer, in what it remembers of a market', async () => {
    const shib = (await venue.markets()).find(({ symbol }) => symbol === 'SHIB/USDT');
    expect(shib?.native).toMatchObject({ precision: { price: '0.00000001', amount: '1.00000000' } });
    expect(shib?.native).not.toHaveProperty('info');
  });

  it('tells prices as exact decimals, in one request for many symbols', async () => {
    binance.setPrice('BTC/USDT', '65000.10');
    binance.setPrice('SHIB/USDT', '0.00001751');
    const tickers = await venue.tickers(['BTC/USDT', 'SHIB/USDT', 'ETH/BTC'], none);
    expect(prices(tickers)).toEqual({ 'BTC/USDT': '65000.1', 'SHIB/USDT': '0.00001751', 'ETH/BTC': '0.04923' });
    expect(paths()).toEqual([tickerPath]);
  });

  it('tells the whole day of a symbol', async () => {
    binance.setPrice('BTC/USDT', '66300');
    const [ticker] = await venue.tickers(['BTC/USDT'], none);
    expect(ticker).toMatchObject({
      bid: '66299.99',
      ask: '66300.01',
      high: '66300',
      low: '65000',
      baseVolume: '1000',
      percentage: '2',
    });
    expect(ticker?.timestamp).toBe(binance.requests.at(-1)?.at);
  });

  it('sees a price change with the next call', async () => {
    await venue.tickers(['BTC/USDT'], none);
    binance.setPrice('BTC/USDT', '64999.99');
    expect(prices(await venue.tickers(['BTC/USDT'], none))).toEqual({ 'BTC/USDT': '64999.99' });
  });

  it('leaves unknown symbols out', async () => {
    expect(prices(await venue.tickers(['NOPE/USDT', 'BTC/USDT', '__proto__'], none))).toEqual({ 'BTC/USDT': '65000' });
  });

  it('asks nothing when there is nothing to ask for', async () => {
    expect(await venue.tickers(['NOPE/USDT'], none)).toEqual([]);
    expect(await venue.tickers([], none)).toEqual([]);
    expect(paths()).toEqual([]);
  });

  it('asks again for the rest, once, when a symbol was delisted meanwhile', async () => {
    binance.delist('XRP/USDT');
    expect(prices(await venue.tickers(['XRP/USDT', 'BTC/USDT'], none))).toEqual({ 'BTC/USDT': '65000' });
    expect(prices(await venue.tickers(['XRP/USDT', 'BTC/USDT'], none))).toEqual({ 'BTC/USDT': '65000' });
    expect(binance.requests.map(({ query }) => query.symbols)).toEqual([
      '["XRPUSDT","BTCUSDT"]',
      undefined,
      '["BTCUSDT"]',
    ]);
  });

  it('asks for the markets first unless it was given them', async () => {
    expect(await venue.tickers(['BTC/USDT'], none)).toHaveLength(1);
    expect(paths()).toEqual([tickerPath]);
    expect(await (await connect()).tickers(['BTC/USDT'], none)).toHaveLength(1);
    expect(paths()).toEqual([tickerPath, listingPath, tickerPath]);
  });

  it('takes markets that went through JSON', async () => {
    venue = await connect();
    venue.useMarkets(JSON.parse(JSON.stringify(listed)));
    expect(await venue.tickers(['ETH/BTC'], none)).toHaveLength(1);
    expect(paths()).toEqual([tickerPath]);
  });

  it('leaves a broken price out and reports it', async () => {
    binance.setPrice('BTC/USDT', 'soon');
    expect(prices(await venue.tickers(['BTC/USDT', 'ETH/USDT'], none))).toEqual({ 'ETH/USDT': '3200' });
    expect(warnings).toHaveLength(1);
  });

  describe('when Binance fails', () => {
    const failure = async () => {
      const error: unknown = await venue.tickers(['BTC/USDT'], none).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'VenueError', venue: 'binance' });
      expect(String(error)).not.toContain(new URL(binance.url).host);
      return error;
    };

    it('tells a rate limit with the time to come back', async () => {
      binance.fail({ status: 429, headers: { 'retry-after': '7' }, body: { code: -1003, msg: 'Too many requests.' } });
      const error = await failure();
      expect(error).toMatchObject({ failure: 'rate-limited', retryAfterMs: expect.closeTo(7000, -3) });
    });

    it('tells a ban as a rate limit', async () => {
      binance.fail({ status: 418, headers: { 'retry-after': '120' }, body: { code: -1003, msg: 'IP banned.' } });
      expect(await failure()).toMatchObject({ failure: 'rate-limited', retryAfterMs: expect.closeTo(120_000, -3) });
    });

    it.each([500, 502, 503, 504])('tells status %i as passing', async (status) => {
      binance.fail({ status, body: '<html>Bad gateway</html>' });
      expect(await failure()).toMatchObject({ failure: 'retryable' });
    });

    it('tells broken JSON as passing, not as no prices', async () => {
      binance.malformed();
      expect(await failure()).toMatchObject({ failure: 'retryable' });
    });

    it('tells a cut connection as passing', async () => {
      binance.drop(2);
      expect(await failure()).toMatchObject({ failure: 'retryable', message: 'binance could not be reached' });
    });

    it('tells maintenance', async () => {
      binance.maintenance(true);
      expect(await failure()).toMatchObject({ failure: 'maintenance' });
    });

    it('tells that a region is not served', async () => {
      binance.fail({ status: 451, body: { code: 0, msg: 'Service unavailable from a restricted location.' } });
      expect(await failure()).toMatchObject({ failure: 'permission', message: expect.stringContaining('region') });
    });

    it('does not follow a redirect', async () => {
      binance.fail({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
      expect(await failure()).toMatchObject({ failure: 'retryable' });
    });

    it('works again afterwards', async () => {
      binance.fail({ status: 500 });
      await failure();
      expect(await venue.tickers(['BTC/USDT'], none)).toHaveLength(1);
    });
  });

  it.each(['hang', 'stall'] as const)('ends within its timeout when the answers of Binance %s', async (fault) => {
    venue = await connect(50);
    venue.useMarkets(listed);
    binance[fault]();
    await expect(venue.tickers(['BTC/USDT'], none)).rejects.toMatchObject({
      failure: 'retryable',
      message: 'binance did not answer in time',
    });
  });

  it('loads the markets again after a load that failed', async () => {
    venue = await connect();
    binance.fail({ status: 503 });
    await expect(venue.tickers(['BTC/USDT'], none)).rejects.toMatchObject({ failure: 'retryable' });
    expect(await venue.tickers(['BTC/USDT'], none)).toHaveLength(1);
  });

  it('does not take an answer of another shape for an exchange without markets', async () => {
    binance.fail({ status: 200, body: {} });
    await expect(venue.markets()).rejects.toMatchObject({ failure: 'retryable' });
  });
});

describe('the Binance double', () => {
  let binance: BinanceDouble;
  const get = async <Body>(path: string) => {
    const response = await fetch(binance.url + path);
    const body: Body = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, body };
  };

  afterEach(() => binance.close());

  it('counts weight and refuses more than a minute allows', async () => {
    binance = await startBinance({ weightPerMinute: 81 });
    const [first, second] = [
      await get('/api/v3/ticker/24hr'),
      await get<{ code: number }>('/api/v3/ticker/24hr?symbol=BTCUSDT'),
    ];
    expect([first.status, first.headers.get('x-mbx-used-weight-1m')]).toEqual([200, '80']);
    expect([second.status, second.body.code]).toEqual([429, -1003]);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each([
    ['/api/v3/ticker/24hr?symbol=NOPE', -1121],
    ['/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22,%22NOPE%22%5D', -1121],
    ['/api/v3/ticker/price?symbols=BTCUSDT', -1100],
    ['/api/v3/klines?symbol=BTCUSDT', -1102],
    ['/api/v3/klines?symbol=BTCUSDT&interval=7x', -1120],
  ])('refuses %s with %i', async (path, code) => {
    binance = await startBinance();
    expect(await get(path)).toMatchObject({ status: 400, body: { code } });
  });

  it('tells candles that join, the last of them at the price now', async () => {
    binance = await startBinance();
    binance.setPrice('BTC/USDT', '65432.1');
    const { body } = await get<[number, ...string[]][]>('/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=3');
    const [first, second, running] = body;
    expect(body).toHaveLength(3);
    expect(second?.[1]).toBe(first?.[4]);
    expect(Number(second?.[0]) - Number(first?.[0])).toBe(3_600_000);
    expect(running?.[4]).toBe('65432.10000000');
  });
});
