import type { Exchange, Trade } from 'ccxt';
import type { OwnTrade, RejectedRow, VenueList, VenuePage } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { toTrade } from './account-mapping.ts';
import type { AccountRules } from './account-rules.ts';
import { garbled } from './answers.ts';
import type { OffsetRead } from './offsets.ts';
import { isOffsetCursor, readOffsets } from './offsets.ts';
import { optionalList } from './optional-list.ts';
import { readPages } from './pages.ts';
import { concatenated, readRows } from './rows.ts';
import { isContract, namedMarket } from './unlisted.ts';
import type { WindowLimits } from './windows.ts';
import { isNarrowest, placeText, readOn, readPlace, settlingMs } from './windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Entries of a page where ccxt does not say. */
const pageEntriesDefault = 50;

/**
 * The user's trades from a cursor on. Its form: an id where trades are listed by id, else how far time was read and the width
 * of the next window, `<epoch ms>/<ms>`; that of {@link readOffsets} where the venue lists by offset.
 */
export const readTrades = (
  exchange: Exchange,
  rules: AccountRules,
  symbol: string | undefined,
  cursor: string | null,
  now: number,
): Promise<VenuePage<OwnTrade>> =>
  rules.tradesById !== undefined
    ? readById(exchange, rules, rules.tradesById, symbol, cursor)
    : rules.tradesByOffset !== undefined
      ? readByOffset(exchange, rules, rules.tradesByOffset(exchange), symbol, cursor, now)
      : rules.trades !== undefined || tradeFeatures(exchange).untilDays !== undefined
        ? readByTime(exchange, rules, symbol, cursor, now)
        : readOnward(exchange, rules, symbol, cursor, now);

const readById = async (
  exchange: Exchange,
  rules: AccountRules,
  { parameter, pageEntries }: NonNullable<AccountRules['tradesById']>,
  symbol: string | undefined,
  cursor: string | null,
): Promise<VenuePage<OwnTrade>> => {
  const from = cursor === null ? 0n : BigInt(wellFormed(exchange, cursor, /^\d{1,30}$/));
  const natives = await exchange.fetchMyTrades(symbol, undefined, pageEntries, { [parameter]: String(from) });
  const { items, rejected } = toTrades(exchange, rules, natives);
  const next = natives.reduce((least, { id }) => idAfter(id, least), from);
  // A page without a readable id would be read again and again.
  if (natives.length >= pageEntries && next === from) throw garbled(exchange.id);
  return {
    ...{ items: items.toSorted((a, b) => a.at - b.at), rejected },
    ...{ cursor: String(next), more: natives.length >= pageEntries },
  };
};

const readByOffset = async (
  exchange: Exchange,
  rules: AccountRules,
  pages: OffsetRead<Trade>,
  symbol: string | undefined,
  cursor: string | null,
  now: number,
): Promise<VenuePage<OwnTrade>> => {
  if (cursor !== null && !isOffsetCursor(cursor)) throw noWay(exchange);
  const answer = await readOffsets(pages, cursor, now);
  if (answer === undefined) throw garbled(exchange.id);
  const { items, rejected } = toTrades(exchange, rules, answer.entries);
  const wanted = items.filter((trade) => symbol === undefined || trade.symbol === symbol);
  const { cursor: next, more } = answer;
  return { items: wanted.sort((a, b) => a.at - b.at), rejected, cursor: next, more };
};

const readByTime = async (
  exchange: Exchange,
  rules: AccountRules,
  symbol: string | undefined,
  cursor: string | null,
  now: number,
): Promise<VenuePage<OwnTrade>> => {
  const limits = rules.trades ?? limitsOf(exchange);
  const last = cursor === null ? { from: 0, widthMs: limits.windowMs } : readPlace(exchange.id, cursor);
  let rejected: readonly RejectedRow[] = [];
  const { entries, next, more } = await readOn(last, limits, now, async (window) => {
    const lists: VenueList<OwnTrade>[] = [];
    let filled = 0;
    for (const [index, parameters] of tradeTypes(rules, symbol).entries()) {
      const page = (further: object) =>
        exchange.fetchMyTrades(symbol, window.from, limits.pageEntries, {
          ...{ ...parameters, until: window.to },
          ...further,
        });
      // One order may be filled by more others at the same moment than a page has.
      const found = await optionalList(index > 0 && rules.contracts === undefined, () =>
        rules.isPagedByCursor || isNarrowest(window) ? readPages(exchange, page) : page({}),
      );
      if (found === undefined) continue;
      lists.push(toTrades(exchange, rules, found, parameters));
      filled = Math.max(filled, found.length / limits.pageEntries);
      // This window will be read again, in parts.
      if (filled >= 1 && !isNarrowest(window)) break;
    }
    const read = concatenated(lists);
    rejected = [...rejected, ...read.rejected];
    return { entries: read.items, filled };
  });
  // The same trade may be in two lists of a venue.
  const items = [...new Map(entries.map((trade) => [`${trade.symbol} ${trade.tradeId}`, trade])).values()];
  return { items, rejected: distinct(rejected), cursor: placeText(next), more };
};

