import type { Credentials } from './credentials.ts';
import type { VenueError } from './errors.ts';

/** What a key may do. Where the venue does not say, `canTrade` is true and `canWithdraw` null. */
export interface KeyPermissions {
  readonly canTrade: boolean;
  readonly canWithdraw: boolean | null;
}

/** Where on a venue an asset is held. */
export type WalletType = 'spot' | 'funding' | 'margin' | 'earn' | 'contract';

/**
 * An asset in a wallet of an account. Decimal strings. The same definition holds at every venue: `free`, `locked` and
 * `total` are never below zero, `total = free + locked`, and `debt` is owed beside it, so that equity is
 * `total - debt`. Assets that are neither held nor owed are left out.
 */
export interface Balance {
  readonly wallet: WalletType;
  readonly asset: string;
  readonly free: string;
  /** Bound by open orders, margin or a term. */
  readonly locked: string;
  readonly total: string;
  /** Borrowed, with the interest accrued; `'0'` where nothing is owed. */
  readonly debt: string;
  /** The venue's time of this balance, epoch ms; null where it reports none. */
  readonly venueTime: number | null;
}

/**
 * The result of reading one wallet. Wallets fail independently of each other:
 * - `ok`: these are all assets in it, perhaps none.
 * - `failing`: it could not be read now; nothing is known about what it holds.
 * - `not-offered`: this account has no such wallet, or the venue does not offer it to this user or key; `detail` is for
 *   people and holds no secret.
 */
export type WalletReading =
  | {
      readonly wallet: WalletType;
      readonly status: 'ok';
      readonly balances: readonly Balance[];
      /** The wallet itself could not be read: these are what other wallets show of it, perhaps not all. */
      readonly isStandIn?: true;
    }
  | { readonly wallet: WalletType; readonly status: 'failing'; readonly error: VenueError }
  | { readonly wallet: WalletType; readonly status: 'not-offered'; readonly detail: string };

/** An open contract position. Decimal strings; null where the venue does not say. */
export interface ContractPosition {
  /** As in ccxt: `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly marginMode: 'cross' | 'isolated' | null;
  /** In contracts, above zero. */
  readonly contracts: string;
  readonly contractSize: string | null;
  readonly entryPrice: string | null;
  readonly markPrice: string | null;
  readonly liquidationPrice: string | null;
  readonly leverage: string | null;
  /** Margin that backs it, in the settlement currency. */
  readonly collateral: string | null;
  readonly unrealizedPnl: string | null;
  readonly venueTime: number | null;
}

export interface Fee {
  /** Currency of the fee; null where the venue does not say and it can't be derived: the amount is kept. */
  readonly asset: string | null;
  /** Below zero for a rebate. */
  readonly cost: string;
}

export type VenueOrderStatus = 'open' | 'filled' | 'canceled' | 'rejected' | 'expired' | 'unknown';

/** Identifies an order within an account: some venues number the orders of each market separately. */
export const orderName = ({ symbol, orderId }: Pick<VenueOrder, 'symbol' | 'orderId'>): string =>
  `${symbol} ${orderId}`;

export interface VenueOrder {
  /** The venue's own id; only {@link orderName} is unique. */
  readonly orderId: string;
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'other';
  readonly status: VenueOrderStatus;
  readonly timeInForce: string | null;
  readonly amount: string;
  readonly filled: string;
  readonly price: string | null;
  readonly stopPrice: string | null;
  /** Average price of what is filled. */
  readonly average: string | null;
  readonly reduceOnly: boolean | null;
  readonly postOnly: boolean | null;
  /** When it was placed and last changed, epoch ms by the venue's clock. */
  readonly createdAt: number;
  readonly updatedAt: number | null;
}

/** A trade of the user: one fill of an order. */
export interface OwnTrade {
  /** The venue's own id, unique within its symbol. */
  readonly tradeId: string;
  /** As {@link VenueOrder.orderId}. */
  readonly orderId: string | null;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly role: 'maker' | 'taker' | null;
  readonly price: string;
  readonly amount: string;
  /** In the quote currency, or the settlement currency of a contract. */
  readonly cost: string;
  readonly fees: readonly Fee[];
  /** Epoch ms by the venue's clock. */
  readonly at: number;
}

