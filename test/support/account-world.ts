/** Random events of an account at its venue, and what should be stored of it afterwards. */

import * as fc from 'fast-check';
import {
  accountKey,
  ordersIndex,
  recordsOf,
  type StoredAccount,
  type StoredSchedule,
  scheduleKey,
  tradesIndex,
} from '#shared/accounts/stored';
import { Decimal } from '#shared/model/decimal';
import type { UserId } from '#shared/model/user-id';
import { every, type Item, type Query, type Table } from '#shared/platform/table';
import type { VenueAccounts } from './venues/venue-accounts.ts';

/** Assets that are always held, so that their markets are read at a venue which requires symbols. */
const assets = ['BTC', 'ETH'] as const;
const market = fc.constantFrom(...assets).map((asset) => `${asset}/USDT`);
const contractOf = (asset: string): string => `${asset}/USDT:USDT`;
const contract = fc.constantFrom(...assets).map(contractOf);

const ordered = (symbol: fc.Arbitrary<string>) => fc.record({ is: fc.constant('order' as const), symbol });
const traded = (symbol: fc.Arbitrary<string>) =>
  fc.record({
    is: fc.constant('trades' as const),
    symbol,
    count: fc.integer({ min: 1, max: 12 }),
    /** How long the venue takes to list them, seconds. */
    late: fc.oneof(fc.constant(0), fc.nat({ max: 25 })),
    isAtOnce: fc.boolean(),
    /** Bought and sold again: nothing else shows that there were trades. */
    isEven: fc.boolean(),
  });

/** One thing that happens at the venue. What it is about, it picks by number among what there is. */
export const venueChange = fc.oneof(
  fc.record({
    is: fc.constant('balance' as const),
    wallet: fc.constantFrom('spot' as const, 'funding' as const),
    asset: fc.constantFrom('USDT', 'SOL', ...assets),
    amount: fc.nat({ max: 3 }),
  }),
  fc.record({
    is: fc.constant('positions' as const),
    held: fc.uniqueArray(contract),
    size: fc.integer({ min: 1, max: 3 }),
  }),
  ordered(market),
  fc.record({
    is: fc.constant('fill' as const),
    pick: fc.nat(),
    fills: fc.integer({ min: 1, max: 9 }),
    ends: fc.boolean(),
  }),
  fc.record({ is: fc.constant('cancel' as const), pick: fc.nat() }),
  traded(market),
  fc.record({ is: fc.constant('transfer' as const), kind: fc.constantFrom('deposit' as const, 'withdrawal' as const) }),
  fc.record({
    is: fc.constant('settle' as const),
    pick: fc.nat(),
    status: fc.constantFrom('done' as const, 'failed' as const),
  }),
);

/** One thing that happens in contracts, which are traded without their asset, where the venue wants them named as well. */
export const contractChange = fc.oneof(ordered(contract), traded(contract));
export type VenueChange = typeof venueChange extends fc.Arbitrary<infer T> ? T : never;

/** The account at its venue. Every order, trade and transfer has a price or amount of its own, by which it is known again. */
export class AccountWorld {
  readonly #accounts: VenueAccounts;
  readonly #apiKey: string;
  readonly #now: () => number;
  #prices = 0;
  /** Every version of each record that the venue ever listed; nothing else may be stored. */
  readonly #seen = new Set<string>();
  /** Names of what vanished at some time. */
  readonly #vanished = new Set<string>();

  /** @param now the venue's time, epoch ms */
  constructor(accounts: VenueAccounts, apiKey: string, now: () => number) {
    this.#accounts = accounts;
    this.#apiKey = apiKey;
    this.#now = now;
    for (const asset of assets) accounts.setBalance(apiKey, asset, '1');
    this.#note();
  }

  /** Contracts are traded as well: their wallet is not empty, and each was traded once, so that the venue lists it. */
  openContracts(): void {
    this.#accounts.setBalance(this.#apiKey, 'USDT', '100', '0', 'contract');
    for (const asset of assets) this.#trade(contractOf(asset), this.#now(), {});
    this.#note();
  }

