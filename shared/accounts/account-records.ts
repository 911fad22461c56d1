import type { UserId } from '#shared/model/user-id';
import { NotFound } from '#shared/platform/errors';
import { isPossible } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import type { Item, Page, Query } from '#shared/platform/table';
import { shown } from './record-view.ts';
import { AccountBalance, AccountOrder, AccountTrade, type OrderStatus, type WalletStatus } from './records.ts';
import {
  accountKey,
  ordersIndex,
  periodOf,
  recordsOf,
  type StepName,
  type StoredAccount,
  type StoredBalance,
  type StoredOrder,
  type StoredTrade,
  tradesIndex,
} from './stored.ts';
import { succeededAt, untried } from './sync/steps.ts';
import { statusSeconds } from './sync/sync-lease.ts';

/** Records are stale when their step has not succeeded for this many periods, plus the time by which its status may lag. */
const stalePeriods = 3;
const statusLagSeconds = 2 * statusSeconds;
/** Most pages that are read to find records that match a filter. */
const filteredPagesMax = 20;

export interface PageWanted {
  readonly limit: number;
  readonly cursor?: string;
}

/** A page of an account's records, and how old they are. It may hold fewer than requested without being the last. */
export interface RecordsPage<T> {
  readonly items: T[];
  readonly cursor?: string;
  /** When they were last read from the venue, epoch ms; null: not yet, or not all of them. */
  readonly asOf: number | null;
  readonly stale: boolean;
}

/** A page of balances, with the state of each wallet. */
export interface BalancesPage extends RecordsPage<AccountBalance> {
  /** The last sync read every wallet of the account. */
  readonly complete: boolean;
  readonly wallets: readonly WalletStatus[];
}

type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;

/** The state of each account's data. */
export class AccountRecords {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Balances with the state of each wallet. `asOf` is the age of the oldest wallet. @throws {NotFound} */
  async balances(userId: UserId, accountId: string, page: PageWanted): Promise<BalancesPage> {
    const account = await this.#account(userId, accountId);
    const found = await this.#ports.table.query<StoredBalance>({ ...recordsOf('balance', userId, accountId), ...page });
    const items = paged(found, (balance) => ({
      ...shown<AccountBalance>(AccountBalance, balance),
      debt: balance.debt ?? '0',
    }));
    if (account.mode === 'paper') {
      const age = this.#ageOf(account, null);
      return {
        ...age,
        ...items,
        complete: true,
        wallets: [{ wallet: 'spot', status: 'ok', asOf: age.asOf, detail: null }],
      };
    }
    const state = account.steps.balances ?? untried;
    const now = this.#ports.clock.now();
    const wallets = Object.entries(state.wallets ?? {}).map(
      ([wallet, { asOf, ...rest }]) =>
        ({ wallet, ...rest, asOf: asOf !== null && isPossible(asOf, now) ? asOf : null }) as WalletStatus,
    );
    const offered = wallets.filter(({ status }) => status !== 'not-offered');
    const times = offered.map(({ asOf }) => asOf);
    const oldest = times.includes(null) ? null : Math.min(...times.map(Number));
    const asOf = offered.length === 0 ? succeededAt(state, now) : oldest;
    return {
      ...this.#ageOf(account, asOf),
      ...items,
      complete: wallets.length > 0 && offered.every(({ status }) => status === 'ok'),
      wallets,
    };
  }

  /** Orders, newest first. @throws {NotFound} */
  async orders(
    userId: UserId,
    accountId: string,
    { symbol, status, ...page }: PageWanted & { readonly symbol?: string; readonly status?: OrderStatus },
  ): Promise<RecordsPage<AccountOrder>> {
    const age = await this.#age(userId, accountId, 'orders');
    const query = { ...ordersIndex(userId, accountId, status), ...page, descending: true };
    const found = await this.#filtered<StoredOrder>(query, (order) => symbol === undefined || order.symbol === symbol);
    return { ...age, ...paged(found, (order) => shown(AccountOrder, order)) };
  }

  /** Own trades, newest first. @throws {NotFound} */
  async trades(
    userId: UserId,
    accountId: string,
    { symbol, ...page }: PageWanted & { readonly symbol?: string },
  ): Promise<RecordsPage<AccountTrade>> {
    const age = await this.#age(userId, accountId, 'trades');
    const query = { ...tradesIndex(userId, accountId, symbol), ...page, descending: true };
    const found = await this.#ports.table.query<StoredTrade>(query);
    return { ...age, ...paged(found, (trade) => shown(AccountTrade, trade)) };
  }

  /** The first page on which something matches, or the last that was read. */
  async #filtered<T extends Item>(query: Query, isWanted: (item: T) => boolean): Promise<Page<T>> {
    let next = query;
    for (let pages = 1; ; pages += 1) {
      const { items, cursor } = await this.#ports.table.query<T>(next);
      const found = items.filter(isWanted);
      if (cursor === undefined) return { items: found };
      if (found.length > 0 || pages === filteredPagesMax) return { items: found, cursor };
      next = { ...query, cursor };
    }
  }

  async #age(userId: UserId, accountId: string, step: StepName) {
    const account = await this.#account(userId, accountId);
    return this.#ageOf(account, succeededAt(account.steps[step] ?? untried, this.#ports.clock.now()));
  }

  async #account(userId: UserId, accountId: string): Promise<StoredAccount> {
    const account = await this.#ports.table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true });
    if (account === undefined) throw new NotFound('You have no account with this id.');
    return account;
  }

  #ageOf(account: StoredAccount, asOf: number | null) {
    const { clock, config } = this.#ports;
    // The balances of a paper account exist only here.
    if (account.mode === 'paper') return { asOf: clock.now(), stale: false };
    const staleMs = (stalePeriods * periodOf(account, config) + statusLagSeconds) * 1000;
    return { asOf, stale: asOf === null || asOf + staleMs < clock.now() };
  }
}

const paged = <T extends Item, U>({ items, cursor }: Page<T>, show: (item: T) => U) => ({
  items: items.map(show),
  ...(cursor === undefined ? {} : { cursor }),
});
