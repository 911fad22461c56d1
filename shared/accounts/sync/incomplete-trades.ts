import { listed } from '#shared/accounts/records';
import {
  type IncompleteTrades,
  type StoredAccount,
  type StoredCursor,
  type StoredTrade,
  tradesIndex,
} from '#shared/accounts/stored';
import type { OwnTrade, RejectedRow } from '#shared/exchange/account-venue';
import type { Table } from '#shared/platform/table';

/** When incomplete trades are read again: a venue lists a market again within days, or never. The last one repeats. */
const rereadDays = [1, 7, 30];
const dayMs = 86_400_000;
/** Most market names that are kept for each list of trades. */
const namesMax = 50;
/** Most rejected rows that are kept of each list; the others are only in the log. */
const rejectedMax = 50;

/** Where the market is not known, the symbol is the venue's own name of it. */
const isRawName = (symbol: string): boolean => !symbol.includes('/');
const isFeeKnown = ({ fees }: Pick<OwnTrade, 'fees'>): boolean => fees.every(({ asset }) => asset !== null);

/** Whether a trade lacks its market or the currency of a fee. */
export const isIncomplete = (trade: Pick<OwnTrade, 'symbol' | 'fees'>): boolean =>
  isRawName(trade.symbol) || !isFeeKnown(trade);

/** Whether the stored trade lacks something that this reading has. */
export const isMended = (stored: StoredTrade, read: StoredTrade): boolean => !isFeeKnown(stored) && isFeeKnown(read);

/** Whether a stored trade is the same one under another market name: ids may be unique only within a market. */
export const isRenamed = (stored: StoredTrade, read: StoredTrade): boolean =>
  stored.sk !== read.sk && stored.at === read.at && stored.price === read.price && stored.amount === read.amount;

/** What is incomplete after a page was read. @param from the cursor before the page @param now epoch ms */
export const incompleteAfter = (
  before: IncompleteTrades | undefined,
  from: string | null,
  trades: readonly OwnTrade[],
  now: number,
): IncompleteTrades | undefined => {
  const found = trades.filter(isIncomplete);
  if (found.length === 0) return before;
  const raw = found.map(({ symbol }) => symbol).filter(isRawName);
  const names = [...new Set([...(before?.names ?? []), ...raw])].slice(0, namesMax);
  if (before !== undefined && names.length === before.names.length) return before;
  return before === undefined ? { names, from, retryAt: now + retryMs(0), retries: 0 } : { ...before, names };
};

/** What is incomplete after all of it was read again. */
export const incompleteAfterReread = (
  before: IncompleteTrades,
  isLeft: boolean,
  now: number,
): IncompleteTrades | undefined =>
  isLeft ? { ...before, retries: before.retries + 1, retryAt: now + retryMs(before.retries + 1) } : undefined;

const retryMs = (retries: number): number => (rereadDays[Math.min(retries, rereadDays.length - 1)] ?? 1) * dayMs;

/** The trades that are stored under a venue's own names of markets, by their id. */
export const tradesUnderNames = async (
  table: Table,
  { userId, accountId }: StoredAccount,
  names: readonly string[],
): Promise<ReadonlyMap<string, StoredTrade>> => {
  const found = new Map<string, StoredTrade>();
  for (const name of names) {
    for (const trade of await listed<StoredTrade>(table, tradesIndex(userId, accountId, name))) {
      found.set(trade.tradeId, trade);
    }
  }
  return found;
};

/** The rows of a list that are unreadable so far: earlier ones and those of this page, without those that could be read now. */
export const rejectedAfter = (
  before: StoredCursor['rejected'],
  rejected: readonly RejectedRow[],
  readIds: readonly string[],
): StoredCursor['rejected'] => {
  const rows = new Map(Object.entries(before ?? {}));
  for (const { id, reason } of rejected) rows.set(id ?? `(${reason})`, reason);
  for (const id of readIds) rows.delete(id);
  return rows.size === 0 ? undefined : Object.fromEntries([...rows].slice(0, rejectedMax));
};