/** A deposit or withdrawal; also a move between wallets where the venue lists those as such. */
export interface Transfer {
  /**
   * The venue's own id. Where it has none, one that is derived from the row, so that it stays the same from read to read;
   * never the transaction id alone, which several deposits can share.
   */
  readonly transferId: string;
  readonly type: 'deposit' | 'withdrawal';
  readonly asset: string;
  readonly amount: string;
  readonly fee: Fee | null;
  readonly status: 'pending' | 'ok' | 'failed' | 'canceled';
  readonly txId: string | null;
  readonly at: number;
}

/** A row of a venue's list that could not be read. It is left out and counted, and does not affect other rows. */
export interface RejectedRow {
  /** The list it was in. */
  readonly list: 'open-orders' | 'closed-orders' | 'trades' | 'transfers';
  /** The venue's id of the row; null where that is missing too. */
  readonly id: string | null;
  /** What is wrong with it, for people: a name of a field, never the row itself. */
  readonly reason: string;
}

/** A list as far as it could be read. */
export interface VenueList<T> {
  readonly items: readonly T[];
  /** The rows that could not be read; empty when all could. A row may be reported again by a later read. */
  readonly rejected: readonly RejectedRow[];
}

/** A page of a list that is read incrementally. `items` are oldest first; they may repeat earlier ones, but none is skipped. */
export interface VenuePage<T> extends VenueList<T> {
  /** Where to continue next time, also when nothing is left now. Store it after the items. */
  readonly cursor: string;
  /** Whether more can be read right now. */
  readonly more: boolean;
}

/**
 * One account at a venue, read with a key of it. Every method throws {@link VenueError} (`not-supported` where the venue
 * has no such thing) and ends within bounded time. Amounts and prices are decimal strings without exponent.
 */
export interface AccountVenue {
  readonly id: string;
  permissions(): Promise<KeyPermissions>;
  /**
   * One reading per covered wallet; see {@link WalletReading}. It throws only when no wallet could be read: the key
   * is not accepted, the rate limit is used up, or the venue is down.
   */
  balances(): Promise<readonly WalletReading[]>;
  positions(): Promise<ContractPosition[]>;
  /** Whether orders and trades can only be read by symbol. */
  readonly needsSymbols: boolean;
  /** @param symbols those to read where {@link AccountVenue.needsSymbols}; otherwise all symbols are read */
  openOrders(symbols: readonly string[]): Promise<VenueList<VenueOrder>>;
  /** Orders that ended at `since` or later, epoch ms, oldest first. */
  closedOrders(symbols: readonly string[], since: number): Promise<VenueList<VenueOrder>>;
  /**
   * Own trades after the cursor; from the beginning of the venue's history without one. The symbol of a trade in a market
   * that the venue no longer lists, and whose assets can't be derived, is the venue's own name of the market.
   * @param symbol null for all where the venue does not need one
   */
  trades(symbol: string | null, cursor: string | null): Promise<VenuePage<OwnTrade>>;
  /**
   * Symbols that were traded, after the cursor; from the beginning of the venue's history without one. Absent where the
   * venue has no such list, or does not need symbols.
   */
  tradedSymbols?(cursor: string | null): Promise<VenuePage<string>>;
  /**
   * Symbols of markets that {@link AccountVenue.trades} or an order gave under the venue's own name, as far as they are
   * known by now. The others are left out. Absent where an adapter never gives such names.
   */
  marketSymbols?(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Deposits and withdrawals made at `since` or later, epoch ms, oldest first. */
  transfers(since: number): Promise<VenueList<Transfer>>;
}

/** An account that is open for a series of calls. */
export interface OpenedAccount extends AccountVenue {
  /** Ends the series and releases what was reserved for it. */
  close(): Promise<void>;
}

/** Creates the client of an account. No request is made before its first call. */
export type OpenAccountVenue = (venue: string, credentials: Credentials) => Promise<OpenedAccount>;

/** What a venue supports for accounts, known without a request. */
export interface VenueProfile {
  readonly id: string;
  readonly name: string;
  /** The parts of its keys. */
  readonly credentials: readonly ('apiKey' | 'secret' | 'password')[];
  readonly supports: {
    readonly balances: boolean;
    readonly positions: boolean;
    readonly openOrders: boolean;
    readonly closedOrders: boolean;
    readonly trades: boolean;
    readonly transfers: boolean;
  };
}
