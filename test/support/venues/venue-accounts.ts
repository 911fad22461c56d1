/** The accounts of a venue double: keys and what they give access to, set by the test, returned by each double in its venue's format. */

export type KeyPermission = 'read' | 'trade' | 'withdraw' | 'futures';

export interface VenueKey {
  readonly apiKey: string;
  readonly secret: string;
  /** `['read', 'trade']` when left out. */
  readonly permissions?: readonly KeyPermission[];
  readonly ipRestricted?: boolean;
}

export type Wallet = 'spot' | 'funding' | 'margin' | 'earn' | 'contract';

/** Decimal strings. */
export interface Holding {
  readonly free: string;
  readonly locked: string;
  /** Borrowed; nothing when left out. */
  readonly debt?: string;
}

export interface AccountTrade {
  /** ccxt's name, `BTC/USDT`. */
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly price: string;
  readonly amount: string;
  readonly fee: string;
  readonly feeAsset: string;
  readonly maker: boolean;
  readonly orderId: string;
  /** What made it: an order, unless a venue did. Funding is listed among trades by some venues. */
  readonly kind?: 'liquidation' | 'deleveraging' | 'settlement' | 'funding';
  /** Epoch ms. */
  readonly at: number;
}

export interface AccountOrder {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'limit' | 'market';
  readonly price: string;
  /** Of a stop order. */
  readonly stopPrice?: string;
  readonly amount: string;
  readonly filled: string;
  readonly status: 'open' | 'filled' | 'canceled';
  /** Epoch ms. */
  readonly at: number;
  readonly updatedAt: number;
}

export interface AccountTransfer {
  readonly kind: 'deposit' | 'withdrawal';
  readonly asset: string;
  readonly amount: string;
  readonly fee: string;
  readonly status: 'pending' | 'done' | 'failed';
  readonly network: string;
  readonly txId: string;
  /** The venue gives it no id of its own. */
  readonly withoutId?: true;
  readonly address: string;
  /** Epoch ms. */
  readonly at: number;
}

/** A contract position. */
export interface AccountPosition {
  /** ccxt's name, `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly side: 'long' | 'short';
  /** `cross` when left out. */
  readonly marginMode?: 'cross' | 'isolated';
  readonly size: string;
  readonly entryPrice: string;
  readonly markPrice: string;
  readonly liquidationPrice: string;
  readonly leverage: string;
  readonly margin: string;
  readonly unrealizedPnl: string;
}

/** Its number within the venue; the double makes the venue's kind of id of it. */
export type Numbered<Record> = Record & { readonly number: number };

export interface VenueAccount {
  readonly key: Required<VenueKey>;
  readonly wallets: ReadonlyMap<Wallet, ReadonlyMap<string, Holding>>;
  /** Each oldest first. */
  readonly trades: readonly Numbered<AccountTrade>[];
  readonly orders: readonly Numbered<AccountOrder>[];
  readonly transfers: readonly Numbered<AccountTransfer>[];
  readonly positions: readonly AccountPosition[];
}

/** What lies in one wallet. */
export const holdings = ({ wallets }: VenueAccount, wallet: Wallet): [asset: string, holding: Holding][] => [
  ...(wallets.get(wallet) ?? []),
];

interface OwnAccount extends VenueAccount {
  key: Required<VenueKey>;
  readonly wallets: Map<Wallet, Map<string, Holding>>;
  trades: Numbered<AccountTrade>[];
  orders: Numbered<AccountOrder>[];
  transfers: Numbered<AccountTransfer>[];
  positions: AccountPosition[];
}

/** How a test sets the accounts of a double. `apiKey` names the account. */
export class VenueAccounts {
  readonly #accounts = new Map<string, OwnAccount>();
  #lastNumber = 1000;

  /** Opens an account with a key, or gives the key of an account another secret and other permissions. */
  addKey(key: VenueKey): void {
    const complete = { permissions: ['read', 'trade'] as const, ipRestricted: false, ...key };
    const account = this.#accounts.get(key.apiKey);
    if (account !== undefined) account.key = complete;
    else {
      this.#accounts.set(key.apiKey, {
        key: complete,
        wallets: new Map(),
        trades: [],
        orders: [],
        transfers: [],
        positions: [],
      });
    }
  }

  /** Ends a key and its account. */
  removeKey(apiKey: string): void {
    this.#accounts.delete(apiKey);
  }

  /** Sets what a wallet holds of an asset; nothing of it is left with `0` and `0`. */
  setBalance(apiKey: string, asset: string, free: string, locked = '0', wallet: Wallet = 'spot', debt = '0'): void {
    const { wallets } = this.#of(apiKey);
    const holdings = wallets.get(wallet) ?? new Map<string, Holding>();
    wallets.set(wallet, holdings);
    if (Number(free) === 0 && Number(locked) === 0 && Number(debt) === 0) holdings.delete(asset);
    else holdings.set(asset, { free, locked, ...(Number(debt) === 0 ? {} : { debt }) });
  }

  /** @returns its number, of which the venue's id is made */
  addTrade(apiKey: string, trade: AccountTrade): number {
    const number = ++this.#lastNumber;
    this.#of(apiKey).trades.push({ ...trade, number });
    return number;
  }

  /** @returns its number, of which the venue's id is made */
  addOrder(apiKey: string, order: AccountOrder): number {
    const number = ++this.#lastNumber;
    this.#of(apiKey).orders.push({ ...order, number });
    return number;
  }

  changeOrder(apiKey: string, number: number, change: Partial<AccountOrder>): void {
    const account = this.#of(apiKey);
    account.orders = account.orders.map((order) => (order.number === number ? { ...order, ...change } : order));
  }

  /** @returns its number, of which the venue's id is made */
  addTransfer(apiKey: string, transfer: AccountTransfer): number {
    const number = ++this.#lastNumber;
    this.#of(apiKey).transfers.push({ ...transfer, number });
    return number;
  }

  changeTransfer(apiKey: string, number: number, change: Partial<AccountTransfer>): void {
    const account = this.#of(apiKey);
    account.transfers = account.transfers.map((old) => (old.number === number ? { ...old, ...change } : old));
  }

  setPositions(apiKey: string, positions: readonly AccountPosition[]): void {
    this.#of(apiKey).positions = [...positions];
  }

  find(apiKey: string): VenueAccount | undefined {
    return this.#accounts.get(apiKey);
  }

  #of(apiKey: string): OwnAccount {
    const account = this.#accounts.get(apiKey);
    if (account === undefined) throw new Error('There is no account with this key');
    return account;
  }
}
