import { Decimal } from '#shared/model/decimal';
import { toBalances } from './account-mapping.ts';
import type { AccountRules, NativeAmounts, WalletRule } from './account-rule.ts';
import { nativeBalances, wallet } from './account-rule.ts';
import { at, flagAt, isList, isRecord, listAt } from './answers.ts';
import { isContract } from './binance-usdm.ts';
import { endedUsdmOrders, openUsdmOrders } from './binance-usdm-orders.ts';
import { readTradedContracts, readUsdmTrades } from './binance-usdm-trades.ts';
import { usdmPositions, usdmWallet } from './binance-usdm-wallet.ts';

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

export const binance: AccountRules = {
  wallets: [wallet('spot', { type: 'spot' }), wallet('funding', { type: 'funding' }), margin, earn, usdmWallet],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('account/apiRestrictions', 'sapi', 'GET', {});
    return {
      canTrade: flagAt(exchange.id, answer, 'enableSpotAndMarginTrading'),
      canWithdraw: flagAt(exchange.id, answer, 'enableWithdrawals'),
    };
  },
  positions: usdmPositions,
  ownContracts: {
    has: isContract,
    openOrders: openUsdmOrders,
    endedOrders: endedUsdmOrders,
    trades: readUsdmTrades,
    traded: readTradedContracts,
  },
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
    '/fapi/v1/openOrders': isList(),
    '/fapi/v1/openAlgoOrders': isList(),
    '/fapi/v1/allOrders': isList(),
    '/fapi/v1/allAlgoOrders': isList(),
    '/fapi/v1/userTrades': isList(),
    '/fapi/v1/income': isList(),
    '/account/apiRestrictions': isRecord(),
  },
};
