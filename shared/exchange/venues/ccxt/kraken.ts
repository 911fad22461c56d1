import type { Exchange, Order, Trade } from 'ccxt';
import type { ContractPosition } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { Decimal } from '#shared/model/decimal';
import { toHolding, toPosition } from './account-mapping.ts';
import type { AccountRules, WalletRule } from './account-rule.ts';
import { at, garbled, isList, isRecord, listAt } from './answers.ts';
import type { OffsetRead } from './offsets.ts';
import { assetCode } from './unlisted.ts';

const yearMs = 365 * 24 * 60 * 60 * 1000;
/** Kraken's history goes back to its beginning. */
const reachMs = 20 * yearMs;

/** Entries of a page of trades or orders. */
const pageEntries = 50;
/** Most pages of orders that ended: more of them than Kraken's call counter allows at once. */
const orderPagesMax = 40;
/** ccxt's costs of these endpoints, which `request` does not look up: 3 for each step of Kraken's call counter. */
const costs = { BalanceEx: 3, GetApiKeyInfo: 3, OpenPositions: 3, ClosedOrders: 3, TradesHistory: 6 };

const post = (exchange: Exchange, path: keyof typeof costs, parameters: Readonly<Record<string, unknown>>) =>
  exchange.request(path, 'private', 'POST', { ...parameters }, undefined, undefined, {
    cost: costs[path],
  }) as Promise<unknown>;

/** Entries by their id in the order in which they were sent. */
const recordsAt = (answer: unknown, ...names: readonly string[]): [id: string, entry: object][] =>
  Object.entries(at(answer, ...names) ?? {});

const countAt = (exchange: Exchange, answer: unknown): number => {
  const count = Number(at(answer, 'result', 'count') ?? Number.NaN);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw garbled(exchange.id);
};

/**
 * Kraken marks where an asset is by what follows its name: rewards that can be traded with (`XBT.F`, `USDT.M`, `XBT.B`),
 * staked (`ETH2.S`), bonded for so many days (`DOT28.S`) or to a parachain (`DOT.P`), and held back after a deposit
 * (`EUR.HOLD`). Anything else that follows belongs to the name, as of a tokenised share.
 * https://docs.kraken.com/api-reference/account-data/get-account-balance
 */
const codePattern = /^([A-Z0-9]+?)(?:\d{2}(?=\.S$))?\.(HOLD|[BFMPS])$/;
/** Can't be traded, whatever orders hold. */
const bound: ReadonlySet<string> = new Set(['HOLD', 'P']);
/** Staked balances from before staking was merged with the asset. */
const merged: Readonly<Record<string, string>> = { ETH2: 'ETH' };

const place = (exchange: Exchange, id: string) => {
  const [, name, mark = ''] = codePattern.exec(id) ?? [];
  if (name === undefined) return { wallet: 'spot', asset: assetCode(exchange, id), isBound: false } as const;
  const wallet = mark === 'HOLD' ? 'spot' : 'earn';
  return { wallet, asset: assetCode(exchange, merged[name] ?? name), isBound: bound.has(mark) } as const;
};

/** One answer covers the spot wallet and the earn products. Two of its entries may be of one asset in one wallet. */
const balances: WalletRule = {
  type: 'spot',
  also: ['earn'],
  read: async (exchange) =>
    recordsAt(await post(exchange, 'BalanceEx', {}), 'result').map(([id, entry]) => {
      const { wallet, asset, isBound } = place(exchange, id);
      const total = at(entry, 'balance');
      const used = isBound ? total : (at(entry, 'hold_trade') ?? '0');
      return toHolding(wallet, asset, { total, used, debt: at(entry, 'credit_used') }, null);
    }),
};

/** Decimals of prices computed from sums. */
const priceDecimals = 10;
const sides: Readonly<Record<string, string>> = { buy: 'long', sell: 'short' };

/** The remainder of a position's parts. */
interface Left {
  readonly symbol: unknown;
  readonly side: string | undefined;
  readonly amount: Decimal;
  /** What it cost when it was opened, what backs it, what it is worth and its profit; NaN where Kraken does not report it. */
  readonly sums: readonly Decimal[];
}

