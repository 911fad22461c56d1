import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';

/** An earlier token that is still valid. */
export interface EarlierToken {
  readonly tokenHash: string;
  /** Epoch ms. */
  readonly requestedAt: number;
  readonly email: string;
  readonly [attribute: string]: string | number;
}

/** The latest token of a user for a purpose, with those before it that are still valid. It is kept after its use, so that a repeated job cannot revive it. */
export interface StoredMailedToken extends Item {
  readonly kind: 'mailed-token';
  readonly tokenHash: string;
  readonly requestId: string;
  /** Epoch ms. */
  readonly requestedAt: number;
  /** The address to which it was mailed. */
  readonly email: string;
  readonly usedAt?: number;
  readonly mailedAt?: number;
  /** Newest first; used up together with this one. */
  readonly earlier?: readonly EarlierToken[];
  /** When the day began in which mails are counted, epoch ms, and how many were requested since. */
  readonly countedSince?: number;
  readonly mails?: number;
}

/** Shape 1 called a request an order, which is a word of trading. */
interface MailedTokenShape1 extends Item {
  readonly orderId: string;
  readonly orderedAt: number;
}

/** `tokenHash` is in both shapes: conditions of writes go by it, since an update leaves the stored shape as it is. */
export const mailedTokenKind = itemKind<StoredMailedToken>({
  kind: 'mailed-token',
  owner: 'user',
  export: { omitted: 'the hash of a token that was mailed' },
  erase: 'swept',
  shape: 2,
  migrate: {
    1: ({ orderId, orderedAt, ...rest }: MailedTokenShape1) => ({
      ...rest,
      requestId: orderId,
      requestedAt: orderedAt,
    }),
  },
});
