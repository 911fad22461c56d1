import type {
  Balance,
  ContractPosition,
  OpenedAccount,
  OwnTrade,
  RejectedRow,
  Transfer,
  VenueList,
  VenueOrder,
  WalletReading,
  WalletType,
} from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';

export const orderAt = (orderId: string, more: Partial<VenueOrder> = {}): VenueOrder => ({
  ...{ orderId, clientOrderId: null, symbol: 'BTC/USDT', side: 'buy', type: 'limit', status: 'open' },
  ...{ timeInForce: 'GTC', amount: '1', filled: '0', price: '60000', stopPrice: null, average: null },
  ...{ reduceOnly: null, postOnly: null, createdAt: 1, updatedAt: 1 },
  ...more,
});

export const tradeAt = (tradeId: string, at: number, more: Partial<OwnTrade> = {}): OwnTrade => ({
  ...{ tradeId, orderId: '1', symbol: 'BTC/USDT', side: 'buy', role: 'taker', price: '60000', amount: '0.1' },
  ...{ cost: '6000', fees: [{ asset: 'USDT', cost: '6' }], at },
  ...more,
});

export const transferOfId = (transferId: string, at: number, more: Partial<Transfer> = {}): Transfer => ({
  ...{ transferId, type: 'deposit', asset: 'BTC', amount: '1', fee: null, status: 'ok', txId: null, at },
  ...more,
});

export const positionIn = (symbol: string, more: Partial<ContractPosition> = {}): ContractPosition => ({
  ...{ symbol, side: 'long', marginMode: 'cross', contracts: '1', contractSize: '1', entryPrice: '60000' },
  ...{ markPrice: '60001', liquidationPrice: null, leverage: '3', collateral: '20000', unrealizedPnl: '1' },
  ...{ venueTime: 1 },
  ...more,
});

/** Wallets that are read well, with what they hold. */
export const walletsOf = (
  balances: readonly Balance[],
  wallets: readonly WalletType[] = [...new Set(balances.map(({ wallet }) => wallet))],
): WalletReading[] =>
  wallets.map((wallet) => ({ wallet, status: 'ok', balances: balances.filter((held) => held.wallet === wallet) }));

/** What the wallets hold that could be read. */
export const balancesOf = (readings: readonly WalletReading[]): Balance[] =>
  readings.flatMap((reading) => (reading.status === 'ok' ? reading.balances : []));

/** A venue in memory with one account, as the test sets it. Trades are read by number, a few at a time. */
export class MemoryVenue implements OpenedAccount {
  readonly id = 'binance';
  needsSymbols = false;
  held: Balance[] = [];
  /** Wallets that are not read from {@link held}: failing, not offered. */
  readings: WalletReading[] = [];
  /** Rows that can't be read, in each list. */
  rejected: RejectedRow[] = [];
  open: ContractPosition[] = [];
  orders: VenueOrder[] = [];
  /** In the order of their numbers. */
  made: OwnTrade[] = [];
  moved: Transfer[] = [];
  /** Markets that exist; trades of others can't be requested. */
  markets = ['BTC/USDT', 'ETH/USDT'];
  tradesAtOnce = 2;
  /** The calls, with their arguments. */
  readonly calls: string[] = [];
  /** Runs before each answer; the caller gets what it throws. */
  before: (call: string) => Promise<void> | void = () => {};

  async #answer<T>(call: string, give: () => T): Promise<T> {
    this.calls.push(call);
    await this.before(call);
    return give();
  }

  close = async () => {};

  permissions = async () => ({ canTrade: true, canWithdraw: false });
  balances = () =>
    this.#answer('balances', (): WalletReading[] => {
      const others = this.readings.map(({ wallet }) => wallet);
      const wallets = new Set<WalletType>(['spot', ...this.held.map(({ wallet }) => wallet)]);
      return [
        ...walletsOf(
          this.held,
          [...wallets].filter((wallet) => !others.includes(wallet)),
        ),
        ...this.readings,
      ];
    });
  positions = () => this.#answer('positions', () => [...this.open]);
  openOrders = (symbols: readonly string[]) =>
    this.#answer(`openOrders ${symbols.join()}`, () => {
      this.#known(symbols);
      return this.#list(
        'open-orders',
        this.orders.filter(({ status, symbol }) => status === 'open' && this.#isNamed(symbol, symbols)),
      );
    });
  closedOrders = (symbols: readonly string[], since: number) =>
    this.#answer(`closedOrders ${symbols.join()}`, () =>
      this.#list(
        'closed-orders',
        this.orders.filter(
          ({ status, symbol, updatedAt, createdAt }) =>
            status !== 'open' && (updatedAt ?? createdAt) >= since && this.#isNamed(symbol, symbols),
        ),
      ),
    );
  trades = (symbol: string | null, cursor: string | null) =>
    this.#answer(`trades ${symbol ?? 'all'}`, () => {
      if (symbol !== null) this.#known([symbol]);
      const all = this.made.filter((trade) => symbol === null || trade.symbol === symbol);
      const from = Number(cursor ?? 0);
      const items = all.slice(from, from + this.tradesAtOnce);
      const next = String(from + items.length);
      return { ...this.#list('trades', items), cursor: next, more: from + items.length < all.length };
    });
  transfers = (since: number) =>
    this.#answer('transfers', () =>
      this.#list(
        'transfers',
        this.moved.filter(({ at }) => at >= since),
      ),
    );

  #list<T>(list: RejectedRow['list'], items: readonly T[]): VenueList<T> {
    return { items, rejected: this.rejected.filter((row) => row.list === list) };
  }

  #isNamed(symbol: string, symbols: readonly string[]): boolean {
    return !this.needsSymbols || symbols.includes(symbol);
  }

  #known(symbols: readonly string[]): void {
    if (symbols.every((symbol) => this.markets.includes(symbol))) return;
    throw new VenueError(this.id, 'not-supported', `${this.id} does not have this market`);
  }
}
