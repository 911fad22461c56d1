/** Venues whose lists ccxt reads with a default filter or in one page, and how they are read instead. */
import type { Exchange, Order } from 'ccxt';
import type { WalletType } from '#shared/exchange/account-venue';
import type { Holding } from './account-balances.ts';
import { toHolding } from './account-mapping.ts';
import type { AccountRules, WalletRule } from './account-rule.ts';
import { wallet } from './account-rule.ts';
import { at, isList, listAt } from './answers.ts';
import { readPages } from './pages.ts';

const dayMs = 24 * 60 * 60 * 1000;
const alwaysMs = 10 * 365 * dayMs;

const get = (exchange: Exchange, path: string, api: string, parameters: object, cost: number): Promise<unknown> =>
  exchange.request(path, api, 'GET', { ...parameters }, undefined, undefined, { cost }) as Promise<unknown>;

/** The trading account. Its equity includes the profit of open positions and what is owed, so it is not used. */
const okxTrading: WalletRule = {
  type: 'spot',
  read: async (exchange) => {
    const answer = await get(exchange, 'account/balance', 'private', {}, 2);
    return listAt(listAt(answer, 'data')[0], 'details').map((row): Holding => {
      const amount = (name: string) => (at(row, name) === '' ? undefined : at(row, name));
      const total = amount('cashBal') ?? amount('eq');
      const amounts = { total, used: amount('frozenBal'), debt: amount('liab') };
      return toHolding('spot', exchange.safeCurrencyCode(String(at(row, 'ccy'))) ?? '', amounts, null);
    });
  },
};

const okx: AccountRules = {
  wallets: [okxTrading, wallet('funding', { type: 'funding' })],
  // Trades and orders on margin are lists of their own. https://www.okx.com/docs-v5/en/#order-book-trading-trade
  tradeParameters: [{ instType: 'SPOT' }, { instType: 'MARGIN' }],
  // ccxt requests only filled orders.
  orderParameters: [
    { instType: 'SPOT', state: undefined },
    { instType: 'MARGIN', state: undefined },
  ],
  orders: { windowMs: 7 * dayMs - 1, pageEntries: 100, reachMs: 7 * dayMs - 60_000 },
  openOrderKinds: [{ trigger: true, ordType: 'conditional,oco' }, { trigger: true }, { trailing: true }],
  transfers: { windowMs: 90 * dayMs, pageEntries: 100, reachMs: alwaysMs },
  // Both ends are exclusive.
  transferParameters: (from, to, limit) => ({ before: from - 1, after: to + 1, limit }),
  shapes: { '/account/balance': isList('data'), '/asset/balances': isList('data') },
};

const kucoinWallets: Readonly<Record<string, WalletType>> = {
  main: 'funding',
  trade: 'spot',
  trade_hf: 'spot',
  margin: 'margin',
  margin_v2: 'margin',
};

/** One list has the accounts of all types; ccxt reads one type, which users of high-frequency trading do not have. */
const kucoinAccounts: WalletRule = {
  type: 'spot',
  also: ['funding', 'margin'],
  read: async (exchange) =>
    listAt(await get(exchange, 'accounts', 'private', {}, 7.5), 'data').flatMap((row) => {
      const type = kucoinWallets[String(at(row, 'type'))];
      if (type === undefined) return [];
      const amounts = { total: at(row, 'balance'), used: at(row, 'holds'), free: at(row, 'available') };
      return [toHolding(type, exchange.safeCurrencyCode(String(at(row, 'currency'))) ?? '', amounts, null)];
    }),
};

const kucoin: AccountRules = {
  wallets: [kucoinAccounts],
  // Trades before and after an account was moved to the high-frequency system are lists of their own.
  tradeParameters: [{ hf: false }, { hf: true }],
  orderParameters: [{ hf: false }, { hf: true }],
  openOrderKinds: [{ hf: true }, { stop: true }],
  transfers: { windowMs: alwaysMs, pageEntries: 500, reachMs: alwaysMs },
  shapes: { '/accounts': isList('data') },
};

const gate: AccountRules = {
  wallets: [wallet('spot', { type: 'spot' })],
  // ccxt requests only the trades of the spot account; where none is named, Gate lists those of all accounts.
  prepare: (exchange) => {
    const read = exchange.privateSpotGetMyTrades.bind(exchange);
    exchange.privateSpotGetMyTrades = (parameters: object) => read({ ...parameters, account: undefined });
  },
  openOrderKinds: [{ trigger: true }],
  transfers: { windowMs: 30 * dayMs - 1000, pageEntries: 500, reachMs: alwaysMs },
};

const bitget: AccountRules = {
  wallets: [wallet('spot', { type: 'spot' })],
  openOrderKinds: [{ tpslType: 'tpsl' }, { trigger: true }],
  transfers: { windowMs: 90 * dayMs - 1, pageEntries: 100, reachMs: alwaysMs },
};

const coinbasePageEntries = 250;
/** Most pages of accounts: one asset each. */
const coinbasePagesMax = 20;

/** ccxt reads only the first page. */
const coinbaseAccounts: WalletRule = {
  type: 'spot',
  read: async (exchange) => {
    const found: Holding[] = [];
    let cursor: unknown;
    for (let page = 0; page < coinbasePagesMax; page++) {
      const parameters = { limit: coinbasePageEntries, ...(page === 0 ? {} : { cursor }) };
      const answer: unknown = await exchange.v3PrivateGetBrokerageAccounts(parameters);
      for (const row of listAt(answer, 'accounts')) {
        const amounts = { free: at(row, 'available_balance', 'value'), used: at(row, 'hold', 'value') };
        found.push(toHolding('spot', exchange.safeCurrencyCode(String(at(row, 'currency'))) ?? '', amounts, null));
      }
      cursor = at(answer, 'cursor');
      if (at(answer, 'has_next') !== true || typeof cursor !== 'string' || cursor === '') break;
    }
    return found;
  },
};

/** How long before they ended orders may have been placed, by which Coinbase filters. */
const coinbaseLifetimeMs = 30 * dayMs;
/** Orders of any state but open; ccxt requests only filled ones. */
const coinbaseEnded = (exchange: Exchange, since: number, now: number): Promise<Order[]> =>
  readPages(exchange, (from) =>
    exchange.fetchOrders(undefined, Math.max(since - coinbaseLifetimeMs, 0), 1000, { until: now, ...from }),
  );

const coinbase: AccountRules = {
  wallets: [coinbaseAccounts],
  endedOrders: coinbaseEnded,
  isPagedByCursor: true,
  shapes: { '/brokerage/accounts': isList('accounts') },
};

export const furtherVenues: Readonly<Record<string, AccountRules>> = { okx, kucoin, gate, bitget, coinbase };
