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
/** Furthest that is looked back to find how a long-open order ended: some venues filter by when it was placed. */
const restingDaysMax = 90;
/** How far before the last success it begins: longer than the interval at which a market is read, and venues may be late. */
const overlapMinutes = 30;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/**
 * Keeps the orders of an account: the open ones, and how those that were open ended. An order that is no longer among the
 * open ones has the state that the venue's recent orders report, and `unknown` while they do not report it.
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
    const sinceBySymbol = symbols === undefined ? undefined : symbolsToRead(symbols, context.before, ports.clock.now());
    const rejected: RejectedRow[] = [];
    const open = await openOrders(ports, context, venue, sinceBySymbol, stored, rejected);
    // An order whose row can't be read has not vanished.
    const unreadable = new Set(rejected.map(({ id }) => id));
    const isGone = (order: StoredOrder, found: ReadonlyMap<string, AccountOrder>): boolean =>
      order.status === 'open' &&
      !found.has(orderName(order)) &&
      !(unreadable.has(null) || unreadable.has(order.orderId));
    const ended = await endedOrders(ports, context, venue, sinceBySymbol, [...stored, ...(open ?? [])], rejected);
    if (open === undefined && ended === undefined) {
      throw new VenueError(account.venue, 'not-supported', `${account.venue} does not report orders`);
    }
    // An order that ended between the two answers is in both: the second one counts.
    const reported = new Map([...(open ?? []), ...(ended?.orders ?? [])].map((order) => [orderName(order), order]));
    const missed = open === undefined ? [] : stored.filter((order) => isGone(order, reported));
    for (const order of await restingOrders(ports, context, venue, missed)) reported.set(orderName(order), order);
    const known = await knownOrders(ports, account, [...reported.values(), ...stored]);
    const changed = [...reported.values()].flatMap((order) => {
      const item = storedOrder(account, order);
      const before = known.get(orderName(order));
      // What ended does not open again; a venue may answer from a copy that lags.
      const isPast = order.status === 'open' && before !== undefined && hasEnded(before);
      return isPast || (before !== undefined && isSameRecord(before, item)) ? [] : [item];
    });
    const vanished = open === undefined ? [] : [...known.values()].filter((order) => isGone(order, reported));
    const fetchedAt = ports.clock.now();
    const unknown = vanished.map((order) => storedOrder(account, { ...order, status: 'unknown', fetchedAt }));
    const puts = [...changed, ...unknown];
    await write(puts.map((put) => ({ put })));
    for (const { symbol } of [...puts, ...(open ?? [])]) touched.add(symbol);
    if (symbols !== undefined) await write(symbols.remember([...reported.values()].map(({ symbol }) => symbol)));
    return { items: reported.size, isPart: ended?.isPart ?? false, rejected };
  },
});

/** The orders that are open here, from the index. */
const storedOpen = async ({ table }: Ports, { userId, accountId }: StoredAccount): Promise<StoredOrder[]> =>
  await listed<StoredOrder>(table, ordersIndex(userId, accountId, 'open'));

/** These orders as they are stored: the index may lag. */
const knownOrders = async ({ table }: Ports, { userId, accountId }: StoredAccount, orders: readonly AccountOrder[]) => {
  const named = new Map(orders.map((order) => [orderName(order), order]));
  const keys = [...named.values()].map(({ symbol, orderId }) => orderKey(userId, accountId, symbol, orderId));
  const known = await table.getMany<StoredOrder>(keys, { consistent: true });
  return new Map(known.map((order) => [orderName(order), order]));
};