  apply(change: VenueChange): void {
    const before = this.listed();
    const { orders, transfers } = this.#account();
    const at = this.#now();
    switch (change.is) {
      case 'balance': {
        const isKept = change.wallet === 'spot' && change.asset !== 'USDT' && change.asset !== 'SOL';
        const free = String(isKept ? change.amount + 1 : change.amount);
        this.#accounts.setBalance(this.#apiKey, change.asset, free, '0', change.wallet);
        break;
      }
      case 'positions':
        this.#accounts.setPositions(
          this.#apiKey,
          change.held.map((symbol) => ({
            ...{ symbol, side: 'long', size: String(change.size), entryPrice: '100', markPrice: '101' },
            ...{ liquidationPrice: '50', leverage: '2', margin: '10', unrealizedPnl: '1' },
          })),
        );
        break;
      case 'order':
        this.#accounts.addOrder(this.#apiKey, {
          ...{ symbol: change.symbol, side: 'buy', type: 'limit', price: this.#price(), amount: '9', filled: '0' },
          ...{ status: 'open', at, updatedAt: at },
        });
        break;
      case 'fill': {
        const order = picked(
          orders.filter(({ status }) => status === 'open'),
          change.pick,
        );
        if (order === undefined) break;
        const filled = Math.min(9, Number(order.filled) + change.fills);
        const status = filled === 9 ? 'filled' : change.ends ? 'canceled' : 'open';
        this.#trade(order.symbol, at, { orderId: String(order.number) });
        this.#accounts.changeOrder(this.#apiKey, order.number, { filled: String(filled), status, updatedAt: at });
        break;
      }
      case 'cancel': {
        const order = picked(
          orders.filter(({ status }) => status === 'open'),
          change.pick,
        );
        if (order !== undefined) {
          this.#accounts.changeOrder(this.#apiKey, order.number, { status: 'canceled', updatedAt: at });
        }
        break;
      }
      case 'trades':
        for (let trade = 0; trade < change.count; trade += 1) {
          const madeAt = at - change.late * 1000 - (change.isAtOnce ? 0 : trade);
          this.#trade(change.symbol, madeAt, { isEven: change.isEven });
        }
        break;
      case 'transfer':
        this.#accounts.addTransfer(this.#apiKey, {
          ...{ kind: change.kind, asset: 'USDT', amount: this.#price(), fee: '0', status: 'pending' },
          ...{ network: 'TRX', txId: 'tx', address: 'address', at },
        });
        break;
      case 'settle': {
        const transfer = picked(
          transfers.filter(({ status }) => status === 'pending'),
          change.pick,
        );
        if (transfer !== undefined) {
          this.#accounts.changeTransfer(this.#apiKey, transfer.number, { status: change.status });
        }
      }
    }
    this.#note();
    const names = new Set(this.listed().map(nameOf));
    for (const record of before) if (!names.has(nameOf(record))) this.#vanished.add(nameOf(record));
  }

  /** All that the venue lists of the account, one line per record, sorted. */
  listed(): string[] {
    const { wallets, positions, orders, trades, transfers } = this.#account();
    const balances = [...wallets].flatMap(([wallet, held]) =>
      [...held].map(([asset, { free, locked }]) => `balance ${wallet} ${asset} = ${plain(free)} ${plain(locked)}`),
    );
    return [
      ...balances,
      ...positions.map(({ symbol, side, size }) => `position ${symbol} ${side} = ${plain(size)}`),
      ...orders.map(
        ({ symbol, price, status, filled }) => `order ${symbol} ${plain(price)} = ${status} ${plain(filled)}`,
      ),
      ...trades.map(({ symbol, price, amount, at }) => `trade ${symbol} ${plain(price)} = ${plain(amount)} ${at}`),
      ...transfers.map(({ kind, amount, status }) => `transfer ${kind} ${plain(amount)} = ${transferStatus[status]}`),
    ].sort();
  }

  /** What of this was never so at the venue; an order may be unknown for a while. */
  invented(stored: readonly string[]): string[] {
    return stored.filter((record) => !this.#seen.has(record) && !/^order .* = unknown /.test(record));
  }

  /** What was stored, is not any more, and has always been at the venue. */
  lost(before: readonly string[], after: readonly string[]): string[] {
    const names = new Set(after.map(nameOf));
    return before.filter((record) => !names.has(nameOf(record)) && !this.#vanished.has(nameOf(record)));
  }

  #account() {
    const account = this.#accounts.find(this.#apiKey);
    if (account === undefined) throw new Error('The venue has no such account');
    return account;
  }

  #trade(symbol: string, at: number, { orderId = '77', isEven = false }): void {
    this.#accounts.addTrade(this.#apiKey, {
      ...{ symbol, side: 'buy', price: this.#price(), amount: '0.5', fee: '0.1', feeAsset: 'BNB', maker: false },
      ...{ orderId, at },
    });
    if (isEven || symbol.includes(':')) return;
    const asset = symbol.split('/')[0] ?? '';
    const held = this.#account().wallets.get('spot')?.get(asset)?.free ?? '0';
    this.#accounts.setBalance(this.#apiKey, asset, new Decimal(held).add('0.5').toFixed());
    // A balance of the middle of a burst can be seen as well.
    this.#note();
  }

  #price(): string {
    this.#prices += 1;
    return String(1000 + this.#prices);
  }

  #note(): void {
    for (const record of this.listed()) this.#seen.add(record);
  }
}

