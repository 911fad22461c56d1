import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';

/** The epoch in which messages are numbered. */
export interface StoredEpoch extends Item {
  readonly kind: 'realtime-epoch';
  readonly epoch: string;
}

export const epochKind = itemKind<StoredEpoch>({ kind: 'realtime-epoch', owner: 'installation' });

/** The kinds of items of live feeds. */
export const realtimeItems = [epochKind] as const;
