/** The pairs and prices of the Kraken double, in Kraken's own names and formats. */

const dayMs = 24 * 60 * 60 * 1000;

/** A pair and where its price starts. Bases and quotes by the names that the world has for them. */
export interface KrakenListing {
  readonly base: string;
  readonly quote: string;
  readonly price: string;
  readonly priceDecimals: number;
}

const listing = (base: string, quote: string, price: string, priceDecimals: number): KrakenListing => ({
  base,
  quote,
  price,
  priceDecimals,
});

export const defaultKrakenListings: readonly KrakenListing[] = [
  listing('BTC', 'USD', '65000', 1),
  listing('ETH', 'USD', '3200', 2),
  listing('ETH', 'BTC', '0.04923', 5),
  listing('SOL', 'USD', '150', 2),
  listing('BTC', 'EUR', '60000', 1),
  listing('BTC', 'USDT', '65010', 1),
  listing('ETH', 'USDT', '3200.5', 2),
  listing('USDT', 'USD', '0.9998', 4),
  listing('DOGE', 'USD', '0.12', 7),
];

/** Assets that Kraken knows by two names of its own: the classified one, and a shorter one for people. */
const classified: Readonly<Record<string, readonly [id: string, altname: string]>> = {
  BTC: ['XXBT', 'XBT'],
  DOGE: ['XXDG', 'XDG'],
  ETH: ['XETH', 'ETH'],
  LTC: ['XLTC', 'LTC'],
  XRP: ['XXRP', 'XRP'],
  EUR: ['ZEUR', 'EUR'],
  GBP: ['ZGBP', 'GBP'],
  USD: ['ZUSD', 'USD'],
};

/** `XXBT` for `BTC`. */
export const assetId = (asset: string): string => classified[asset]?.[0] ?? asset;
/** `XBT` for `BTC`. */
export const assetAltname = (asset: string): string => classified[asset]?.[1] ?? asset;

export interface KrakenPair extends KrakenListing {
  /** `XXBTZUSD`, but `SOLUSD`: classified where both assets are. */
  readonly id: string;
  /** `XBTUSD`. */
  readonly altname: string;
  /** ccxt's name, `BTC/USD`. */
  readonly symbol: string;
  readonly open: string;
  last: string;
  high: string;
  low: string;
}

export const krakenPair = (listed: KrakenListing): KrakenPair => {
  const { base, quote, price } = listed;
  const altname = assetAltname(base) + assetAltname(quote);
  const id = base in classified && quote in classified ? assetId(base) + assetId(quote) : altname;
  return { ...listed, id, altname, symbol: `${base}/${quote}`, open: price, last: price, high: price, low: price };
};

const printed = ({ priceDecimals }: KrakenPair, price: number | string): string => Number(price).toFixed(priceDecimals);

/** An entry of GET /0/public/AssetPairs. */
export const assetPair = (pair: KrakenPair) => ({
  altname: pair.altname,
  wsname: `${assetAltname(pair.base)}/${assetAltname(pair.quote)}`,
  aclass_base: 'currency',
  base: assetId(pair.base),
  aclass_quote: 'currency',
  quote: assetId(pair.quote),
  lot: 'unit',
  cost_decimals: 5,
  pair_decimals: pair.priceDecimals,
  lot_decimals: 8,
  lot_multiplier: 1,
  leverage_buy: [2, 3],
  leverage_sell: [2, 3],
  fees: [
    [0, 0.4],
    [10_000, 0.35],
  ],
  fees_maker: [
    [0, 0.25],
    [10_000, 0.2],
  ],
  fee_volume_currency: 'ZUSD',
  margin_call: 80,
  margin_stop: 40,
  ordermin: '0.00005',
  costmin: '0.5',
  tick_size: (10 ** -pair.priceDecimals).toFixed(pair.priceDecimals),
  status: 'online',
});

/** An entry of GET /0/public/Assets. */
export const assetInfo = (asset: string) => ({
  aclass: 'currency',
  altname: assetAltname(asset),
  decimals: asset === 'USD' || asset === 'EUR' ? 4 : 10,
  display_decimals: asset === 'USD' || asset === 'EUR' ? 2 : 5,
  status: 'enabled',
});

/** An entry of GET /0/public/Ticker: of today and of the last 24 hours. */
export const krakenTicker = (pair: KrakenPair) => {
  const price = (value: number | string) => printed(pair, value);
  const tick = 10 ** -pair.priceDecimals;
  return {
    a: [price(Number(pair.last) + tick), '1', '1.000'],
    b: [price(Number(pair.last) - tick), '2', '2.000'],
    c: [price(pair.last), '0.01500000'],
    v: ['400.00000000', '1000.00000000'],
    p: [price(pair.last), price((Number(pair.open) + Number(pair.last)) / 2)],
    t: [20_000, 50_000],
    l: [price(pair.low), price(pair.low)],
    h: [price(pair.high), price(pair.high)],
    o: price(pair.open),
  };
};

/** Candles of GET /0/public/OHLC: a fixed wave, so that the same request gets the same answer; the last one runs. */
export const krakenCandles = (pair: KrakenPair, intervalMinutes: number, sinceSeconds: number, now: number) => {
  const intervalMs = intervalMinutes * 60_000;
  const newest = Math.floor(now / intervalMs) * intervalMs;
  const oldest = Math.max(Math.ceil((sinceSeconds * 1000) / intervalMs) * intervalMs, newest - 719 * intervalMs);
  const wave = (time: number) => Number(pair.open) * (1 + 0.02 * Math.sin((time / dayMs) * 3));
  const candles: unknown[] = [];
  for (let time = oldest; time <= newest; time += intervalMs) {
    const [open, close] = [wave(time), time === newest ? Number(pair.last) : wave(time + intervalMs)];
    const prices = [open, Math.max(open, close), Math.min(open, close), close, (open + close) / 2];
    candles.push([time / 1000, ...prices.map((price) => printed(pair, price)), '10.00000000', 120]);
  }
  return { candles, last: newest / 1000 - intervalMinutes * 60 };
};
