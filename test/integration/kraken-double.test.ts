import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Market, Venue } from '#shared/exchange/venue';
import { createCcxtVenue } from '#shared/exchange/venues/ccxt/public-venue';
import { systemClock as clock } from '#shared/platform/system';
import { transferOf } from '../support/venues/account-fixtures.ts';
import type { KrakenDouble } from '../support/venues/kraken.ts';
import { startKraken } from '../support/venues/kraken.ts';

const none = new Map<string, number>();
let kraken: KrakenDouble;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 5, 1, 12, 30, 15);
  kraken = await startKraken({ now: () => now });
});
afterEach(() => kraken.close());

describe('Kraken as a venue over HTTP', () => {
  let venue: Venue;
  let listed: Market[];
  const connect = ({ url }: KrakenDouble) =>
    createCcxtVenue({ id: 'kraken', network: { fetch }, clock, originOverride: url });
  beforeAll(async () => {
    const listing = await startKraken();
    listed = await (await connect(listing)).markets();
    await listing.close();
  });
  beforeEach(async () => {
    venue = await connect(kraken);
    venue.useMarkets(listed);
  });

  it('lists its markets by the names that the world has for assets', () => {
    expect(listed.map(({ symbol, id }) => `${symbol} ${id}`)).toEqual(
      expect.arrayContaining(['BTC/USD XXBTZUSD', 'ETH/BTC XETHXXBT', 'SOL/USD SOLUSD', 'BTC/USDT XBTUSDT']),
    );
  });

  it('tells prices as exact decimals, in one request for many symbols', async () => {
    kraken.setPrice('BTC/USD', '65001.5');
    const tickers = await venue.tickers(['BTC/USD', 'SOL/USD'], none);
    expect(Object.fromEntries(tickers.map(({ symbol, last }) => [symbol, last]))).toEqual({
      'BTC/USD': '65001.5',
      'SOL/USD': '150',
    });
    expect(kraken.requests.filter(({ path }) => path === '/0/public/Ticker')).toHaveLength(1);
  });

  it('tells the other prices when a symbol was delisted meanwhile', async () => {
    kraken.delist('SOL/USD');
    expect((await venue.tickers(['BTC/USD', 'SOL/USD'], none)).map(({ symbol }) => symbol)).toEqual(['BTC/USD']);
  });
});

describe('the Kraken double', () => {
  // The example of Kraken's own documentation of its authentication.
  const secret = 'kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==';
  const apiKey = 'documented';
  let nonce = 1_616_492_376_594;
  const sign = (path: string, body: string, of = nonce) =>
    createHmac('sha512', Buffer.from(secret, 'base64'))
      .update(path)
      .update(createHash('sha256').update(`${of}${body}`).digest())
      .digest('base64');
  const ask = async (name: string, parameters: Record<string, string> = {}) => {
    const path = `/0/private/${name}`;
    const body = new URLSearchParams({ nonce: String(++nonce), ...parameters }).toString();
    const headers = { 'api-key': apiKey, 'api-sign': sign(path, body) };
    const answer = await fetch(kraken.url + path, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { error: string[]; result?: unknown };
  };

  beforeEach(() => kraken.accounts.addKey({ apiKey, secret }));

  it('checks the signature that is documented', () => {
    const body = 'nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25';
    expect(sign('/0/private/AddOrder', body, 1_616_492_376_594)).toBe(
      '4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==',
    );
  });

  it('takes no nonce twice', async () => {
    expect(await ask('BalanceEx')).toMatchObject({ error: [] });
    nonce--;
    expect(await ask('BalanceEx')).toEqual({ error: ['EAPI:Invalid nonce'] });
  });

  it('counts calls, those for trades twice, and lets them go with time', async () => {
    for (let call = 0; call < 7; call++) expect(await ask('TradesHistory')).toMatchObject({ error: [] });
    expect(await ask('BalanceEx')).toMatchObject({ error: [] });
    expect(await ask('BalanceEx')).toEqual({ error: ['EAPI:Rate limit exceeded'] });
    now += 7000;
    expect(await ask('BalanceEx')).toMatchObject({ error: [] });
  });

  it('tells deposits with a cursor where pages are wanted', async () => {
    for (let index = 0; index < 5; index++) kraken.accounts.addTransfer(apiKey, transferOf({ at: now }));
    const first = await ask('DepositStatus', { cursor: 'true', limit: '3' });
    expect(first.result).toMatchObject({ deposits: Array(3).fill({ asset: 'USDT' }), next_cursor: expect.any(String) });
    const { next_cursor } = first.result as { next_cursor: string };
    const rest = await ask('DepositStatus', { cursor: next_cursor, limit: '3' });
    expect(rest.result).toEqual({ deposits: Array(2).fill(expect.objectContaining({ asset: 'USDT' })) });
  });

  it('tells candles that join, the last of them at the price now', async () => {
    kraken.setPrice('BTC/USD', '66000');
    const answer = await fetch(`${kraken.url}/0/public/OHLC?pair=XBTUSD&interval=60`);
    const { result } = (await answer.json()) as { result: { XXBTZUSD: [number, string, string, string, string][] } };
    const candles = result.XXBTZUSD;
    expect(candles).toHaveLength(720);
    expect(candles.slice(1).map(([, open]) => open)).toEqual(candles.slice(0, -1).map(([, , , , close]) => close));
    expect(candles.at(-1)?.[0]).toBe(now / 1000 - (30 * 60 + 15));
    expect(candles.at(-1)?.[4]).toBe('66000.0');
  });
});