/** Positions on margin. Kraken lists one for each order that opened a part of it. */
const positions = async (exchange: Exchange): Promise<ContractPosition[]> => {
  const answer = await post(exchange, 'OpenPositions', { docalcs: 'true' });
  const found = new Map<string, Left>();
  for (const [, part] of recordsAt(answer, 'result')) {
    const number = (name: string) => new Decimal(String(at(part, name) ?? Number.NaN));
    const [pair, side] = [String(at(part, 'pair')), sides[String(at(part, 'type'))]];
    const symbol = at(exchange.options, 'marketsByAltname', pair, 'symbol') ?? exchange.safeSymbol(pair);
    const amount = number('vol').sub(number('vol_closed'));
    const sums = [number('cost').mul(amount).div(number('vol')), number('margin'), number('value'), number('net')];
    const key = `${symbol} ${side}`;
    const other = found.get(key);
    found.set(key, {
      ...{ symbol, side, amount: amount.add(other?.amount ?? 0) },
      sums: sums.map((sum, index) => sum.add(other?.sums[index] ?? 0)),
    });
  }
  return [...found.values()].flatMap(({ symbol, side, amount, sums: [cost, margin, value, net] }) => {
    const text = (sum: Decimal | undefined) => (sum === undefined || sum.isNaN() ? undefined : sum.toFixed());
    const price = (sum: Decimal | undefined) => text(sum?.abs().div(amount).toDecimalPlaces(priceDecimals));
    const native = {
      ...{ symbol, side, marginMode: 'cross', contracts: amount.toFixed(), contractSize: 1 },
      ...{ entryPrice: price(cost), markPrice: price(value), collateral: text(margin), unrealizedPnl: text(net) },
    };
    return toPosition(native) ?? [];
  });
};

const trades = (exchange: Exchange): OffsetRead<Trade> => ({
  pageEntries,
  read: async ({ from, to }, offset) => {
    const start = from > 0 ? { start: from } : {};
    const answer = await post(exchange, 'TradesHistory', { ...start, end: to, ofs: offset });
    const natives = recordsAt(answer, 'result', 'trades').map(([id, trade]) => ({ ...trade, id }));
    return { entries: natives.map((native) => exchange.parseTrade(native)), total: countAt(exchange, answer) };
  },
});

/** Newest first. An order that ends between two pages moves others onto a later page: they are listed twice, none is skipped. */
const endedOrders = async (exchange: Exchange, since: number): Promise<Order[]> => {
  const found: Order[] = [];
  // The start is exclusive.
  const parameters = { closetime: 'close', start: Math.max(Math.floor(since / 1000) - 1, 0) };
  for (let page = 0; page < orderPagesMax; page++) {
    const answer = await post(exchange, 'ClosedOrders', { ...parameters, ofs: page * pageEntries });
    const natives = recordsAt(answer, 'result', 'closed').map(([id, order]) => ({ ...order, id }));
    found.push(...natives.map((native) => exchange.parseOrder(native)));
    if (natives.length === 0 || page * pageEntries + natives.length >= countAt(exchange, answer)) return found;
  }
  throw new VenueError(exchange.id, 'unknown', `${exchange.id} lists more ended orders than can be read`);
};

export const kraken: AccountRules = {
  wallets: [balances],
  // https://docs.kraken.com/api-reference/account-data/get-api-key-info: needs no permission itself.
  permissions: async (exchange) => {
    const granted = listAt(await post(exchange, 'GetApiKeyInfo', {}), 'result', 'permissions');
    return { canTrade: granted.includes('modify-trades'), canWithdraw: granted.includes('withdraw-funds') };
  },
  positions,
  tradesByOffset: trades,
  // Trades do not contain it: https://docs.kraken.com/api-reference/account-data/get-trades-history.
  isFeeInQuote: true,
  endedOrders,
  transfers: { windowMs: reachMs, reachMs, pageEntries: 25 },
  transferParameters: (from, to, limit) => ({
    start: String(Math.floor(from / 1000) - 1),
    end: String(Math.ceil(to / 1000)),
    limit,
  }),
  shapes: {
    '/private/BalanceEx': isRecord('result'),
    '/private/OpenPositions': isRecord('result'),
    '/private/OpenOrders': isRecord('result', 'open'),
    '/private/ClosedOrders': isRecord('result', 'closed'),
    '/private/TradesHistory': isRecord('result', 'trades'),
    '/private/DepositStatus': isList('result'),
    '/private/WithdrawStatus': isList('result'),
    '/private/GetApiKeyInfo': isList('result', 'permissions'),
  },
};
