import { isDeepStrictEqual } from 'node:util';
import { AccountTrade, listed, soundRecords, VenueSymbol } from '#shared/accounts/records';
import {
  cursorKey,
  recordsOf,
  type StoredAccount,
  type StoredCursor,
  type StoredTrade,
  tradeKey,
  tradePlaces,
} from '#shared/accounts/stored';
import type { AccountVenue, OwnTrade, VenuePage } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import type { Platform } from '#shared/platform/ports';
import {
  incompleteAfter,
  incompleteAfterReread,
  isIncomplete,
  isMended,
  isRenamed,
  rejectedAfter,
  tradesUnderNames,
} from './incomplete-trades.ts';
import { type StepContext, type SyncStep, succeededAt } from './steps.ts';
import { isSweep, readSymbols, shuffled, type TradedSymbols } from './traded-symbols.ts';

/** How often a cursor that advanced without a trade is stored: that only saves reading the same time again. */
const idleCursorHours = 24;

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/** How far the trades of a list are read: of one symbol, or of all; where symbols are needed, `null` is the list of these. */
interface Reading {
  readonly symbol: string | null;
  readonly from: StoredCursor | undefined;
}

/** A list that is read page by page. */
interface List<T> {
  fetch(cursor: string | null): Promise<VenuePage<T>>;
  /** @param last as the list is stored so far */
  store(items: readonly T[], last: StoredCursor | undefined): Promise<void>;
  /** What is stored of a page with the cursor. */
  notes?(page: VenuePage<T>, last: StoredCursor | undefined): Pick<StoredCursor, 'rejected' | 'incomplete'>;
}

/**
 * Reads the user's trades of an account from where it stopped, page by page: first the trades are stored, then
 * the cursor. So an interrupted page is read again, and no trade is stored twice or left out.
 */
export const tradesStep = (ports: Ports): SyncStep => ({
  name: 'trades',
  run: async (context) => {
    const venue = await context.venue();
    const { account, before, touched } = context;
    const now = ports.clock.now();
    const cursors = await storedCursors(ports, account);
    const isAll = isSweep(succeededAt(before, now), now);
    const names = { symbol: null, from: cursors.get(null) };
    let { isPart } = await readNames(ports, context, venue, names, isAll);
    const symbols = venue.needsSymbols ? await readSymbols(ports.table, account, touched, now) : undefined;
    const readings = symbols === undefined ? [null] : wanted(symbols, cursors, isAll);
    const found: string[] = [];
    let items = 0;
    // In random order, so that none is always left out.
    for (const symbol of shuffled(readings, ports.random)) {
      // The first one is always read: even a slow venue makes progress.
      if (found.length > 0 && !context.hasTime()) {
        isPart = true;
        break;
      }
      const trades = tradesOf(ports, context, venue, symbol);
      const from = await reread(ports, context, { symbol, from: cursors.get(symbol) }, trades);
      if (from.isPart) {
        isPart = true;
        break;
      }
      const read = await readOn(ports, context, { symbol, from: from.cursor }, trades);
      if (read === undefined) continue;
      items += read.items;
      isPart ||= read.isPart;
      cursors.set(symbol, read.cursor);
      if (symbol !== null) found.push(symbol);
    }
    if (symbols !== undefined) await context.write(symbols.remember(found));
    const rejected = [...cursors.values()].flatMap((cursor) =>
      Object.entries(cursor.rejected ?? {}).map(([id, reason]) => ({ id, reason })),
    );
    return { items, isPart, rejected };
  },
});

const tradesOf = (
  ports: Ports,
  context: StepContext,
  venue: AccountVenue,
  symbol: string | null,
): Required<List<OwnTrade>> => ({
  fetch: (cursor) => venue.trades(symbol, cursor),
  store: (trades, last) => store(ports, context, trades, last?.incomplete?.names ?? []),
  notes: ({ items, rejected }, last) => {
    const ids = items.map(({ tradeId }) => tradeId);
    const unreadable = rejectedAfter(last?.rejected, rejected, ids);
    const incomplete = incompleteAfter(last?.incomplete, last?.cursor ?? null, items, ports.clock.now());
    return {
      ...(unreadable === undefined ? {} : { rejected: unreadable }),
      ...(incomplete === undefined ? {} : { incomplete }),
    };
  },
});

/**
 * Reads trades again that lack their market or the currency of a fee, once it is time: the venue may know more by now.
 * @returns how far the list is read since
 */
const reread = async (
  { clock }: Pick<Ports, 'clock'>,
  context: StepContext,
  { from: cursor }: Reading,
  list: List<OwnTrade>,
): Promise<{ readonly cursor: StoredCursor | undefined; readonly isPart: boolean }> => {
  const incomplete = cursor?.incomplete;
  if (cursor === undefined || incomplete === undefined || !cursor.isComplete || incomplete.retryAt > clock.now()) {
    return { cursor, isPart: false };
  }
  let isLeft = incomplete.resumeFrom !== undefined;
  for (let from = incomplete.resumeFrom ?? incomplete.from; ; ) {
    const page = await list.fetch(from);
    await list.store(page.items, cursor);
    isLeft ||= page.items.some(isIncomplete);
    if (!page.more || page.cursor === from) break;
    from = page.cursor;
    if (context.hasTime()) continue;
    const stopped: StoredCursor = { ...cursor, incomplete: { ...incomplete, resumeFrom: from } };
    await context.write([{ put: stopped }]);
    return { cursor: stopped, isPart: true };
  }
  const { incomplete: _incomplete, ...rest } = cursor;
  const { resumeFrom: _resumeFrom, ...done } = incomplete;
  const left = incompleteAfterReread(done, isLeft, clock.now());
  const next: StoredCursor = { ...rest, kind: 'trade-cursor', ...(left === undefined ? {} : { incomplete: left }) };
  await context.write([{ put: next }]);
  return { cursor: next, isPart: false };
};

