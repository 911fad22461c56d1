import { Timeframe } from './timeframe.ts';

/** Currencies that prices are quoted in, as file names end with them. */
const QUOTES = [
  ...['USDT', 'USDC', 'BUSD', 'FDUSD', 'TUSD', 'USDE', 'USD1', 'DAI', 'USD', 'EUR', 'GBP', 'CHF', 'JPY', 'KRW', 'AUD'],
  ...['CAD', 'TRY', 'BRL', 'BTC', 'ETH', 'BNB'],
];

/**
 * Assets by which a name is split that could be split in two ways: `BNBUSD` is BNB/USD and not BN/BUSD, `ETHTUSD` is
 * ETH/TUSD and not ETHT/USD.
 */
const ASSETS = new Set(
  `AAVE ADA ALGO APE APT ARB ATOM AVAX AXS BAT BCH BNB BNT BOME BONK BTC BTT CAKE CELO CHZ COMP CRO CRV DAI DASH DOGE DOT
  DYDX EGLD ENA ENJ EOS ETC ETH FET FIL FLOKI FLOW FTM FTT GALA GMT GRT HBAR ICP IMX INJ IOTA JUP KAVA KSM LDO LINK LRC LTC
  LUNA MANA MATIC MINA MKR NEAR NEO NOT OMG ONT OP ORDI PEPE PERP PIXEL POL PYTH QNT QTUM REN RENDER REP RNDR ROSE RUNE SAND
  SEI SHIB SNT SNX SOL STRK STX SUI SUSHI THETA TIA TON TRB TRX TUSD UNI USDC USDT VET WAVES WBT WBTC WIF WLD XLM XMR XRP XTZ
  YFI ZEC ZIL ZRX`.split(/\s+/),
);

/** Kraken's own codes, and the one that others share with it. */
const KRAKEN_CODES: Readonly<Record<string, string>> = {
  ...{ XBT: 'BTC', XXBT: 'BTC', XDG: 'DOGE', XXDG: 'DOGE', XETH: 'ETH', XETC: 'ETC', XLTC: 'LTC', XXRP: 'XRP' },
  ...{ XXLM: 'XLM', XXMR: 'XMR', XZEC: 'ZEC', XREP: 'REP', XMLN: 'MLN' },
  ...{ ZUSD: 'USD', ZEUR: 'EUR', ZGBP: 'GBP', ZJPY: 'JPY', ZCAD: 'CAD', ZAUD: 'AUD' },
};

/** Words that name where a file is from: `Bitstamp_BTCUSD_d.csv`. */
const SOURCES = new Set(
  `BINANCE BITFINEX BITGET BITMEX BITSTAMP BYBIT CEX COINBASE FTX GATE GEMINI HTX HUOBI KRAKEN KUCOIN MEXC OKX POLONIEX`.split(
    ' ',
  ),
);

const ASSET = /^[A-Z0-9]{1,20}$/;

/** The symbols that a word can mean: none, one, or several where it can be split in several ways. */
export type SymbolsMeant = readonly string[];

export interface FileName {
  readonly symbols: SymbolsMeant;
  readonly timeframe?: Timeframe;
}

/**
 * Reads the symbol and the timeframe from the name of a candle file: `BTCUSDT_1m.csv`, `btc-usdt.csv`,
 * `BTCUSDT-1h-2025-08.csv` (Binance Vision), `XBTUSD_1440.csv` (Kraken), `Binance_BTCUSDT_d.csv` (CryptoDataDownload).
 * @param name without folders
 */
export const parseFileName = (name: string): FileName => {
  const words = name.replace(/\.[^.]*$/, '').split(/[-_ .]+/);
  for (const [index, word] of words.entries()) {
    if (SOURCES.has(word.toUpperCase())) continue;
    const next = words[index + 1];
    const isPair = next !== undefined && QUOTES.includes(codeOf(next.toUpperCase())) && isAsset(word.toUpperCase());
    const symbols = isPair ? [`${codeOf(word.toUpperCase())}/${codeOf(next.toUpperCase())}`] : symbolsIn(word);
    if (symbols.length === 0) continue;
    const rest = words.slice(index + (isPair ? 2 : 1));
    const timeframe =
      rest.map((text) => Timeframe.parse(text)).find((parsed) => parsed !== undefined) ??
      Timeframe.ofKrakenMinutes(rest[0] ?? '');
    return { symbols, ...(timeframe && { timeframe }) };
  }
  return { symbols: [] };
};

/**
 * The symbols that a word such as `BTCUSDT` or `BTC/USDT` can mean. Where it can be split in several ways, one that begins
 * with a well-known asset is certain.
 */
export const symbolsIn = (word: string): SymbolsMeant => {
  const [text, slashQuote, ...more] = word.toUpperCase().split('/');
  if (text === undefined || more.length > 0) return [];
  if (slashQuote !== undefined) {
    return isAsset(text) && isAsset(slashQuote) ? [`${codeOf(text)}/${codeOf(slashQuote)}`] : [];
  }
  const endings = [...QUOTES, ...Object.keys(KRAKEN_CODES).filter((code) => QUOTES.includes(codeOf(code)))];
  const splits = endings
    .filter((ending) => text.endsWith(ending) && isAsset(text.slice(0, -ending.length)))
    .map((ending) => ({ base: codeOf(text.slice(0, -ending.length)), quote: codeOf(ending) }))
    .filter(({ base, quote }) => base !== quote);
  const certain = splits.filter(({ base }) => ASSETS.has(base));
  return [...new Set((certain.length > 0 ? certain : splits).map(({ base, quote }) => `${base}/${quote}`))];
};

const isAsset = (text: string): boolean => ASSET.test(text);
const codeOf = (text: string): string => KRAKEN_CODES[text] ?? text;
