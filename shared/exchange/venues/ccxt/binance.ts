import { toHoldings } from './account-mapping.ts';
import type { AccountRules, WalletRule } from './account-rule.ts';
import { wallet } from './account-rule.ts';
import { flagAt, isList, isRecord } from './answers.ts';
import { earn, spotWithoutEarn } from './binance-earn.ts';
import { isContract } from './binance-usdm.ts';
import { endedUsdmOrders, openUsdmOrders } from './binance-usdm-orders.ts';
import { readTradedContracts, readUsdmTrades } from './binance-usdm-trades.ts';
import { usdmPositions, usdmWallet } from './binance-usdm-wallet.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Binance's error for an account that never used margin. */
const withoutMargin = /-3003/;

const margin: WalletRule = {
  type: 'margin',
  read: async (exchange) => {
    try {
      return toHoldings('margin', await exchange.fetchBalance({ type: 'margin' }));
    } catch (error) {
      if (error instanceof Error && withoutMargin.test(error.message)) return [];
      throw error;
    }
  },
};

export const binance: AccountRules = {
  wallets: [spotWithoutEarn, wallet('funding', { type: 'funding' }), margin, earn, usdmWallet],
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
  // Without a time: Binance would filter by when they were placed.
  ordersById: { pageEntries: 1000 },
  isOpenOrdersListWhole: true,
  transfers: { windowMs: 90 * dayMs - 1, pageEntries: 1000, reachMs: 10 * 365 * dayMs },
  transferParameters: (startTime, endTime, limit) => ({ startTime, endTime, limit }),
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
