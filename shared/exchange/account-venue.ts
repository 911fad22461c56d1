import type { Credentials } from './credentials.ts';

/** What a key may do. Where the venue does not tell, `canTrade` is true and `canWithdraw` null. */
export interface KeyPermissions {
  readonly canTrade: boolean;
  readonly canWithdraw: boolean | null;
}

/** Where on a venue an asset lies. */
export type WalletType = 'spot' | 'funding' | 'margin' | 'earn' | 'contract';

/** An asset of an account. Decimal strings; only those whose total is not zero are told. */
export interface Balance {
  readonly wallet: WalletType;
  readonly asset: string;
  readonly free: string;
  readonly locked: string;
  readonly total: string;
  /** Owed, on margin. */
  readonly debt: string | null;
  /** When the venue saw it, epoch ms; null where it does not tell. */
  readonly venueTime: number | null;
}

/** An open contract position. Decimal strings; null where the venue does not tell. */
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
  readonly asset: string;
  /** Below zero for a rebate. */
  readonly cost: string;
}

export type VenueOrderStatus = 'open' | 'filled' | 'canceled' | 'rejected' | 'expired' | 'unknown';

/** Some venues count the orders of each market for themselves: only with its market does a number name one order. */
export const orderName = ({ symbol, orderId }: Pick<VenueOrder, 'symbol' | 'orderId'>): string =>
  `${symbol} ${orderId}`;

export interface VenueOrder {
  /** The venue's own id, which only {@link orderName} makes unique. */
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

/** An own trade: one fill of an order. */
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

/** A deposit or withdrawal, also one between wallets where the venue tells of them that way. */
export interface Transfer {
  readonly transferId: string;
  readonly type: 'deposit' | 'withdrawal';
  readonly asset: string;
  readonly amount: string;
  readonly fee: Fee | null;
  readonly status: 'pending' | 'ok' | 'failed' | 'canceled';
  readonly txId: string | null;
  readonly at: number;
}

/** A stretch of a list that is read bit by bit. */
export interface VenuePage<T> {
  /** Oldest first; may repeat what was given before, never leaves anything out. */
  readonly items: readonly T[];
  /** Where to go on next time, also when nothing is left now: to be stored after the items are. */
  readonly cursor: string;
  /** Whether there is more right now. */
  readonly more: boolean;
}

/**
 * One account at a venue, through a key of it. Every method throws {@link VenueError} (`not-supported` where the venue
 * has nothing like it) and ends within bounded time. Amounts and prices are decimal strings without exponent.
 */
export interface AccountVenue {
  readonly id: string;
  permissions(): Promise<KeyPermissions>;
  /** Every wallet that is covered for this venue. */
  balances(): Promise<Balance[]>;
  positions(): Promise<ContractPosition[]>;
  /** Whether orders and trades can be had without naming a symbol. */
  readonly needsSymbols: boolean;
  /** @param symbols those to ask for where {@link AccountVenue.needsSymbols}; otherwise every symbol is told */
  openOrders(symbols: readonly string[]): Promise<VenueOrder[]>;
  /** Orders that ended at `since` or later, epoch ms, oldest first. */
  closedOrders(symbols: readonly string[], since: number): Promise<VenueOrder[]>;
  /**
   * Own trades from the cursor on; from as far back as the venue goes without one.
   * @param symbol null for all where the venue does not need one
   */
  trades(symbol: string | null, cursor: string | null): Promise<VenuePage<OwnTrade>>;
  /**
   * Symbols in which something was traded, from the cursor on; from as far back as the venue goes without one. Left out where
   * the venue does not tell, or does not need symbols.
   */
  tradedSymbols?(cursor: string | null): Promise<VenuePage<string>>;
  /** Deposits and withdrawals made at `since` or later, epoch ms. */
  transfers(since: number): Promise<Transfer[]>;
}

/** An account that was opened for some calls. */
export interface OpenedAccount extends AccountVenue {
  /** No more calls follow: what was kept for them is left to others. */
  close(): Promise<void>;
}

/** Makes the client of an account. It asks nothing of the venue before its first call. */
export type OpenAccountVenue = (venue: string, credentials: Credentials) => Promise<OpenedAccount>;

/** What a venue offers accounts, as its adapter knows without asking it. */
export interface VenueProfile {
  readonly id: string;
  readonly name: string;
  /** The parts that its keys have. */
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
