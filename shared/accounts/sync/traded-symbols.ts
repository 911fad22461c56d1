import { listed } from '#shared/accounts/records';
import {
  recordsOf,
  type StoredAccount,
  type StoredBalance,
  type StoredPosition,
  type StoredSymbols,
  symbolsKey,
} from '#shared/accounts/stored';
import { isWithin } from '#shared/platform/plausible-time';
import type { Random } from '#shared/platform/ports';
import type { Delete, Put, Table } from '#shared/platform/table';

/** Usual quote currencies. */
const quotes = ['USDT', 'USDC', 'USD', 'EUR', 'BTC', 'ETH', 'BNB', 'FDUSD', 'TRY'];
/** Most that are kept of each for an account; the oldest are dropped. */
const assetsMax = 100;
const symbolsMax = 200;
/** How long the markets of a balance that changed are read with each sync: venues report trades a little later. */
const settlingMinutes = 10;
/** How often the other markets are read: all of them with each sync would use up the venue's rate limit. */
const sweepMinutes = 10;

type Owner = Pick<StoredAccount, 'userId' | 'accountId'>;

/** The markets that an account may have traded, where its venue requires symbols. */
export interface TradedSymbols {
  /** Those that are known to exist, with the time at which each was found. */
  readonly known: ReadonlyMap<string, number>;
  /** Those and all markets in which assets once held may have been traded, whether they exist or not. */
  readonly candidates: readonly string[];
  /** Whether an asset or the position of the market has changed lately. */
  isActive(symbol: string): boolean;
  /** The writes that store these symbols and the assets held; none where they are already stored. */
  remember(symbols: Iterable<string>): (Put | Delete)[];
}

export const readSymbols = async (
  table: Table,
  { userId, accountId }: Owner,
  touched: ReadonlySet<string>,
  now: number,
): Promise<TradedSymbols> => {
  const key = symbolsKey(userId, accountId);
  const stored = await table.get<StoredSymbols>(key, { consistent: true });
  const held = await listed<StoredBalance>(table, recordsOf('balance', userId, accountId));
  const positions = await listed<StoredPosition>(table, recordsOf('position', userId, accountId));
  const isSettling = ({ wallet, fetchedAt }: StoredBalance) =>
    wallet !== 'contract' && isWithin(fetchedAt, settlingMinutes * 60_000, now);
  const settling = new Set(held.filter(isSettling).map(({ asset }) => asset));
  const assets = newest(
    stored?.assets ?? {},
    held.map(({ asset }) => asset),
    now,
    assetsMax,
  );
  const before = stored?.symbols ?? {};
  const known = newest(
    before,
    positions.map(({ symbol }) => symbol),
    now,
    symbolsMax,
  );
  const named = Object.keys(assets).flatMap((asset) =>
    quotes.filter((quote) => quote !== asset).map((quote) => `${asset}/${quote}`),
  );
  return {
    known: new Map(Object.entries(known)),
    candidates: [...new Set([...Object.keys(known), ...named])],
    isActive: (symbol) => {
      const base = symbol.split('/')[0] ?? '';
      // Trading a contract does not change the balance of its asset.
      if (symbol.includes(':')) return touched.has(symbol);
      return touched.has(symbol) || touched.has(base) || settling.has(base);
    },
    remember: (symbols) => {
      const next = newest(known, symbols, now, symbolsMax);
      if (stored !== undefined && next === before && assets === stored.assets) return [];
      const item: StoredSymbols = {
        ...key,
        ...{ kind: 'account-symbols', userId, accountId, assets, symbols: next },
      };
      return stored === undefined && Object.keys(assets).length + Object.keys(next).length === 0 ? [] : [{ put: item }];
    },
  };
};

/** Whether all markets are to be read. @param lastSuccessAt of the step that reads them */
export const isSweep = (lastSuccessAt: number | null, now: number): boolean =>
  lastSuccessAt === null || slot(lastSuccessAt) < slot(now);
const slot = (at: number): number => Math.floor(at / (sweepMinutes * 60_000));

/** In random order. */
export const shuffled = <T>(entries: readonly T[], random: Random): T[] =>
  entries
    .map((entry) => ({ entry, place: random.number() }))
    .sort((a, b) => a.place - b.place)
    .map(({ entry }) => entry);

/** Adds new names and keeps the newest ones; the very same object when none is new. */
const newest = (
  times: Readonly<Record<string, number>>,
  names: Iterable<string>,
  now: number,
  max: number,
): Readonly<Record<string, number>> => {
  const added = [...new Set(names)].filter((name) => times[name] === undefined);
  if (added.length === 0) return times;
  const all = [...added.map((name): [string, number] => [name, now]), ...Object.entries(times)];
  return Object.fromEntries(all.sort(([, a], [, b]) => b - a).slice(0, max));
};
