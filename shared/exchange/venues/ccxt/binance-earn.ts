/** Simple Earn of Binance, and the tokens by which the spot wallet shows what is in it. */
import type { Exchange } from 'ccxt';
import type { Holding } from './account-balances.ts';
import { toHolding, toHoldings } from './account-mapping.ts';
import type { WalletRule } from './account-rule.ts';
import { at, listAt } from './answers.ts';

const earnPageEntries = 100;
/** ccxt's own throttle would delay every sync by a second; the limit shared between clients is enforced elsewhere. */
const earnCost = { cost: 1 };

/** Flexible holdings, as last shown by the spot wallet. */
const tokens = new WeakMap<Exchange, readonly Holding[]>();

/**
 * The asset that a token of the spot wallet represents: `LDBTC` is BTC in Simple Earn. Lido DAO (`LDO`) is an asset itself,
 * as everything is that a market is listed for.
 */
export const earnTokenAsset = ({ currencies }: Pick<Exchange, 'currencies'>, token: string): string | undefined => {
  const [, name = ''] = /^LD(.+)$/.exec(token) ?? [];
  const isListed = (asset: string) => Object.hasOwn(currencies ?? {}, asset);
  if (name === '' || isListed(token)) return undefined;
  // Where the short name was taken, the token has one more letter: LDSHIB2, LDBAKET.
  return [name, name.replace(/[2T]$/, '')].find(isListed);
};

/** The spot wallet without the holdings that Simple Earn also reports. */
export const spotWithoutEarn: WalletRule = {
  type: 'spot',
  read: async (exchange) => {
    const spot: Holding[] = [];
    const flexible: Holding[] = [];
    for (const holding of toHoldings('spot', await exchange.fetchBalance({ type: 'spot' }))) {
      const asset = earnTokenAsset(exchange, holding.asset);
      if (asset === undefined) spot.push(holding);
      else flexible.push({ ...holding, wallet: 'earn', asset });
    }
    tokens.set(
      exchange,
      flexible.filter(({ total }) => Number(total) !== 0),
    );
    return spot;
  },
};

const flexibleTokens = (exchange: Exchange): readonly Holding[] => tokens.get(exchange) ?? [];

const positions = async (exchange: Exchange, term: 'flexible' | 'locked'): Promise<Holding[]> => {
  const found: unknown[] = [];
  for (let current = 1, rows: unknown[] = Array(earnPageEntries); rows.length === earnPageEntries; current++) {
    const page = { current, size: earnPageEntries };
    const path = `simple-earn/${term}/position`;
    const answer: unknown = await exchange.request(path, 'sapi', 'GET', page, undefined, undefined, earnCost);
    rows = [...listAt(answer, 'rows')];
    found.push(...rows);
  }
  return found.map((row) => {
    const total = at(row, term === 'flexible' ? 'totalAmount' : 'amount');
    const asset = exchange.safeCurrencyCode(String(at(row, 'asset'))) ?? '';
    return toHolding('earn', asset, { total, used: term === 'flexible' ? '0' : total }, null);
  });
};

/** What Simple Earn holds: ccxt only knows the endpoint of the product before it. */
export const earn: WalletRule = {
  type: 'earn',
  read: async (exchange) => {
    const flexible = await positions(exchange, 'flexible');
    const locked = await positions(exchange, 'locked');
    // A token without a position, as right after subscribing, is not counted anywhere else.
    const reported = new Set(flexible.map(({ asset }) => asset));
    return [...flexible, ...flexibleTokens(exchange).filter(({ asset }) => !reported.has(asset)), ...locked];
  },
  standIn: flexibleTokens,
};
