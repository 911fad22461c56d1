import type { Balances, Exchange } from 'ccxt';
import { Decimal } from 'decimal.js';
import type { Balance, KeyPermissions, WalletType } from '../account-venue.ts';
import { VenueError } from '../errors.ts';
import { toBalances } from './ccxt-account-mapping.ts';
import type { WindowLimits } from './ccxt-windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What an adapter has to know of a venue beyond what ccxt tells. */
export interface AccountRules {
  /** ccxt's types of markets, where it is not spot alone. */
  readonly marketTypes?: readonly string[];
  /** The wallets that are read; the only one is the spot wallet where nothing is said. */
  readonly wallets: readonly { readonly type: WalletType; read(exchange: Exchange): Promise<Balance[]> }[];
  /** Contracts whose positions, orders and trades are read, as ccxt's parameters; none where nothing is said. */
  readonly contracts?: readonly Readonly<Record<string, unknown>>[];
  /** What the key may do; unknown where nothing is said. */
  permissions?(exchange: Exchange): Promise<KeyPermissions>;
  /** Whether trades of one symbol are told by ascending id from any id on, so that no time is needed. */
  readonly tradesById?: { readonly parameter: string; readonly pageEntries: number };
  readonly trades?: WindowLimits;
  readonly orders?: WindowLimits;
  readonly transfers?: WindowLimits;
  /** The form of a good answer, by the end of its path. */
  readonly shapes?: Readonly<Record<string, (answer: unknown) => boolean>>;
}

/** A field of an answer, down a path of names. */
const at = (answer: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined,
    answer,
  );

const isList =
  (...names: readonly string[]) =>
  (answer: unknown) =>
    Array.isArray(at(answer, ...names));

const isRecord =
  (...names: readonly string[]) =>
  (answer: unknown) => {
    const value = at(answer, ...names);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  };

const flag = (venue: string, answer: unknown, ...names: readonly string[]): boolean => {
  const value = at(answer, ...names);
  if (typeof value === 'boolean') return value;
  throw new VenueError(venue, 'retryable', `${venue} gave an answer that could not be understood`);
};

const wallet = (type: WalletType, parameters: Readonly<Record<string, unknown>>) => ({
  type,
  read: async (exchange: Exchange) => toBalances(type, await exchange.fetchBalance({ ...parameters })),
});

/** Binance says so of an account that never used margin. */
const withoutMargin = /-3003/;

const binanceMargin: AccountRules['wallets'][number] = {
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
const binanceEarn: AccountRules['wallets'][number] = {
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
        const told = at(answer, 'rows');
        rows = Array.isArray(told) ? told : [];
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
    const balances = [...held].map(([asset, { free, locked }]) => [
      asset,
      { free: free.toFixed(), used: locked.toFixed(), total: free.add(locked).toFixed() },
    ]);
    const total = Object.fromEntries([...held.keys()].map((asset) => [asset, true]));
    const natives: Balances = Object.assign(Object.fromEntries(balances), { total, info: {} });
    return toBalances('earn', natives);
  },
};

const binance: AccountRules = {
  wallets: [wallet('spot', { type: 'spot' }), wallet('funding', { type: 'funding' }), binanceMargin, binanceEarn],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('account/apiRestrictions', 'sapi', 'GET', {});
    return {
      canTrade: flag(exchange.id, answer, 'enableSpotAndMarginTrading'),
      canWithdraw: flag(exchange.id, answer, 'enableWithdrawals'),
    };
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
  },
};

const bybitList = isList('result', 'list');

const bybit: AccountRules = {
  marketTypes: ['spot', 'linear', 'inverse'],
  wallets: [wallet('spot', { type: 'spot' }), wallet('funding', { type: 'funding' })],
  contracts: [
    { type: 'swap', subType: 'linear', settleCoin: 'USDT' },
    { type: 'swap', subType: 'linear', settleCoin: 'USDC' },
    { type: 'swap', subType: 'inverse' },
  ],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('v5/user/query-api', 'private', 'GET', {});
    const permissions = at(answer, 'result', 'permissions');
    const granted = (name: string): unknown[] => {
      const list = at(permissions, name);
      return Array.isArray(list) ? list : [];
    };
    const readOnly = at(answer, 'result', 'readOnly') !== 0;
    const trading = ['Spot', 'ContractTrade', 'Options', 'Derivatives'].some((name) => granted(name).length > 0);
    return { canTrade: !readOnly && trading, canWithdraw: !readOnly && granted('Wallet').includes('Withdraw') };
  },
  trades: { windowMs: 7 * dayMs - 1, pageEntries: 100, reachMs: 2 * 365 * dayMs - dayMs },
  orders: { windowMs: 7 * dayMs - 1, pageEntries: 50, reachMs: 2 * 365 * dayMs - dayMs },
  transfers: { windowMs: 30 * dayMs - 1, pageEntries: 50, reachMs: 2 * 365 * dayMs },
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

/** Kraken's history goes back to its beginning. */
const krakenReach = { windowMs: 20 * 365 * dayMs, reachMs: 20 * 365 * dayMs };

const kraken: AccountRules = {
  wallets: [wallet('spot', {})],
  permissions: async (exchange) => {
    const answer: unknown = await exchange.request('GetApiKeyInfo', 'private', 'POST', {}, undefined, undefined, {
      cost: 3,
    });
    const permissions = at(answer, 'result', 'permissions');
    const granted: unknown[] = Array.isArray(permissions) ? permissions : [];
    return { canTrade: granted.includes('modify-trades'), canWithdraw: granted.includes('withdraw-funds') };
  },
  trades: { ...krakenReach, pageEntries: 50 },
  orders: { ...krakenReach, pageEntries: 50 },
  transfers: { ...krakenReach, pageEntries: 25 },
  shapes: {
    '/private/BalanceEx': isRecord('result'),
    '/private/OpenOrders': isRecord('result', 'open'),
    '/private/ClosedOrders': isRecord('result', 'closed'),
    '/private/TradesHistory': isRecord('result', 'trades'),
    '/private/DepositStatus': isList('result'),
    '/private/WithdrawStatus': isList('result'),
    '/private/GetApiKeyInfo': isList('result', 'permissions'),
  },
};

const anyVenue: AccountRules = { wallets: [wallet('spot', { type: 'spot' })] };

const special: Readonly<Record<string, AccountRules>> = { binance, bybit, kraken };

export const accountRules = (id: string): AccountRules =>
  Object.hasOwn(special, id) ? (special[id] ?? anyVenue) : anyVenue;
