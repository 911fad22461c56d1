import type { Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { type Item, type Key, keyOf, type Query } from '#shared/platform/table';
import type { ApiKey } from './api-key.ts';

/** An API key's id, a UUIDv7. It is no secret. */
export type ApiKeyId = string & { readonly __brand: 'ApiKeyId' };

/** An API key in its owner's partition. The key itself is not kept, only its hash. */
export interface StoredApiKey extends Item {
  readonly kind: 'api-key';
  readonly userId: UserId;
  readonly apiKeyId: ApiKeyId;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Addresses and CIDR blocks from which it may be used; null: from anywhere. */
  readonly addresses: readonly string[] | null;
  readonly hint: string;
  readonly hash: string;
  readonly createdAt: number;
  /** Epoch ms. An attribute `expiresAt` would have the table remove the item, and leave its owner item behind. */
  readonly endsAt: number;
}

/** Whose a key is, found by its hash. It is made and removed together with the key in the owner's partition. */
export interface ApiKeyOwner extends Item {
  readonly kind: 'api-key-owner';
  readonly userId: UserId;
  readonly apiKeyId: ApiKeyId;
  readonly lastUsedAt: number;
}

/** What the partition keys of owner items begin with: the authorizer notes there when a key was used. */
export const API_KEY_KEYS = 'API_KEY#';
const prefix = 'API_KEY';

export const apiKeyOwnerKey = (hash: string): Key => ({ pk: keyOf(prefix, hash), sk: 'OWNER' });

export const apiKeyKey = (userId: UserId, apiKeyId: ApiKeyId): Key => ({
  pk: keyOf('USER', userId),
  sk: keyOf(prefix, apiKeyId),
});

export const apiKeysOf = (userId: UserId) =>
  ({ pk: keyOf('USER', userId), sk: { prefix: `${prefix}#` } }) satisfies Query;

/** Changes with every key that is made, so that two that are made at once don't pass the limit together. */
export const apiKeysGuardKey = (userId: UserId): Key => ({ pk: keyOf('USER', userId), sk: 'API_KEYS' });

/** A key as its owner sees it. */
export const apiKeyView = (key: StoredApiKey, owner: Pick<ApiKeyOwner, 'lastUsedAt'> | undefined): ApiKey => ({
  id: key.apiKeyId,
  name: key.name,
  hint: key.hint,
  scopes: [...key.scopes],
  addresses: key.addresses === null ? null : [...key.addresses],
  createdAt: key.createdAt,
  expiresAt: key.endsAt,
  lastUsedAt: owner === undefined || owner.lastUsedAt === 0 ? null : owner.lastUsedAt,
});
