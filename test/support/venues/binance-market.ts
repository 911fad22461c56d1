/** The order book tops and 24 h statistics of the Binance double, in Binance's own names and formats. */

const dayMs = 24 * 60 * 60 * 1000;

/** A pair and where its price starts. */
export interface Listing {
  readonly base: string;
  readonly quote: string;
  readonly price: string;
  readonly tickSize: string;
  readonly stepSize: string;
}

const usdt = (base: string, price: string, tickSize: string, stepSize: string): Listing => ({
  base,
  quote: 'USDT',
  price,
  tickSize,
  stepSize,
});

export const defaultListings: readonly Listing[] = [
  usdt('BTC', '65000', '0.01', '0.00001'),
  usdt('ETH', '3200', '0.01', '0.0001'),
  usdt('BNB', '580', '0.1', '0.001'),
  usdt('SOL', '150', '0.01', '0.001'),
  usdt('XRP', '0.52', '0.0001', '1'),
  usdt('ADA', '0.38', '0.0001', '0.1'),
  usdt('DOGE', '0.12', '0.00001', '1'),
  usdt('SHIB', '0.0000175', '0.00000001', '1'),
  usdt('USDC', '1.0001', '0.0001', '1'),
  { base: 'ETH', quote: 'BTC', price: '0.04923', tickSize: '0.00001', stepSize: '0.0001' },
];

/** One pair with its price now. */
export interface Pair extends Listing {
  /** Binance's name, `BTCUSDT`. */
  readonly id: string;
  /** ccxt's name, `BTC/USDT`. */
  readonly symbol: string;
  readonly open: string;
  last: string;
  high: string;
  low: string;
  status: 'TRADING' | 'BREAK';
}

export const pairOf = (listing: Listing): Pair => ({
  ...listing,
  id: listing.base + listing.quote,
  symbol: `${listing.base}/${listing.quote}`,
  open: listing.price,
  last: listing.price,
  high: listing.price,
  low: listing.price,
  status: 'TRADING',
});

/** Binance prints prices and amounts with eight decimals. */
export const printed = (amount: string): string => {
  const [whole = '0', decimals = ''] = amount.split('.');
  return `${whole}.${decimals.padEnd(8, '0')}`;
};

const float8 = (amount: number): string => amount.toFixed(8);

/** An entry of `symbols` in GET /api/v3/exchangeInfo. */
export const symbolInfo = ({ id, base, quote, status, tickSize, stepSize }: Pair) => ({
  symbol: id,
  status,
  baseAsset: base,
  baseAssetPrecision: 8,
  quoteAsset: quote,
  quotePrecision: 8,
  quoteAssetPrecision: 8,
  baseCommissionPrecision: 8,
  quoteCommissionPrecision: 8,
  orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT'],
  icebergAllowed: true,
  ocoAllowed: true,
  otoAllowed: true,
  quoteOrderQtyMarketAllowed: true,
  allowTrailingStop: true,
  cancelReplaceAllowed: true,
  isSpotTradingAllowed: true,
  isMarginTradingAllowed: true,
  filters: [
    {
      filterType: 'PRICE_FILTER',
      minPrice: printed(tickSize),
      maxPrice: '1000000.00000000',
      tickSize: printed(tickSize),
    },
    { filterType: 'LOT_SIZE', minQty: printed(stepSize), maxQty: '9000000.00000000', stepSize: printed(stepSize) },
    { filterType: 'ICEBERG_PARTS', limit: 10 },
    { filterType: 'MARKET_LOT_SIZE', minQty: '0.00000000', maxQty: '100000.00000000', stepSize: '0.00000000' },
    {
      filterType: 'PERCENT_PRICE_BY_SIDE',
      bidMultiplierUp: '5',
      bidMultiplierDown: '0.2',
      askMultiplierUp: '5',
      askMultiplierDown: '0.2',
      avgPriceMins: 5,
    },
    {
      filterType: 'NOTIONAL',
      minNotional: quote === 'USDT' ? '5.00000000' : '0.00010000',
      applyMinToMarket: true,
      maxNotional: '9000000.00000000',
      applyMaxToMarket: false,
      avgPriceMins: 5,
    },
    { filterType: 'MAX_NUM_ORDERS', maxNumOrders: 200 },
    { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: 5 },
  ],
  permissions: [],
  permissionSets: [['SPOT', 'MARGIN']],
  defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
  allowedSelfTradePreventionModes: ['EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH'],
});

const spread = ({ last, tickSize }: Pair) => ({
  bidPrice: float8(Number(last) - Number(tickSize)),
  askPrice: float8(Number(last) + Number(tickSize)),
});

/** GET /api/v3/ticker/24hr of one symbol. */
export const dayTicker = (pair: Pair, now: number) => {
  const { id, open, last, high, low } = pair;
  const volume = 1000;
  return {
    symbol: id,
    priceChange: float8(Number(last) - Number(open)),
    priceChangePercent: ((Number(last) / Number(open) - 1) * 100).toFixed(3),
    weightedAvgPrice: float8((Number(open) + Number(last)) / 2),
    prevClosePrice: printed(open),
    lastPrice: printed(last),
    lastQty: '0.01500000',
    ...spread(pair),
    bidQty: '3.20000000',
    askQty: '2.90000000',
    openPrice: printed(open),
    highPrice: printed(high),
    lowPrice: printed(low),
    volume: float8(volume),
    quoteVolume: float8((volume * (Number(open) + Number(last))) / 2),
    openTime: now - dayMs,
    closeTime: now,
    firstId: 1,
    lastId: 50_000,
    count: 50_000,
  };
};

export const bookTicker = (pair: Pair) => ({
  symbol: pair.id,
  ...spread(pair),
  bidQty: '3.20000000',
  askQty: '2.90000000',
});

export const priceTicker = ({ id, last }: Pair) => ({ symbol: id, price: printed(last) });

/**
 * One candle of GET /api/v3/klines. Closed candles follow a fixed wave around the opening price, so that the same
 * request gets the same answer; the running one closes at the price now.
 */
export const kline = (pair: Pair, openTime: number, intervalMs: number, now: number) => {
  const wave = (time: number) => Number(pair.open) * (1 + 0.02 * Math.sin(time / intervalMs / 7));
  const open = wave(openTime);
  const close = openTime + intervalMs > now ? Number(pair.last) : wave(openTime + intervalMs);
  const volume = 10 + 5 * Math.cos(openTime / intervalMs / 5);
  return [
    openTime,
    float8(open),
    float8(Math.max(open, close) * 1.001),
    float8(Math.min(open, close) * 0.999),
    float8(close),
    float8(volume),
    openTime + intervalMs - 1,
    float8(volume * close),
    120,
    float8(volume / 2),
    float8((volume * close) / 2),
    '0',
  ];
};
