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
import { type StepContext, type SyncStep, succeededAt } from './steps.ts';
import { isSweep, readSymbols, shuffled, type TradedSymbols } from './traded-symbols.ts';

/** A cursor that moved on without a trade is stored once in so long: it only saves asking for the same time again. */
const idleCursorHours = 24;

type Ports = Pick<Platform, 'table' | 'clock' | 'random'>;

/** Where the trades of a list stand: of one symbol, or of all; where symbols are needed, `null` is the list of these. */
interface Reading {
  readonly symbol: string | null;
  readonly from: StoredCursor | undefined;
}

/** A list that is read bit by bit. */
interface List<T> {
  ask(cursor: string | null): Promise<VenuePage<T>>;
  keep(items: readonly T[]): Promise<void>;
}

/**
 * Reads the own trades of an account from where it stopped, stretch by stretch: first the trades are stored, then how
 * far was read. So a stretch that was cut short is read again, and no trade is stored twice or left out.
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
    // In no fixed order, so that none always comes too late.
    for (const symbol of shuffled(readings, ports.random)) {
      // The first one is always read on: a venue that takes long still gets somewhere.
      if (found.length > 0 && !context.hasTime()) {
        isPart = true;
        break;
      }
      const trades: List<OwnTrade> = {
        ask: (cursor) => venue.trades(symbol, cursor),
        keep: (told) => store(ports, context, told),
      };
      const read = await readOn(ports, context, { symbol, from: cursors.get(symbol) }, trades);
      if (read === undefined) continue;
      items += read.items;
      isPart ||= read.isPart;
      if (symbol !== null) found.push(symbol);
    }
    if (symbols !== undefined) await context.write(symbols.remember(found));
    return { items, isPart };
  },
});

const storedCursors = async ({ table }: Ports, { userId, accountId }: StoredAccount) => {
  const cursors = new Map<string | null, StoredCursor>();
  const query = { ...recordsOf('trade-cursor', userId, accountId), consistent: true };
  for (const cursor of await listed<StoredCursor>(table, query)) cursors.set(cursor.symbol, cursor);
  return cursors;
};

/** The markets that are read now: those where something happens, those not read to their end, and now and then all. */
const wanted = (symbols: TradedSymbols, cursors: ReadonlyMap<string | null, StoredCursor>, isAll: boolean) =>
  symbols.candidates.filter((symbol) => isAll || cursors.get(symbol)?.isComplete === false || symbols.isActive(symbol));

/** Remembers the markets of which the venue itself tells that they were traded, where it needs them named. */
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
    ask: venue.tradedSymbols.bind(venue),
    keep: async (told) => {
      const names = soundRecords(account.venue, VenueSymbol, told, (name) => name);
      if (names.length === 0) return;
      const symbols = await readSymbols(ports.table, account, touched, ports.clock.now());
      await context.write(symbols.remember(names));
    },
  });
  return { isPart: read?.isPart ?? false };
};

/** @returns undefined where there is no such market */
const readOn = async <T>(
  { clock }: Pick<Ports, 'clock'>,
  context: StepContext,
  { symbol, from }: Reading,
  { ask, keep }: List<T>,
): Promise<{ readonly items: number; readonly isPart: boolean } | undefined> => {
  const { userId, accountId, venue } = context.account;
  let last = from;
  let items = 0;
  for (;;) {
    const stretch = await ask(last?.cursor ?? null).catch((error: unknown) => {
      const isMissing = symbol !== null && error instanceof VenueError && error.failure === 'not-supported';
      if (isMissing) return undefined;
      throw error;
    });
    if (stretch === undefined) return undefined;
    const told = stretch.items;
    items += told.length;
    await keep(told);
    const next: StoredCursor = {
      ...cursorKey(userId, accountId, symbol),
      ...{ kind: 'trade-cursor', userId, accountId },
      ...{ symbol, cursor: stretch.cursor, isComplete: !stretch.more, storedAt: clock.now() },
    };
    if (isToStore(last, next, told.length)) await context.write([{ put: next }]);
    if (!stretch.more) return { items, isPart: false };
    if (last?.cursor === next.cursor) {
      throw new VenueError(venue, 'retryable', `${venue} tells that there is more, but not what`);
    }
    if (!context.hasTime()) return { items, isPart: true };
    last = next;
  }
};

const isToStore = (last: StoredCursor | undefined, next: StoredCursor, items: number): boolean => {
  if (last === undefined || last.isComplete !== next.isComplete) return true;
  if (last.cursor === next.cursor) return false;
  return items > 0 || !next.isComplete || last.storedAt + idleCursorHours * 3_600_000 <= next.storedAt;
};

/** Stores those trades that are not. */
const store = async ({ table, clock }: Ports, { account, write }: StepContext, told: readonly OwnTrade[]) => {
  const { userId, accountId, venue, mode } = account;
  const origin = { fetchedAt: clock.now(), source: mode };
  const natives = told.map((trade): AccountTrade => ({ ...trade, fees: [...trade.fees], ...origin }));
  const trades = soundRecords(venue, AccountTrade, natives, ({ symbol, tradeId }) => `${symbol} ${tradeId}`);
  const items = trades.map(
    (trade): StoredTrade => ({
      ...tradeKey(userId, accountId, trade.symbol, trade.tradeId),
      ...tradePlaces(userId, accountId, trade),
      ...{ kind: 'trade', userId, accountId },
      ...trade,
    }),
  );
  const stored = new Set((await table.getMany<StoredTrade>(items, { consistent: true })).map(({ sk }) => sk));
  await write(items.filter(({ sk }) => !stored.has(sk)).map((put) => ({ put })));
};
