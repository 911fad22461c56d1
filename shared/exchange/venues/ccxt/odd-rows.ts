/** ccxt drops a row without a time, and a whole list for one row that it can't parse. Both are kept here, to be counted as rejected. */
import type { CurrencyInterface, Exchange, MarketInterface } from 'ccxt';

/** The mark of a row whose time is not the venue's. */
export const withoutTime = 'withoutTime';
/** The mark of a row that ccxt could not parse. */
export const unparsed = 'unparsed';

/** Has ccxt keep every row of trades, orders and transfers: one without a time passes for new, which {@link withoutTime} marks. */
export const keepOddRows = (exchange: Exchange): void => {
  const kept = (row: object, market: object | undefined, parse: () => object): object => {
    const named = Object.entries(market ?? {}).filter(([name]) => name === 'symbol' || name === 'code');
    const { symbol, code: currency } = Object.fromEntries(named);
    const marks = { timestamp: exchange.milliseconds(), [withoutTime]: true };
    try {
      const native = parse();
      const { timestamp } = native as { readonly timestamp?: unknown };
      return typeof timestamp === 'number' && timestamp > 0 ? native : { ...native, ...marks };
    } catch {
      return { info: row, symbol, currency, [unparsed]: true, ...marks };
    }
  };
  const trade = exchange.parseTrade.bind(exchange);
  const order = exchange.parseOrder.bind(exchange);
  const transaction = exchange.parseTransaction.bind(exchange);
  Object.assign(exchange, {
    parseTrade: (row: object, market?: MarketInterface) => kept(row, market, () => trade(row, market)),
    parseOrder: (row: object, market?: MarketInterface) => kept(row, market, () => order(row, market)),
    parseTransaction: (row: object, currency?: CurrencyInterface) =>
      kept(row, currency, () => transaction(row, currency)),
  });
};
