/** The prices that the Bybit double gives, in Bybit's own names and formats. */

/** A pair of a base and USDT, on the spot and as a perpetual at the same price. */
export interface BybitPair {
  readonly base: string;
  /** ccxt's name on the spot, `BTC/USDT`. */
  readonly symbol: string;
  readonly open: string;
  last: string;
  high: string;
  low: string;
}

const startPrices: Readonly<Record<string, string>> = { BTC: '65000', ETH: '3200', SOL: '150' };
const otherPrice = '100';
const tick = 0.01;
const volume = 1000;

export const bybitPair = (base: string): BybitPair => {
  const price = startPrices[base] ?? otherPrice;
  return { base, symbol: `${base}/USDT`, open: price, last: price, high: price, low: price };
};

/** Bybit's name in a category: `BTCUSDT`, of an inverse contract `BTCUSD`. */
export const bybitSymbol = (base: string, category: string | null): string =>
  category === 'inverse' ? `${base}USD` : `${base}USDT`;

/** GET /v5/market/tickers: https://bybit-exchange.github.io/docs/v5/market/tickers */
export const tickers = (pairs: Iterable<BybitPair>, query: URLSearchParams) => {
  const [category, symbol] = [query.get('category'), query.get('symbol')];
  const list = category === 'option' ? [] : [...pairs].map((pair) => ticker(pair, category));
  return { category, list: list.filter((found) => symbol === null || found.symbol === symbol) };
};

const ticker = ({ base, open, last, high, low }: BybitPair, category: string | null) => {
  const contract = {
    indexPrice: last,
    markPrice: last,
    openInterest: '0',
    fundingRate: '0.0001',
    nextFundingTime: '0',
  };
  return {
    symbol: bybitSymbol(base, category),
    bid1Price: String(Number((Number(last) - tick).toFixed(8))),
    bid1Size: '2',
    ask1Price: String(Number((Number(last) + tick).toFixed(8))),
    ask1Size: '1.862172',
    lastPrice: last,
    prevPrice24h: open,
    price24hPcnt: (Number(last) / Number(open) - 1).toFixed(4),
    highPrice24h: high,
    lowPrice24h: low,
    turnover24h: String((volume * (Number(open) + Number(last))) / 2),
    volume24h: String(volume),
    ...(category === 'spot' ? { usdIndexPrice: last } : contract),
  };
};
