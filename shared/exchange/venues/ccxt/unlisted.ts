/** Names of markets that a venue does not list any more: ccxt passes them on as if they were symbols. */
import type { Exchange } from 'ccxt';

/** What is known of the market that a row names. */
export interface NamedMarket {
  readonly symbol: string;
  /** Currencies by ccxt's codes; undefined where the venue's own name is all that is known. */
  readonly base?: string;
  readonly quote?: string;
}

/** Whether ccxt's parameters name contracts; undefined where they name no type of market. */
export const isContract = ({ type }: Readonly<Record<string, unknown>>): boolean | undefined =>
  type === undefined ? undefined : type === 'swap' || type === 'future';

/** Quotes that venues have had, so that one which is not listed any more is not split at a shorter one: `FOOBUSD`. */
const formerQuotes = [
  ...['USD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'FDUSD', 'USDP', 'PAX', 'USDS', 'USDD', 'USDE', 'USD1', 'DAI', 'UST'],
  ...['EUR', 'EURT', 'EURS', 'EURC', 'AEUR', 'EURI', 'GBP', 'JPY', 'CAD', 'AUD', 'CHF', 'TRY', 'BRL', 'RUB', 'BIDR'],
  ...['BTC', 'XBT', 'ETH', 'BNB', 'TRX', 'XRP', 'DOGE', 'ZEUR', 'ZUSD', 'ZGBP', 'ZJPY', 'ZCAD', 'XXBT', 'XETH'],
];
/** Kraken's oldest assets have a letter before them that says what they are: `XREPZEUR`, `XICNXETH`. */
const classifiedPair = /^(X([A-Z]{3}))([XZ][A-Z]{3})$/;

interface Names {
  /** ccxt's code of an asset by each of the venue's names for it. */
  readonly assets: ReadonlyMap<string, string>;
  readonly quotes: ReadonlySet<string>;
}

/** Made once for a list of markets, which all accounts share. */
const namesOf = new WeakMap<object, Names>();

/**
 * The market that a row of ccxt's names.
 * @param isContract whether the row is of a contract, where the venue gives both kinds the same name
 */
export const namedMarket = (exchange: Exchange, symbol: string, isContract?: boolean): NamedMarket => {
  const listed = exchange.markets?.[symbol];
  if (listed !== undefined && (isContract === undefined || Boolean(listed.contract) === isContract)) {
    return { symbol, base: listed.base, quote: listed.quote };
  }
  const name = listed?.id ?? symbol;
  if (name.includes('/')) {
    const [base = '', quote = ''] = (name.split(':')[0] ?? '').split('/');
    return { symbol: name, base, quote };
  }
  const pair = pairOf(exchange, name);
  if (pair === undefined) return { symbol: name };
  const [base, quote] = pair;
  if (isContract !== true) return { symbol: `${base}/${quote}`, base, quote };
  return { symbol: `${base}/${quote}:${quote === 'USD' ? base : quote}`, base, quote };
};

/** ccxt's code of an asset, by the venue's name for it, also where no listed market has it. */
export const assetCode = (exchange: Exchange, name: string): string => {
  const { assets } = names(exchange);
  const known = assets.get(name) ?? exchange.commonCurrencies?.[name];
  if (typeof known === 'string') return known;
  return exchange.safeCurrencyCode(name) ?? name;
};

/** Base and quote of a name, where there is no doubt about them. */
const pairOf = (exchange: Exchange, name: string): readonly [base: string, quote: string] | undefined => {
  const [, first, second] = /^([A-Z0-9]+)[-_]([A-Z0-9]+)$/i.exec(name) ?? [];
  if (first !== undefined && second !== undefined && !/^\d/.test(second)) {
    return [assetCode(exchange, first), assetCode(exchange, second)];
  }
  if (/^[A-Z0-9]+PERP$/.test(name)) return [assetCode(exchange, name.slice(0, -'PERP'.length)), 'USDC'];
  const { assets, quotes } = names(exchange);
  const splits = Array.from({ length: Math.max(name.length - 2, 0) }, (_, index) => index + 2).flatMap((at) =>
    quotes.has(name.slice(at)) ? [[name.slice(0, at), name.slice(at)] as const] : [],
  );
  const known = splits.filter(([base]) => assets.has(base));
  const [, classified = '', base = '', quote = ''] = classifiedPair.exec(name) ?? [];
  if (known.length === 0 && quotes.has(quote)) {
    const code = exchange.commonCurrencies?.[classified];
    return [typeof code === 'string' ? code : exchange.commonCurrencyCode(base), assetCode(exchange, quote)];
  }
  const possible = known.length > 0 ? known : splits;
  const pairs = new Map(
    possible.map(([from, to]) => {
      const pair = [assetCode(exchange, from), assetCode(exchange, to)] as const;
      return [pair.join('/'), pair];
    }),
  );
  return pairs.size === 1 ? [...pairs.values()][0] : undefined;
};

const names = (exchange: Exchange): Names => {
  const { markets, currencies } = exchange;
  const made = markets === undefined ? undefined : namesOf.get(markets);
  if (made !== undefined) return made;
  const assets = new Map<string, string>();
  for (const [code, currency] of Object.entries(currencies ?? {})) {
    assets.set(code, code);
    if (typeof currency?.id === 'string') assets.set(currency.id, code);
  }
  for (const [alias, code] of Object.entries(exchange.commonCurrencies ?? {})) {
    if (typeof code === 'string' && assets.has(code) && !assets.has(alias)) assets.set(alias, code);
  }
  const listed = Object.values(markets ?? {}).flatMap(({ quote, quoteId }) => [quote, quoteId]);
  const quotes = new Set([...listed.filter((quote): quote is string => typeof quote === 'string'), ...formerQuotes]);
  const found = { assets, quotes };
  if (markets !== undefined) namesOf.set(markets, found);
  return found;
};
