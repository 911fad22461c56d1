import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import type { StoredCount } from './rate-limiter.ts';

/** The reply to a request with an `Idempotency-Key`, in the caller's partition; until it is known, a lease on the key. */
export interface StoredReply extends Item {
  readonly kind: 'idempotency';
  readonly bodyHash: string;
  /** Epoch ms. */
  readonly leaseUntil: number;
  readonly status?: number;
  readonly reply?: string;
}

/** The kinds of items that bound and repeat requests. */
export const limitsItems = [
  itemKind<StoredCount>({
    kind: 'limit',
    owner: 'user',
    export: { omitted: 'how many requests came within a minute' },
    erase: { expires: 'two minutes later' },
  }),
  itemKind<StoredReply>({
    kind: 'idempotency',
    owner: 'user',
    export: { omitted: 'replies that were given already, kept for a day' },
    erase: 'swept',
  }),
] as const;