/** The markets to read now, each with the time since which its orders may be new, epoch ms. */
const symbolsToRead = (symbols: TradedSymbols, before: StepState, now: number): ReadonlyMap<string, number> => {
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

/** @returns undefined where the venue does not report open orders */
const openOrders = async (
  { clock }: Ports,
  { account }: StepContext,
  venue: AccountVenue,
  sinceBySymbol: ReadonlyMap<string, number> | undefined,
  stored: readonly StoredOrder[],
  rejected: RejectedRow[],
): Promise<AccountOrder[] | undefined> => {
  const named =
    sinceBySymbol === undefined ? [] : [...new Set([...sinceBySymbol.keys(), ...stored.map(({ symbol }) => symbol)])];
  const all = await offered(() => venue.openOrders(named));
  rejected.push(...(all?.rejected ?? []));
  let reported = all?.items;
  if (reported === undefined) {
    // A market that the venue closed makes it refuse the request for all.
    for (const symbol of named) {
      const answer = await offered(() => venue.openOrders([symbol]));
      rejected.push(...(answer?.rejected ?? []));
      if (answer !== undefined) reported = [...(reported ?? []), ...answer.items];
    }
  }
  // It is listed as open, whatever status the venue gives it.
  return reported === undefined
    ? undefined
    : sound(account, reported, clock.now()).map((order) =>
        order.status === 'unknown' ? { ...order, status: 'open' } : order,
      );
};

/** @returns undefined where the venue does not report ended orders; `isPart`: there was no time for all markets */
const endedOrders = async (
  { clock, random }: Ports,
  { account, before, hasTime }: StepContext,
  venue: AccountVenue,
  sinceBySymbol: ReadonlyMap<string, number> | undefined,
  open: readonly AccountOrder[],
  rejected: RejectedRow[],
): Promise<{ readonly orders: AccountOrder[]; readonly isPart: boolean } | undefined> => {
  const now = clock.now();
  const since = sinceOf(succeededAt(before, now), now);
  if (sinceBySymbol === undefined) {
    const reported = await offered(() => venue.closedOrders([], since));
    rejected.push(...(reported?.rejected ?? []));
    return reported === undefined ? undefined : { orders: sound(account, reported.items, clock.now()), isPart: false };
  }
  // First those in which an order may have ended; then the others at random, so that none is always left out.
  const first = new Set(open.map(({ symbol }) => symbol));
  const others = [...sinceBySymbol.keys()].filter((symbol) => !first.has(symbol));
  const symbols = [...first, ...shuffled(others, random)];
  const reported: VenueOrder[] = [];
  let isOffered = symbols.length === 0;
  let isPart = false;
  for (const symbol of symbols) {
    isPart = !first.has(symbol) && !hasTime();
    if (isPart) break;
    const answer = await offered(() => venue.closedOrders([symbol], sinceBySymbol.get(symbol) ?? since));
    isOffered ||= answer !== undefined;
    reported.push(...(answer?.items ?? []));
    rejected.push(...(answer?.rejected ?? []));
  }
  return isOffered ? { orders: sound(account, reported, clock.now()), isPart } : undefined;
};

/** How orders ended that are no longer open and are not among the recently ended ones, as far as the venue reports it. */
const restingOrders = async (
  { clock }: Ports,
  { account }: StepContext,
  venue: AccountVenue,
  missed: readonly StoredOrder[],
): Promise<AccountOrder[]> => {
  if (missed.length === 0) return [];
  const now = clock.now();
  const reported: VenueOrder[] = [];
  for (const symbol of venue.needsSymbols ? new Set(missed.map((order) => order.symbol)) : [undefined]) {
    const placed = missed.filter((order) => symbol === undefined || order.symbol === symbol);
    const oldest = Math.min(...placed.map(({ createdAt }) => createdAt));
    const since = Math.max(oldest, now - restingDaysMax * dayMs);
    const named = symbol === undefined ? [] : [symbol];
    reported.push(...((await offered(() => venue.closedOrders(named, since)))?.items ?? []));
  }
  const names = new Set(missed.map(orderName));
  return sound(account, reported, now).filter((order) => names.has(orderName(order)));
};

/** @returns undefined where the venue does not support it */
const offered = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof VenueError && error.failure === 'not-supported') return undefined;
    throw error;
  }
};

const sound = (account: StoredAccount, reported: readonly VenueOrder[], fetchedAt: number): AccountOrder[] => {
  const orders = reported.map((order): AccountOrder => ({ ...order, fetchedAt, source: account.mode }));
  return [...soundRecords(account.venue, AccountOrder, orders, orderName)];
};

const hasEnded = ({ status }: AccountOrder): boolean => status !== 'open' && status !== 'unknown';

const storedOrder = ({ userId, accountId }: StoredAccount, order: AccountOrder): StoredOrder => ({
  ...order,
  ...orderKey(userId, accountId, order.symbol, order.orderId),
  ...orderPlaces(userId, accountId, order),
  ...{ kind: 'order', userId, accountId },
});
