import { AccountOrder, isSameRecord, listed, soundRecords } from '#shared/accounts/records';
import {
  orderKey,
  orderPlaces,
  ordersIndex,
  type StepState,
  type StoredAccount,
  type StoredOrder,
} from '#shared/accounts/stored';
import { type AccountVenue, orderName, type RejectedRow, type VenueOrder } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import type { Platform } from '#shared/platform/ports';
import { type StepContext, type SyncStep, succeededAt } from './steps.ts';
import { isSweep, readSymbols, shuffled, type TradedSymbols } from './traded-symbols.ts';

/** How far back the first sync goes for orders that ended. */
const firstDays = 7;
/** Furthest that a later one goes back, after a pause. */
const recentDaysMax = 30;
/** Furthest that is asked back for how an order ended that was open for long: some venues go by when it was placed. */
const restingDaysMax = 90;
/** How far before the last success it begins: longer than a market goes without being asked for, and venues may be late. */
const overlapMinutes = 30;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/**
 * Keeps the orders of an account: the open ones, and how those ended that were. An order that is gone from the open ones
 * has the state that the venue's recent orders tell, and `unknown` while they do not tell.
 */
export const ordersStep = (ports: Ports): SyncStep => ({
  name: 'orders',
  run: async (context) => {
    const { account, touched, write } = context;
    const venue = await context.venue();
    const symbols = venue.needsSymbols
      ? await readSymbols(ports.table, account, touched, ports.clock.now())
      : undefined;
    const stored = await storedOpen(ports, account);
    const asked = symbols === undefined ? undefined : askedSymbols(symbols, context.before, ports.clock.now());
    const rejected: RejectedRow[] = [];
    const open = await openOrders(ports, context, venue, asked, stored, rejected);
    // An order whose row can't be read has not vanished.
    const unreadable = new Set(rejected.map(({ id }) => id));
    const isGone = (order: StoredOrder, reported: ReadonlyMap<string, AccountOrder>): boolean =>
      order.status === 'open' &&
      !reported.has(orderName(order)) &&
      !(unreadable.has(null) || unreadable.has(order.orderId));
    const ended = await endedOrders(ports, context, venue, asked, [...stored, ...(open ?? [])], rejected);
    if (open === undefined && ended === undefined) {
      throw new VenueError(account.venue, 'not-supported', `${account.venue} does not tell of orders`);
    }
    // An order that ended between the two answers is in both: the second one counts.
    const told = new Map([...(open ?? []), ...(ended?.orders ?? [])].map((order) => [orderName(order), order]));
    const missed = open === undefined ? [] : stored.filter((order) => isGone(order, told));
    for (const order of await restingOrders(ports, context, venue, missed)) told.set(orderName(order), order);
    const known = await knownOrders(ports, account, [...told.values(), ...stored]);
    const changed = [...told.values()].flatMap((order) => {
      const item = storedOrder(account, order);
      const before = known.get(orderName(order));
      // What ended does not open again; a venue may answer from a copy that lags.
      const isPast = order.status === 'open' && before !== undefined && hasEnded(before);
      return isPast || (before !== undefined && isSameRecord(before, item)) ? [] : [item];
    });
    const vanished = open === undefined ? [] : [...known.values()].filter((order) => isGone(order, told));
    const fetchedAt = ports.clock.now();
    const unknown = vanished.map((order) => storedOrder(account, { ...order, status: 'unknown', fetchedAt }));
    const puts = [...changed, ...unknown];
    await write(puts.map((put) => ({ put })));
    for (const { symbol } of [...puts, ...(open ?? [])]) touched.add(symbol);
    if (symbols !== undefined) await write(symbols.remember([...told.values()].map(({ symbol }) => symbol)));
    return { items: told.size, isPart: ended?.isPart ?? false, rejected };
  },
});

/** The orders that are open here, as the index tells them. */
const storedOpen = async ({ table }: Ports, { userId, accountId }: StoredAccount): Promise<StoredOrder[]> =>
  await listed<StoredOrder>(table, ordersIndex(userId, accountId, 'open'));

/** These orders as they are stored: the index may lag. */
const knownOrders = async ({ table }: Ports, { userId, accountId }: StoredAccount, orders: readonly AccountOrder[]) => {
  const named = new Map(orders.map((order) => [orderName(order), order]));
  const keys = [...named.values()].map(({ symbol, orderId }) => orderKey(userId, accountId, symbol, orderId));
  const known = await table.getMany<StoredOrder>(keys, { consistent: true });
  return new Map(known.map((order) => [orderName(order), order]));
};

/** The markets to ask for now, each with the time from which on its orders may be new, epoch ms. */
const askedSymbols = (symbols: TradedSymbols, before: StepState, now: number): ReadonlyMap<string, number> => {
  const lastSuccessAt = succeededAt(before, now);
  const isAll = isSweep(lastSuccessAt, now);
  return new Map(
    [...symbols.known].flatMap(([symbol, foundAt]) => {
      const isNew = lastSuccessAt === null || foundAt >= lastSuccessAt;
      const since = sinceOf(isNew ? null : lastSuccessAt, now);
      return isAll || isNew || symbols.isActive(symbol) ? [[symbol, since] as const] : [];
    }),
  );
};

