import type {
  Balance,
  OpenedAccount,
  OwnTrade,
  Transfer,
  VenueList,
  VenuePage,
  WalletReading,
} from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { Decimal } from '#shared/model/decimal';
import { orderAt, positionIn, tradeAt, transferOfId } from './memory-venue.ts';
import type { AccountOrder, Numbered, VenueAccounts } from './venues/venue-accounts.ts';

const contracts = ['BTC/USDT:USDT', 'ETH/USDT:USDT'];
/** How long the venue may take to list a trade. */
const settlingMs = 60_000;

export interface VenueOfAccountsOptions {
  readonly accounts: VenueAccounts;
  readonly apiKey: string;
  /** `by-symbol` lists orders and trades of one market, trades by their numbers, as Binance does; `by-time` as Bybit does. */
  readonly lists: 'by-symbol' | 'by-time';
  /** Trades listed at once. */
  readonly tradesAtOnce: number;
  readonly now: () => number;
}

/** A venue in memory whose accounts are those of the doubles. */
export class VenueOfAccounts implements OpenedAccount {
  readonly id = 'binance';
  readonly needsSymbols: boolean;
  readonly tradedSymbols?: (cursor: string | null) => Promise<VenuePage<string>>;
  readonly #options: VenueOfAccountsOptions;
  /** Runs before each answer, and may change it; the caller gets what it throws. */
  answering: <T extends object>(call: string, answer: T) => Promise<T> = async (_call, answer) => answer;

  constructor(options: VenueOfAccountsOptions) {
    this.#options = options;
    this.needsSymbols = options.lists === 'by-symbol';
    if (this.needsSymbols) this.tradedSymbols = this.#tradedSymbols;
  }

  close = async () => {};

  permissions = async () => ({ canTrade: true, canWithdraw: false });

  balances = () =>
    this.answering(
      'balances',
      [...this.#account().wallets].map(
        ([wallet, held]): WalletReading => ({
          wallet,
          status: 'ok',
          balances: [...held].map(([asset, { free, locked }]): Balance => {
            const total = new Decimal(free).add(locked).toFixed();
            return { wallet, asset, free, locked, total, debt: '0', venueTime: this.#options.now() };
          }),
        }),
      ),
    );

  positions = () =>
    this.answering(
      'positions',
      this.#account().positions.map(({ symbol, side, size }) => positionIn(symbol, { side, contracts: size })),
    );

  // Those of contracts are listed whether they are named or not.
  openOrders = (symbols: readonly string[]) =>
    this.#orders('openOrders', [...symbols, ...contracts], ({ status }) => status === 'open');

  closedOrders = (symbols: readonly string[], since: number) =>
    this.#orders('closedOrders', symbols, (order) => order.status !== 'open' && order.updatedAt >= since);

  trades = (symbol: string | null, cursor: string | null): Promise<VenuePage<OwnTrade>> => {
    if (symbol !== null) this.#known(symbol);
    return this.answering('trades', symbol === null ? this.#tradesByTime(cursor) : this.#tradesOf(symbol, cursor));
  };

  transfers = (since: number) =>
    this.answering(
      'transfers',
      listOf(
        this.#account()
          .transfers.filter(({ at }) => at >= since)
          .map(({ number, kind, asset, amount, status, at }): Transfer => {
            const known = status === 'done' ? 'ok' : status;
            return transferOfId(String(number), at, { type: kind, asset, amount, status: known });
          }),
      ),
    );

  #account() {
    const account = this.#options.accounts.find(this.#options.apiKey);
    if (account === undefined) throw new VenueError(this.id, 'authentication', `${this.id} does not know the key`);
    return account;
  }

  #orders(call: string, symbols: readonly string[], isWanted: (order: AccountOrder) => boolean) {
    if (this.needsSymbols) for (const symbol of symbols) this.#known(symbol);
    const isNamed = (symbol: string) => !this.needsSymbols || symbols.includes(symbol);
    const orders = this.#account().orders.filter((order) => isWanted(order) && isNamed(order.symbol));
    return this.answering(call, listOf(orders.map(orderOf)));
  }

  #tradesOf(symbol: string, cursor: string | null): VenuePage<OwnTrade> {
    const from = Number(cursor ?? 0);
    const own = this.#account().trades.filter((trade) => trade.symbol === symbol && trade.number >= from);
    const page = own.slice(0, this.#options.tradesAtOnce);
    const next = (page.at(-1)?.number ?? from - 1) + 1;
    return { ...listOf(page.map(tradeOf)), cursor: String(next), more: own.length > page.length };
  }

  #tradesByTime(cursor: string | null): VenuePage<OwnTrade> {
    const from = Number(cursor ?? 0);
    const settled = this.#options.now() - settlingMs;
    const own = this.#account()
      .trades.filter(({ at }) => at >= from)
      .toSorted((a, b) => a.at - b.at);
    const last = own[this.#options.tradesAtOnce - 1];
    const items = last === undefined || last.at >= settled ? own : own.filter(({ at }) => at <= last.at);
    const more = items.length < own.length;
    const next = more ? (items.at(-1)?.at ?? from) + 1 : Math.max(from, settled);
    return { ...listOf(items.map(tradeOf)), cursor: String(next), more };
  }

  #tradedSymbols = (cursor: string | null): Promise<VenuePage<string>> => {
    const from = Number(cursor ?? 0);
    const made = this.#account().trades.filter(({ number, symbol }) => number >= from && contracts.includes(symbol));
    const items = [...new Set(made.map(({ symbol }) => symbol))];
    return this.answering('tradedSymbols', {
      ...listOf(items),
      cursor: String((made.at(-1)?.number ?? from - 1) + 1),
      more: false,
    });
  };

  #known(symbol: string): void {
    if (['BTC/USDT', 'ETH/USDT', 'SOL/USDT', ...contracts].includes(symbol)) return;
    throw new VenueError(this.id, 'not-supported', `${this.id} does not have this market`);
  }
}

const listOf = <T>(items: readonly T[]): VenueList<T> => ({ items, rejected: [] });

const orderOf = ({ number, symbol, side, price, amount, filled, status, at, updatedAt }: Numbered<AccountOrder>) =>
  orderAt(String(number), { symbol, side, price, amount, filled, status, createdAt: at, updatedAt });

const tradeOf = ({
  number,
  at,
  symbol,
  side,
  price,
  amount,
  orderId,
}: Numbered<Omit<OwnTrade, 'tradeId' | 'fees' | 'role' | 'cost'>>) =>
  tradeAt(String(number), at, { symbol, side, price, amount, orderId });