/** What is stored of an account, in the lines of {@link AccountWorld.listed}; one that is stored twice appears twice. */
export const storedRecords = async (table: Table, userId: UserId, accountId: string): Promise<string[]> => {
  const read = async (query: Query) => {
    const items: Item[] = [];
    for await (const item of every(table, query)) items.push(item);
    return items;
  };
  const records = async (kind: 'balance' | 'position' | 'transfer') => await read(recordsOf(kind, userId, accountId));
  const [balances, positions, transfers] = await Promise.all(
    (['balance', 'position', 'transfer'] as const).map(records),
  );
  const orders = await read(ordersIndex(userId, accountId));
  const trades = await read(tradesIndex(userId, accountId));
  return [
    ...(balances ?? []).map(
      ({ wallet, asset, free, locked }) => `balance ${wallet} ${asset} = ${plain(free)} ${plain(locked)}`,
    ),
    ...(positions ?? []).map(({ symbol, side, contracts }) => `position ${symbol} ${side} = ${plain(contracts)}`),
    ...orders.map(
      ({ symbol, price, status, filled }) => `order ${symbol} ${plain(price)} = ${status} ${plain(filled)}`,
    ),
    ...trades.map(({ symbol, price, amount, at }) => `trade ${symbol} ${plain(price)} = ${plain(amount)} ${at}`),
    ...(transfers ?? []).map(({ type, amount, status }) => `transfer ${type} ${plain(amount)} = ${status}`),
  ].sort();
};

/** The sync state of an account: each step, whether a worker holds it, and whether it will be synchronised again. */
export const syncStateOf = async (table: Table, userId: UserId, accountId: string) => {
  const account = await table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true });
  const schedule = await table.get<StoredSchedule>(scheduleKey(userId, accountId), { consistent: true });
  const steps = Object.entries(account?.steps ?? {}).map(([step, { status }]) => `${step} ${status}`);
  return {
    steps: steps.sort(),
    leaseOwner: account?.leaseOwner,
    isScheduled: schedule?.gsi1pk !== undefined,
  };
};

/** The sync state of an account whose sync succeeds. */
export const healthySyncState = {
  steps: ['balances ok', 'orders ok', 'positions ok', 'trades ok', 'transfers ok'],
  leaseOwner: undefined,
  isScheduled: true,
};

const transferStatus = { pending: 'pending', done: 'ok', failed: 'failed' } as const;
const plain = (amount: unknown): string => new Decimal(String(amount)).toFixed();
const nameOf = (record: string): string => record.split(' = ')[0] ?? '';
const picked = <T>(entries: readonly T[], pick: number): T | undefined => entries[pick % entries.length];
