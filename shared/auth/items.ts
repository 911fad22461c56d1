import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import type { Failures, KnownNetwork } from './login-delays.ts';
import type { StoredMailedToken } from './mailed-token.ts';
import type { StoredKeys } from './published-keys.ts';
import type { StoredRefreshToken } from './refresh-token.ts';
import type { TotpSetup } from './second-factor.ts';
import { type ApiKeyOwner, apiKeyOwnerKey, apiKeyView, type StoredApiKey } from './stored-api-key.ts';
import type { StoredSession } from './stored-session.ts';
import type { StoredTotp } from './totp-codes.ts';

interface SessionsGuard extends Item {
  readonly kind: 'sessions';
}
interface ApiKeysGuard extends Item {
  readonly kind: 'api-keys';
}

export const apiKeyKind = itemKind<StoredApiKey>({
  kind: 'api-key',
  owner: 'user',
  export: {
    view: async (key, { table }) => apiKeyView(key, await table.get<ApiKeyOwner>(apiKeyOwnerKey(key.hash))),
  },
  erase: 'eraser',
});

export const apiKeyOwnerKind = itemKind<ApiKeyOwner>({
  kind: 'api-key-owner',
  owner: 'user',
  export: { omitted: 'finds a key by its hash, and shows with it when it was used last' },
  erase: 'eraser',
});

/** The kinds of items by which users prove who they are. */
export const authItems = [
  apiKeyKind,
  apiKeyOwnerKind,
  itemKind<ApiKeysGuard>({
    kind: 'api-keys',
    owner: 'user',
    export: { omitted: 'a counter that guards API keys' },
    erase: 'swept',
  }),
  itemKind<StoredSession>({
    kind: 'session',
    owner: 'user',
    export: {
      view: ({ sessionId: id, device, address, createdAt, lastUsedAt }) => ({
        ...{ id, device, address, createdAt, lastUsedAt },
      }),
    },
    erase: 'with-user',
  }),
  itemKind<SessionsGuard>({
    kind: 'sessions',
    owner: 'user',
    export: { omitted: 'a counter that guards sessions' },
    erase: 'swept',
  }),
  itemKind<StoredRefreshToken>({
    kind: 'refresh-token',
    owner: 'user',
    export: { omitted: 'found by the hash of a token' },
    erase: { expires: 'within 90 days; without its session it opens nothing' },
  }),
  itemKind<StoredTotp>({
    kind: 'totp',
    owner: 'user',
    export: { omitted: 'a sealed secret and hashes of recovery codes: the profile says that there is a second factor' },
    erase: 'swept',
  }),
  itemKind<TotpSetup>({
    kind: 'totp-setup',
    owner: 'user',
    export: { omitted: 'a sealed secret that does not count yet' },
    erase: 'swept',
  }),
  itemKind<StoredMailedToken>({
    kind: 'mailed-token',
    owner: 'user',
    export: { omitted: 'the hash of a token that was mailed' },
    erase: 'swept',
  }),
  itemKind<Failures>({
    kind: 'login-failures',
    owner: 'user',
    export: { omitted: "counts failed attempts under a hash of an address, which need not be a user's" },
    erase: { expires: 'an hour after the last attempt' },
  }),
  itemKind<KnownNetwork>({
    kind: 'login-network',
    owner: 'user',
    export: { omitted: 'hashes of a mail address and of a network: nothing in it can be read' },
    erase: { expires: 'within 90 days' },
  }),
  itemKind<StoredKeys>({ kind: 'jwks', owner: 'installation' }),
] as const;
