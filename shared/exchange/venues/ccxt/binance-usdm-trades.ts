import type { Exchange } from 'ccxt';
import type { OwnTrade, RejectedRow, VenuePage } from '#shared/exchange/account-venue';
import { MalformedField, toTrade } from './account-mapping.ts';
import { at, garbled, listAt } from './answers.ts';
import { askUsdm, contractId, contractSymbol, isUnseen } from './binance-usdm.ts';
import { emptyList, readRows } from './rows.ts';
import { isNarrowest, type Place, placeText, readOn, readPlace, settlingMs, type WindowLimits } from './windows.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Trades of the last six months are listed, of at most a week at once. */
const tradeLimits: WindowLimits = { windowMs: 7 * dayMs - 1, pageEntries: 1000, reachMs: 180 * dayMs };
/** Changes of the contract wallet are listed for three months. A window has no documented maximum; this is conservative. */
const incomeLimits: WindowLimits = { windowMs: 7 * dayMs - 1, pageEntries: 1000, reachMs: 89 * dayMs };
/**
 * How far back trades are read by their ids: then no trade can be missed because of its time. It is not documented whether Binance,
 * without a time, goes back further than a week.
 */
const byIdMs = 6 * dayMs;

/** How far the trades of a contract were read; the id after the last one, where there was one. */
interface Position {
  readonly place: Place;
  readonly nextId: bigint | undefined;
}

/** The user's trades of a contract from a cursor on: how far time was read, the width of the next window, and the next id, `<ms>/<ms>/<id>`. */
export const readUsdmTrades = async (
  exchange: Exchange,
  symbol: string,
  cursor: string | null,
  now: number,
): Promise<VenuePage<OwnTrade>> => {
  const { place, nextId } = positionOf(exchange, cursor);
  const rejected: RejectedRow[] = [];
  const page = async (parameters: Readonly<Record<string, unknown>>): Promise<OwnTrade[]> => {
    const which = { symbol: contractId(symbol), limit: tradeLimits.pageEntries, ...parameters };
    const rows = listAt(await askUsdm(exchange, 'userTrades', which));
    const read = readRows(
      'trades',
      rows,
      (row) => at(row, 'id'),
      (row) => toUsdmTrade(exchange, row),
    );
    rejected.push(...read.rejected);
    return [...read.items];
  };
  const pageOf = (trades: readonly OwnTrade[], from: number, widthMs: number, more: boolean): VenuePage<OwnTrade> => {
    const items = trades.toSorted((a, b) => a.at - b.at);
    const id = idAfter(trades, nextId);
    return { items, rejected, cursor: placeText({ from, widthMs }) + (id === undefined ? '' : `/${id}`), more };
  };

  if (nextId !== undefined && now - place.from < byIdMs) {
    const trades = await page({ fromId: String(nextId) });
    if (isUnseen(exchange)) return nothing(cursor);
    const more = trades.length >= tradeLimits.pageEntries;
    const readTo = more ? Math.max(...trades.map((trade) => trade.at)) : now - settlingMs;
    return pageOf(trades, Math.max(place.from, Math.min(readTo, now)), tradeLimits.windowMs, more);
  }
  const { entries, next, more } = await readOn(place, tradeLimits, now, async (window) => {
    const trades = await page({ startTime: window.from, endTime: window.to });
    // More than a page may have the same time.
    let last = trades;
    while (isNarrowest(window) && last.length >= tradeLimits.pageEntries) {
      last = await page({ fromId: String(idAfter(trades, undefined)) });
      trades.push(...last.filter((trade) => trade.at <= window.to));
      if (last.some((trade) => trade.at > window.to)) break;
    }
    return { entries: trades, filled: trades.length / tradeLimits.pageEntries };
  });
  if (isUnseen(exchange)) return nothing(cursor);
  return pageOf(entries, next.from, next.widthMs, more);
};

/**
 * Contracts in which something moved the wallet: a trade by its fee or profit, a position by its funding.
 * @param cursor how far time was read, `<ms>/<ms>`
 */
export const readTradedContracts = async (
  exchange: Exchange,
  cursor: string | null,
  now: number,
): Promise<VenuePage<string>> => {
  const { place } = positionOf(exchange, cursor);
  const { entries, next, more } = await readOn(place, incomeLimits, now, async (window) => {
    const rows: unknown[] = [];
    for (let page = 1; ; page++) {
      const which = { startTime: window.from, endTime: window.to, limit: incomeLimits.pageEntries, page };
      const last = listAt(await askUsdm(exchange, 'income', which));
      rows.push(...last);
      if (!isNarrowest(window) || last.length < incomeLimits.pageEntries) break;
    }
    const moves = rows.map((row) => ({ at: Number(at(row, 'time') ?? Number.NaN), id: at(row, 'symbol') }));
    if (!moves.every((move) => Number.isSafeInteger(move.at))) throw garbled(exchange.id);
    return { entries: moves, filled: moves.length / incomeLimits.pageEntries };
  });
  if (isUnseen(exchange)) return nothing(cursor);
  const ids = new Set(entries.flatMap(({ id }) => (typeof id === 'string' && id !== '' ? id : [])));
  return { items: [...ids].map(contractSymbol), rejected: [], cursor: placeText(next), more };
};

/** If the key can read futures later, everything is read from here on. */
const nothing = <T>(cursor: string | null): VenuePage<T> => ({
  ...emptyList,
  cursor: cursor ?? placeText({ from: 0, widthMs: tradeLimits.windowMs }),
  more: false,
});

const toUsdmTrade = (exchange: Exchange, row: unknown): OwnTrade => {
  const id = String(at(row, 'symbol'));
  const trade = toTrade(exchange.parseTrade(typeof row === 'object' && row !== null ? row : {}));
  if (!/^\d{1,30}$/.test(trade.tradeId)) throw new MalformedField('malformed trade id');
  return { ...trade, symbol: contractSymbol(id) };
};

const idAfter = (trades: readonly OwnTrade[], nextId: bigint | undefined): bigint | undefined =>
  trades.reduce((next, { tradeId }) => {
    const id = BigInt(tradeId);
    return next === undefined || id >= next ? id + 1n : next;
  }, nextId);

const positionOf = (exchange: Exchange, cursor: string | null): Position => {
  const [, place = '', id] = /^(\d+\/\d+)(?:\/(\d{1,30}))?$/.exec(cursor ?? '') ?? [];
  return {
    place: cursor === null ? { from: 0, widthMs: tradeLimits.windowMs } : readPlace(exchange.id, place),
    nextId: id === undefined ? undefined : BigInt(id),
  };
};
