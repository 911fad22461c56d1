import { itemKind } from '#shared/platform/item-kind';
import type { CatalogHead, StoredMarket, WatchedSymbol } from './catalog.ts';
import type { Level } from './crossing-index.ts';
import type { StoredTicker } from './tickers.ts';
import type { StoredStatus } from './venue-status.ts';

export const tickerKind = itemKind<StoredTicker>({ kind: 'ticker', owner: 'installation' });

export const levelKind = itemKind<Level>({
  kind: 'level',
  owner: 'user',
  export: { omitted: 'the entry in the crossing index of an alert, which is exported' },
  erase: 'eraser',
});

/** The kinds of items about markets and their prices. */
export const marketItems = [
  tickerKind,
  levelKind,
  itemKind<StoredMarket>({ kind: 'market', owner: 'installation' }),
  itemKind<WatchedSymbol>({ kind: 'watch', owner: 'installation' }),
  itemKind<CatalogHead>({ kind: 'catalog', owner: 'installation' }),
  itemKind<StoredStatus>({ kind: 'venue-status', owner: 'installation' }),
] as const;
