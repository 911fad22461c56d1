import type { Exchange } from 'ccxt';
import { Decimal } from 'decimal.js';
import type { ContractPosition } from '../account-venue.ts';
import { toBalances, toPosition } from './ccxt-account-mapping.ts';
import type { AccountRules, NativeAmounts, WalletRule } from './ccxt-account-rule.ts';
import { nativeBalances, wallet } from './ccxt-account-rule.ts';
import { at, flagAt, isList, isRecord, listAt } from './ccxt-answers.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Binance says so of an account that never used margin. */
const withoutMargin = /-3003/;

const margin: WalletRule = {
  type: 'margin',
  read: async (exchange) => {
    try {
      return toBalances('margin', await exchange.fetchBalance({ type: 'margin' }));
    } catch (error) {
      if (error instanceof Error && withoutMargin.test(error.message)) return [];
      throw error;
    }
  },
};

const earnPageEntries = 100;
/** ccxt's own measure would hold every sync up for a second; what is shared between clients is measured elsewhere. */
const earnCost = { cost: 1 };

/** What Binance's Simple Earn holds: ccxt only knows the endpoint of the product before it. */
const earn: WalletRule = {
  type: 'earn',
  read: async (exchange) => {
    const held = new Map<string, { free: Decimal; locked: Decimal }>();
    for (const [term, field] of [
      ['flexible', 'totalAmount'],
      ['locked', 'amount'],
    ] as const) {
      for (let current = 1, rows: unknown[] = Array(earnPageEntries); rows.length === earnPageEntries; current++) {
        const path = `simple-earn/${term}/position`;
        const page = { current, size: earnPageEntries };
        const answer: unknown = await exchange.request(path, 'sapi', 'GET', page, undefined, undefined, earnCost);
        rows = [...listAt(answer, 'rows')];
        for (const row of rows) {
          const asset = exchange.safeCurrencyCode(String(at(row, 'asset'))) ?? '';
          const { free, locked } = held.get(asset) ?? { free: new Decimal(0), locked: new Decimal(0) };
          const amount = new Decimal(String(at(row, field)));
          held.set(
            asset,
            term === 'flexible' ? { free: free.add(amount), locked } : { free, locked: locked.add(amount) },
          );
        }
      }
    }
    const amounts = new Map<string, NativeAmounts>();
    for (const [asset, { free, locked }] of held) {
      amounts.set(asset, { free: free.toFixed(), used: locked.toFixed(), total: free.add(locked).toFixed() });
    }
    return toBalances('earn', nativeBalances(amounts));
  },
};

/** Binance says so where a key may not see futures, or where there is no such account. */
const withoutFutures = /"code":\s*(?:-2015|-4109)\b/;
const futuresCost = { cost: 1 };

/**
 * USD-M futures.
 * @returns undefined where the key sees none
 */
const askFutures = async (exchange: Exchange, path: 'account' | 'positionRisk'): Promise<unknown> => {
  try {
    return await exchange.request(path, 'fapiPrivateV3', 'GET', {}, undefined, undefined, futuresCost);
  } catch (error) {
    if (!(error instanceof Error) || !withoutFutures.test(error.message)) throw error;
    // Binance says the same of a key that it no longer knows: then this fails as well.
    await exchange.request('account/apiRestrictions', 'sapi', 'GET', {});
    return undefined;
  }
};

/** Without the profit of positions that are still open, which they tell themselves. */
const contracts: WalletRule = {
  type: 'contract',
  read: async (exchange) => {
    const amounts = new Map<string, NativeAmounts>();
    for (const row of listAt(await askFutures(exchange, 'account'), 'assets')) {
      const held = new Decimal(String(at(row, 'walletBalance')));
      amounts.set(exchange.safeCurrencyCode(String(at(row, 'asset'))) ?? '', {
        free: String(at(row, 'availableBalance')),
        used: String(at(row, 'initialMargin')),
        total: Decimal.max(held, 0).toFixed(),
        // With several assets as margin, one of them may be owed.
        debt: held.lt(0) ? held.negated().toFixed() : undefined,
      });
    }
    return toBalances('contract', nativeBalances(amounts));
  },
};

/**
 * ccxt's name of a USD-M contract, whose quote currency is that of its margin: `BTCUSDT` is `BTC/USDT:USDT`,
 * `BTCUSDT_261225` is `BTC/USDT:USDT-261225`. So nobody has to load the list of all contracts.
 */
const contractSymbol = (exchange: Exchange, id: string, marginAsset: string): string => {
  const [pair = '', expiry] = id.split('_');
  const base = pair.slice(0, -marginAsset.length);
  if (base === '' || !pair.endsWith(marginAsset)) return id;
  const [baseCode, settle] = [base, marginAsset].map((asset) => exchange.safeCurrencyCode(asset));
  return `${baseCode}/${settle}:${settle}${expiry === undefined ? '' : `-${expiry}`}`;
};

const positions = async (exchange: Exchange): Promise<ContractPosition[]> => {
  const rows = (await askFutures(exchange, 'positionRisk')) ?? [];
  return listAt(rows).flatMap((row) => {
    const text = (name: string) => String(at(row, name) ?? '');
    const isolated = Number(text('isolatedMargin')) > 0;
    const known = (name: string) => (Number(text(name)) === 0 ? undefined : at(row, name));
    const native = {
      symbol: contractSymbol(exchange, text('symbol'), text('marginAsset')),
      side: text('positionAmt').startsWith('-') ? 'short' : 'long',
      marginMode: isolated ? 'isolated' : 'cross',
      contracts: at(row, 'positionAmt'),
      contractSize: 1,
      entryPrice: known('entryPrice'),
      markPrice: known('markPrice'),
      liquidationPrice: known('liquidationPrice'),
      // All that lies in the wallet backs a position on cross margin.
      collateral: isolated ? at(row, 'isolatedMargin') : undefined,
      unrealizedPnl: at(row, 'unRealizedProfit'),
      timestamp: Number(text('updateTime')),
    };
    return toPosition(native) ?? [];
  });
};

export const binance: AccountRules = {
  wallets: [wallet('spot', { type: 'spot' }), wallet('funding', { type: 'funding' }), margin, earn, contracts],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('account/apiRestrictions', 'sapi', 'GET', {});
    return {
      canTrade: flagAt(exchange.id, answer, 'enableSpotAndMarginTrading'),
      canWithdraw: flagAt(exchange.id, answer, 'enableWithdrawals'),
    };
  },
  positions,
  tradesById: { parameter: 'fromId', pageEntries: 1000 },
  // Orders are asked for by symbol, the newest of them, without a time: Binance would go by when they were placed.
  transfers: { windowMs: 90 * dayMs - 1, pageEntries: 1000, reachMs: 10 * 365 * dayMs },
  shapes: {
    '/api/v3/account': isList('balances'),
    '/api/v3/openOrders': isList(),
    '/api/v3/allOrders': isList(),
    '/api/v3/myTrades': isList(),
    '/asset/get-funding-asset': isList(),
    '/margin/account': isList('userAssets'),
    '/simple-earn/flexible/position': isList('rows'),
    '/simple-earn/locked/position': isList('rows'),
    '/capital/deposit/hisrec': isList(),
    '/capital/withdraw/history': isList(),
    '/fapi/v3/account': isList('assets'),
    '/fapi/v3/positionRisk': isList(),
    '/account/apiRestrictions': isRecord(),
  },
};
