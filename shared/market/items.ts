import { itemKind } from '#shared/platform/item-kind';
import type { CatalogHead, StoredMarket, WatchedSymbol } from './catalog.ts';
import { levelKind } from './crossing-entry.ts';
import type { StoredTicker } from './tickers.ts';
import type { StoredStatus } from './venue-status.ts';

export const tickerKind = itemKind<StoredTicker>({ kind: 'ticker', owner: 'installation' });

/** The kinds of items about markets and their prices. */
export const marketItems = [
  tickerKind,
  levelKind,
  itemKind<StoredMarket>({ kind: 'market', owner: 'installation' }),
  itemKind<WatchedSymbol>({ kind: 'watch', owner: 'installation' }),
  itemKind<CatalogHead>({ kind: 'catalog', owner: 'installation' }),
  itemKind<StoredStatus>({ kind: 'venue-status', owner: 'installation' }),
] as const;
