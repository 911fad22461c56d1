import type { UserId } from '#shared/model/user-id';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { Item, Page, Query } from '#shared/platform/table';
import { AccountBalance, AccountOrder, AccountTrade, type OrderStatus } from './records.ts';
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

/** Records are stale when their step has not succeeded for this many periods, and what its status may lag behind. */
const stalePeriods = 3;
const statusLagSeconds = 2 * statusSeconds;
/** Pages that are looked through at most for records that a filter lets through. */
const filteredPagesMax = 20;

export interface PageWanted {
  readonly limit: number;
  readonly cursor?: string;
}

/** A page of an account's records, and how old they are. It may hold fewer than asked for, and still not be the last. */
export interface RecordsPage<T> {
  readonly items: T[];
  readonly cursor?: string;
  /** When the venue was asked last; null: it was not yet, or not for all. */
  readonly asOf: number | null;
  readonly stale: boolean;
}

type Ports = Pick<Platform, 'table' | 'clock' | 'config'>;

/** What is known of each account from its venue. */
export class AccountRecords {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @throws {NotFound} */
  async balances(userId: UserId, accountId: string, page: PageWanted): Promise<RecordsPage<AccountBalance>> {
    const age = await this.#age(userId, accountId, 'balances');
    const found = await this.#ports.table.query<StoredBalance>({ ...recordsOf('balance', userId, accountId), ...page });
    return { ...age, ...paged(found, (balance) => shown(AccountBalance, balance)) };
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

  /** The first page on which something is found, or the last that was looked through. */
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
    const { table, clock, config } = this.#ports;
    const account = await table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true });
    if (account === undefined) throw new NotFound('You have no account with this id.');
    // What a paper account holds is nowhere else.
    if (account.mode === 'paper') return { asOf: clock.now(), stale: false };
    const asOf = succeededAt(account.steps[step] ?? untried, clock.now());
    const staleMs = (stalePeriods * periodOf(account, config) + statusLagSeconds) * 1000;
    return { asOf, stale: asOf === null || asOf + staleMs < clock.now() };
  }
}

const paged = <T extends Item, U>({ items, cursor }: Page<T>, show: (item: T) => U) => ({
  items: items.map(show),
  ...(cursor === undefined ? {} : { cursor }),
});

/** The attributes of a stored item that its schema names. */
export const shown = <T>(schema: { readonly shape: Readonly<Record<string, unknown>> }, item: Item): T =>
  Object.fromEntries(Object.keys(schema.shape).map((name) => [name, item[name]])) as T;