/** Where a venue's list has no end parameter: it is taken to begin at the start that it is given. */
const readOnward = async (
  exchange: Exchange,
  rules: AccountRules,
  symbol: string | undefined,
  cursor: string | null,
  now: number,
): Promise<VenuePage<OwnTrade>> => {
  const from = cursor === null ? Math.max(now - limitsOf(exchange).reachMs, 0) : readPlace(exchange.id, cursor).from;
  const lists: VenueList<OwnTrade>[] = [];
  for (const parameters of tradeTypes(rules, symbol)) {
    lists.push(toTrades(exchange, rules, await exchange.fetchMyTrades(symbol, from, undefined, { ...parameters })));
  }
  const read = concatenated(lists);
  const items = read.items.toSorted((a, b) => a.at - b.at);
  const next = Math.max(from, Math.min(items.at(-1)?.at ?? from, now - settlingMs));
  const more = next > from && items.length > 0;
  return { items, rejected: read.rejected, cursor: placeText({ from: next, widthMs: 1 }), more };
};

const toTrades = (
  exchange: Exchange,
  { isTrade, isFeeInQuote }: AccountRules,
  natives: readonly Trade[],
  parameters: Readonly<Record<string, unknown>> = {},
): VenueList<OwnTrade> =>
  readRows(
    'trades',
    natives.filter((native) => isTrade?.(native) ?? true),
    ({ id }) => id,
    (native) => {
      const trade = toTrade(native);
      const { symbol, quote } = namedMarket(exchange, trade.symbol, isContract(parameters));
      const asset = (isFeeInQuote && quote) || null;
      return { ...trade, symbol, fees: trade.fees.map((fee) => (fee.asset === null ? { ...fee, asset } : fee)) };
    },
  );

/** A window that is read again in parts reports its rows again. */
const distinct = (rows: readonly RejectedRow[]): RejectedRow[] => [
  ...new Map(rows.map((row, index) => [row.id ?? index, row])).values(),
];

const idAfter = (id: unknown, next: bigint): bigint =>
  typeof id === 'string' && /^\d{1,30}$/.test(id) && BigInt(id) >= next ? BigInt(id) + 1n : next;

/** ccxt's parameters of each list of trades. Trades of contracts of all settlement currencies are in one list. */
const tradeTypes = (
  { contracts, tradeParameters = [{}] }: AccountRules,
  symbol: string | undefined,
): Readonly<Record<string, unknown>>[] => {
  if (symbol !== undefined) return [...tradeParameters];
  const ofContracts = contracts?.map(({ settleCoin: _settleCoin, ...parameters }) => parameters);
  const types = ofContracts === undefined ? [{}] : [{ type: 'spot' }, ...ofContracts];
  const all = types.flatMap((type) => tradeParameters.map((parameters) => ({ ...type, ...parameters })));
  return [...new Map(all.map((parameters) => [JSON.stringify(parameters), parameters])).values()];
};

const wellFormed = (exchange: Exchange, cursor: string, form: RegExp): string => {
  if (form.test(cursor)) return cursor;
  throw noWay(exchange);
};

const noWay = (exchange: Exchange): VenueError =>
  new VenueError(exchange.id, 'unknown', `Where to go on with the trades of ${exchange.id} is not known`);

const tradeFeatures = (
  exchange: Exchange,
): { readonly limit?: unknown; readonly daysBack?: unknown; readonly untilDays?: unknown } =>
  exchange.features?.spot?.fetchMyTrades ?? {};

/** What ccxt knows about a venue's list of the user's trades. */
const limitsOf = (exchange: Exchange): WindowLimits => {
  const { limit, daysBack, untilDays } = tradeFeatures(exchange);
  const days = (value: unknown, otherwise: number) =>
    (typeof value === 'number' && value > 0 ? value : otherwise) * dayMs;
  const reachMs = days(daysBack, 10 * 365);
  return {
    reachMs,
    windowMs: Math.min(days(untilDays, 10 * 365), reachMs),
    pageEntries: typeof limit === 'number' && limit > 0 ? limit : pageEntriesDefault,
  };
};