const storedCursors = async ({ table }: Ports, { userId, accountId }: StoredAccount) => {
  const cursors = new Map<string | null, StoredCursor>();
  const query = { ...recordsOf('trade-cursor', userId, accountId), consistent: true };
  for (const cursor of await listed<StoredCursor>(table, query)) cursors.set(cursor.symbol, cursor);
  return cursors;
};

/** The markets that are read now: active ones, those read in part, and periodically all. */
const wanted = (symbols: TradedSymbols, cursors: ReadonlyMap<string | null, StoredCursor>, isAll: boolean) =>
  symbols.candidates.filter((symbol) => isAll || cursors.get(symbol)?.isComplete === false || symbols.isActive(symbol));

/** Stores the markets that the venue itself lists as traded, where it requires symbols. */
const readNames = async (
  ports: Ports,
  context: StepContext,
  venue: AccountVenue,
  reading: Reading,
  isAll: boolean,
): Promise<{ readonly isPart: boolean }> => {
  if (venue.tradedSymbols === undefined || !(isAll || reading.from?.isComplete === false)) return { isPart: false };
  const { account, touched } = context;
  const read = await readOn<string>(ports, context, reading, {
    fetch: venue.tradedSymbols.bind(venue),
    store: async (listedNames) => {
      const names = soundRecords(account.venue, VenueSymbol, listedNames, (name) => name);
      if (names.length === 0) return;
      const symbols = await readSymbols(ports.table, account, touched, ports.clock.now());
      await context.write(symbols.remember(names));
    },
  });
  return { isPart: read?.isPart ?? false };
};

interface Read {
  readonly items: number;
  readonly isPart: boolean;
  readonly cursor: StoredCursor;
}

/** @returns undefined where there is no such market */
const readOn = async <T>(
  { clock }: Pick<Ports, 'clock'>,
  context: StepContext,
  { symbol, from }: Reading,
  list: List<T>,
): Promise<Read | undefined> => {
  const { userId, accountId, venue } = context.account;
  let last = from;
  let items = 0;
  for (;;) {
    const page = await list.fetch(last?.cursor ?? null).catch((error: unknown) => {
      const isMissing = symbol !== null && error instanceof VenueError && error.failure === 'not-supported';
      if (isMissing) return undefined;
      throw error;
    });
    if (page === undefined) return undefined;
    items += page.items.length;
    await list.store(page.items, last);
    const next: StoredCursor = {
      ...cursorKey(userId, accountId, symbol),
      ...{ kind: 'trade-cursor', userId, accountId },
      ...{ symbol, cursor: page.cursor, isComplete: !page.more, storedAt: clock.now() },
      ...list.notes?.(page, last),
    };
    if (isToStore(last, next, page.items.length)) await context.write([{ put: next }]);
    if (!page.more) return { items, isPart: false, cursor: next };
    if (last?.cursor === next.cursor) {
      throw new VenueError(venue, 'retryable', `${venue} reports that there is more, but not what`);
    }
    if (!context.hasTime()) return { items, isPart: true, cursor: next };
    last = next;
  }
};

const isToStore = (last: StoredCursor | undefined, next: StoredCursor, items: number): boolean => {
  if (last === undefined || last.isComplete !== next.isComplete) return true;
  if (!isDeepStrictEqual([last.rejected, last.incomplete], [next.rejected, next.incomplete])) return true;
  if (last.cursor === next.cursor) return false;
  return items > 0 || !next.isComplete || last.storedAt + idleCursorHours * 3_600_000 <= next.storedAt;
};

/**
 * Stores new trades, and completes stored ones.
 * @param names the venue's own names of markets under which trades of this list are stored
 */
const store = async (
  { table, clock }: Ports,
  { account, write }: StepContext,
  read: readonly OwnTrade[],
  names: readonly string[],
) => {
  const { userId, accountId, venue, mode } = account;
  const origin = { fetchedAt: clock.now(), source: mode };
  const natives = read.map((trade): AccountTrade => ({ ...trade, fees: [...trade.fees], ...origin }));
  const trades = soundRecords(venue, AccountTrade, natives, ({ symbol, tradeId }) => `${symbol} ${tradeId}`);
  const items = trades.map(
    (trade): StoredTrade => ({
      ...tradeKey(userId, accountId, trade.symbol, trade.tradeId),
      ...tradePlaces(userId, accountId, trade),
      ...{ kind: 'trade', userId, accountId },
      ...trade,
    }),
  );
  const known = await table.getMany<StoredTrade>(items, { consistent: true });
  const stored = new Map(known.map((trade) => [trade.sk, trade]));
  const puts = items.filter((item) => {
    const before = stored.get(item.sk);
    return before === undefined || isMended(before, item);
  });
  const underNames =
    items.length === 0 || names.length === 0 ? undefined : await tradesUnderNames(table, account, names);
  const renamed = items.flatMap((item) => {
    const before = underNames?.get(item.tradeId);
    return before !== undefined && isRenamed(before, item) ? [{ delete: { pk: before.pk, sk: before.sk } }] : [];
  });
  await write([...puts.map((put) => ({ put })), ...renamed]);
};
