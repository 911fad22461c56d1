import type { AccountRules } from './account-rule.ts';
import { wallet } from './account-rule.ts';
import { at, isList, isRecord, listAt } from './answers.ts';
import { binance } from './binance.ts';
import { furtherVenues } from './further-venues.ts';
import { kraken } from './kraken.ts';

export type { AccountRules } from './account-rule.ts';

const dayMs = 24 * 60 * 60 * 1000;

const bybitList = isList('result', 'list');

const bybit: AccountRules = {
  marketTypes: ['spot', 'linear', 'inverse'],
  wallets: [wallet('spot', { type: 'spot' }), wallet('funding', { type: 'funding' })],
  notOffered: /"retCode":\s*10024\b/,
  contracts: [
    { type: 'swap', subType: 'linear', settleCoin: 'USDT' },
    { type: 'swap', subType: 'linear', settleCoin: 'USDC' },
    { type: 'swap', subType: 'inverse' },
  ],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('v5/user/query-api', 'private', 'GET', {});
    const granted = (name: string) => listAt(answer, 'result', 'permissions', name);
    const readOnly = at(answer, 'result', 'readOnly') !== 0;
    const trading = ['Spot', 'ContractTrade', 'Options', 'Derivatives'].some((name) => granted(name).length > 0);
    return { canTrade: !readOnly && trading, canWithdraw: !readOnly && granted('Wallet').includes('Withdraw') };
  },
  // Without this ccxt requests only executions of type `Trade`, without liquidations, deleveraging and settlements.
  // https://bybit-exchange.github.io/docs/v5/enum#exectype
  tradeParameters: [{ execType: undefined }],
  isTrade: ({ info }) => at(info, 'execType') !== 'Funding',
  trades: { windowMs: 7 * dayMs - 1, pageEntries: 100, reachMs: 2 * 365 * dayMs - dayMs },
  orders: { windowMs: 7 * dayMs - 1, pageEntries: 50, reachMs: 2 * 365 * dayMs - dayMs },
  transfers: { windowMs: 30 * dayMs - 1, pageEntries: 50, reachMs: 2 * 365 * dayMs },
  transferParameters: (startTime, endTime, limit) => ({ startTime, endTime, limit }),
  shapes: {
    '/account/wallet-balance': bybitList,
    '/query-account-coins-balance': isList('result', 'balance'),
    '/order/realtime': bybitList,
    '/order/history': bybitList,
    '/execution/list': bybitList,
    '/position/list': bybitList,
    '/deposit/query-record': isList('result', 'rows'),
    '/withdraw/query-record': isList('result', 'rows'),
    '/user/query-api': isRecord('result', 'permissions'),
  },
};

const anyVenue: AccountRules = { wallets: [wallet('spot', { type: 'spot' })] };

const special: Readonly<Record<string, AccountRules>> = { binance, bybit, kraken, ...furtherVenues };

export const accountRules = (id: string): AccountRules =>
  Object.hasOwn(special, id) ? (special[id] ?? anyVenue) : anyVenue;