const sinceOf = (lastSuccessAt: number | null, now: number): number =>
  lastSuccessAt === null
    ? now - firstDays * dayMs
    : Math.max(lastSuccessAt - overlapMinutes * 60_000, now - recentDaysMax * dayMs);

/** @returns undefined where the venue does not tell of open orders */
const openOrders = async (
  { clock }: Ports,
  { account }: StepContext,
  venue: AccountVenue,
  asked: ReadonlyMap<string, number> | undefined,
  stored: readonly StoredOrder[],
  rejected: RejectedRow[],
): Promise<AccountOrder[] | undefined> => {
  const named = asked === undefined ? [] : [...new Set([...asked.keys(), ...stored.map(({ symbol }) => symbol)])];
  const all = await offered(() => venue.openOrders(named));
  rejected.push(...(all?.rejected ?? []));
  let told = all?.items;
  if (told === undefined) {
    // A market that the venue closed hides those of the others.
    for (const symbol of named) {
      const answer = await offered(() => venue.openOrders([symbol]));
      rejected.push(...(answer?.rejected ?? []));
      if (answer !== undefined) told = [...(told ?? []), ...answer.items];
    }
  }
  // It is among the open ones, whatever else the venue calls it.
  return told === undefined
    ? undefined
    : sound(account, told, clock.now()).map((order) =>
        order.status === 'unknown' ? { ...order, status: 'open' } : order,
      );
};

/** @returns undefined where the venue does not tell of orders that ended; `isPart`: time was too short for all markets */
const endedOrders = async (
  { clock, random }: Ports,
  { account, before, hasTime }: StepContext,
  venue: AccountVenue,
  asked: ReadonlyMap<string, number> | undefined,
  open: readonly AccountOrder[],
  rejected: RejectedRow[],
): Promise<{ readonly orders: AccountOrder[]; readonly isPart: boolean } | undefined> => {
  const now = clock.now();
  const since = sinceOf(succeededAt(before, now), now);
  if (asked === undefined) {
    const told = await offered(() => venue.closedOrders([], since));
    rejected.push(...(told?.rejected ?? []));
    return told === undefined ? undefined : { orders: sound(account, told.items, clock.now()), isPart: false };
  }
  // Those first in which an order may have ended; then in no fixed order, so that none always comes too late.
  const first = new Set(open.map(({ symbol }) => symbol));
  const others = [...asked.keys()].filter((symbol) => !first.has(symbol));
  const symbols = [...first, ...shuffled(others, random)];
  const told: VenueOrder[] = [];
  let isOffered = symbols.length === 0;
  let isPart = false;
  for (const symbol of symbols) {
    isPart = !first.has(symbol) && !hasTime();
    if (isPart) break;
    const answer = await offered(() => venue.closedOrders([symbol], asked.get(symbol) ?? since));
    isOffered ||= answer !== undefined;
    told.push(...(answer?.items ?? []));
    rejected.push(...(answer?.rejected ?? []));
  }
  return isOffered ? { orders: sound(account, told, clock.now()), isPart } : undefined;
};

/** How orders ended that are not open any more and were not told with those that ended lately, as far as the venue tells. */
const restingOrders = async (
  { clock }: Ports,
  { account }: StepContext,
  venue: AccountVenue,
  missed: readonly StoredOrder[],
): Promise<AccountOrder[]> => {
  if (missed.length === 0) return [];
  const now = clock.now();
  const told: VenueOrder[] = [];
  for (const symbol of venue.needsSymbols ? new Set(missed.map((order) => order.symbol)) : [undefined]) {
    const placed = missed.filter((order) => symbol === undefined || order.symbol === symbol);
    const oldest = Math.min(...placed.map(({ createdAt }) => createdAt));
    const since = Math.max(oldest, now - restingDaysMax * dayMs);
    const named = symbol === undefined ? [] : [symbol];
    told.push(...((await offered(() => venue.closedOrders(named, since)))?.items ?? []));
  }
  const names = new Set(missed.map(orderName));
  return sound(account, told, now).filter((order) => names.has(orderName(order)));
};

/** @returns undefined where the venue has nothing like it */
const offered = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof VenueError && error.failure === 'not-supported') return undefined;
    throw error;
  }
};

const sound = (account: StoredAccount, told: readonly VenueOrder[], fetchedAt: number): AccountOrder[] => {
  const orders = told.map((order): AccountOrder => ({ ...order, fetchedAt, source: account.mode }));
  return [...soundRecords(account.venue, AccountOrder, orders, orderName)];
};

const hasEnded = ({ status }: AccountOrder): boolean => status !== 'open' && status !== 'unknown';

const storedOrder = ({ userId, accountId }: StoredAccount, order: AccountOrder): StoredOrder => ({
  ...order,
  ...orderKey(userId, accountId, order.symbol, order.orderId),
  ...orderPlaces(userId, accountId, order),
  ...{ kind: 'order', userId, accountId },
});
