import type { Exchange, Order, Trade } from 'ccxt';
import type {
  ContractPosition,
  KeyPermissions,
  OwnTrade,
  VenueList,
  VenueOrder,
  VenuePage,
  WalletType,
} from '#shared/exchange/account-venue';
import type { Holding } from './account-balances.ts';
import { toHoldings } from './account-mapping.ts';
import type { OffsetRead } from './offsets.ts';
import type { WindowLimits } from './windows.ts';

/** One read of balances. */
export interface WalletRule {
  readonly type: WalletType;
  /** Further wallets that the same answer covers. */
  readonly also?: readonly WalletType[];
  /** @throws {NotOffered} there is no such wallet for this account */
  read(exchange: Exchange): Promise<Holding[]>;
  /** What other wallets showed of it, used while it can't be read itself. */
  standIn?(exchange: Exchange): readonly Holding[];
}

/** Contracts whose orders and trades are listed by symbol, and are read without ccxt's methods. */
export interface OwnContracts {
  /** Whether a symbol is that of such a contract. */
  has(symbol: string): boolean;
  /** Those of all contracts. */
  openOrders(exchange: Exchange): Promise<VenueList<VenueOrder>>;
  /** Orders that may have ended since then, and others. @param since @param now epoch ms */
  endedOrders(exchange: Exchange, symbol: string, since: number, now: number): Promise<VenueList<VenueOrder>>;
  trades(exchange: Exchange, symbol: string, cursor: string | null, now: number): Promise<VenuePage<OwnTrade>>;
  /** The contracts in which something was traded. */
  traded(exchange: Exchange, cursor: string | null, now: number): Promise<VenuePage<string>>;
}

/** What an adapter needs to know about a venue beyond ccxt. */
export interface AccountRules {
  /** Changes a client before its first call, where ccxt takes no parameter for it. */
  prepare?(exchange: Exchange): void;
  /** ccxt's types of markets, where it is not only spot. */
  readonly marketTypes?: readonly string[];
  /** The wallets that are read; by default only the spot wallet. */
  readonly wallets: readonly WalletRule[];
  /** The venue's own words for a product that it does not offer to a user. */
  readonly notOffered?: RegExp;
  /** ccxt's parameters for the lists of open orders beside the usual one, which venues keep by kind of order. */
  readonly openOrderKinds?: readonly Readonly<Record<string, unknown>>[];
  /** Whether open orders of all symbols are in one list, though other lists are by symbol. */
  readonly isOpenOrdersListWhole?: true;
  /** ccxt's parameters for the lists of ended orders and of trades; `undefined` removes a filter of ccxt. */
  readonly orderParameters?: readonly Readonly<Record<string, unknown>>[];
  readonly tradeParameters?: readonly Readonly<Record<string, unknown>>[];
  /** Every page says where the next one begins, even if it is not full. */
  readonly isPagedByCursor?: true;
  /** Whether a row of the list of trades is one: some venues list funding among them. */
  isTrade?(native: Trade): boolean;
  /** Fees are in the quote currency, where a trade does not say. */
  readonly isFeeInQuote?: true;
  /** Contracts whose positions, orders and trades are read, as ccxt's parameters; none by default. */
  readonly contracts?: readonly Readonly<Record<string, unknown>>[];
  /** Contracts that are not read through ccxt, because it would load all their markets. */
  readonly ownContracts?: OwnContracts;
  /** What the key may do; unknown by default. */
  permissions?(exchange: Exchange): Promise<KeyPermissions>;
  /** Positions, where ccxt's own method is not sufficient. */
  positions?(exchange: Exchange): Promise<ContractPosition[]>;
  /** Trades of one symbol are listed by ascending id from any id on, so that no time is needed. */
  readonly tradesById?: { readonly parameter: string; readonly pageEntries: number };
  /** Trades, where the venue lists them newest first, by offset, with their number. */
  readonly tradesByOffset?: (exchange: Exchange) => OffsetRead<Trade>;
  readonly trades?: WindowLimits;
  /** Orders that ended within a time, epoch ms, where ccxt's own method is not sufficient. */
  endedOrders?(exchange: Exchange, since: number, now: number): Promise<Order[]>;
  readonly orders?: WindowLimits;
  /** The newest orders of a symbol are read, and more by ascending id where those are not enough. */
  readonly ordersById?: { readonly pageEntries: number };
  readonly transfers?: WindowLimits;
  /** The venue's names for a time and a page, where ccxt's own method would drop rows. @param from @param to epoch ms */
  transferParameters?(from: number, to: number, limit: number): Readonly<Record<string, unknown>>;
  /** The form of a good answer, by the end of its path. */
  readonly shapes?: Readonly<Record<string, (answer: unknown) => boolean>>;
}

/** A wallet as ccxt reads it. */
export const wallet = (type: WalletType, parameters: Readonly<Record<string, unknown>>): WalletRule => ({
  type,
  read: async (exchange) => toHoldings(type, await exchange.fetchBalance({ ...parameters })),
});
