import { itemKind } from '#shared/platform/item-kind';
import type { StoredTicker } from './tickers.ts';

export const tickerKind = itemKind<StoredTicker>({ kind: 'ticker', owner: 'installation' });
