import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { SCOPES_OF_ROLE } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { InvalidInput, LimitExceeded, NotFound, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, every, type Item, PRESENT, type Write } from '#shared/platform/table';
import type { ApiKey, CreatedApiKey, NewApiKey } from './api-key.ts';
import { apiKeyHash, apiKeyHint, newApiKey } from './api-key-format.ts';
import {
  type ApiKeyId,
  type ApiKeyOwner,
  apiKeyKey,
  apiKeyOwnerKey,
  apiKeysGuardKey,
  apiKeysOf,
  apiKeyView,
  type StoredApiKey,
} from './stored-api-key.ts';

/** Most keys of a user; those that have expired do not count. */
export const API_KEYS_PER_USER_MAX = 20;
const attemptsMax = 10;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'logger'>;

/** The API keys of users. */
export class ApiKeys {
  readonly #ports: Ports;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#audit = new AuditLog(ports);
  }

  /**
   * Makes a key, and removes the user's expired ones.
   * @returns the key itself as well, which nobody can be told again
   * @throws {InvalidInput} a scope that the user does not have
   * @throws {LimitExceeded} the user has {@link API_KEYS_PER_USER_MAX} keys already
   */
  async create(userId: UserId, wanted: NewApiKey, origin: AuditOrigin): Promise<CreatedApiKey> {
    const { table, clock, ids, random } = this.#ports;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined || user.disabled === true) throw new NotFound('This user does not exist any more.');
      const excess = wanted.scopes.filter((scope) => !SCOPES_OF_ROLE[user.role].includes(scope));
      if (excess.length > 0) throw new InvalidInput('scopes', `You may not do this yourself: ${excess.join(', ')}.`);
      // The guard comes first: a key that is made after it changes it.
      const guardKey = apiKeysGuardKey(userId);
      const { version = 0 } = (await table.get<Item>(guardKey, { consistent: true })) ?? {};
      const keys = await this.#of(userId);
      const now = clock.now();
      const expired = keys.filter(({ endsAt }) => endsAt <= now);
      if (keys.length - expired.length >= API_KEYS_PER_USER_MAX) {
        throw new LimitExceeded(`You have ${API_KEYS_PER_USER_MAX} API keys; delete some first.`);
      }
      const key = newApiKey(random);
      const apiKeyId = ids.next() as ApiKeyId;
      const stored: StoredApiKey = {
        ...apiKeyKey(userId, apiKeyId),
        kind: 'api-key',
        userId,
        apiKeyId,
        name: wanted.name,
        scopes: wanted.scopes,
        addresses: wanted.addresses ?? null,
        hint: apiKeyHint(key),
        hash: apiKeyHash(key),
        createdAt: now,
        endsAt: now + wanted.expiresInDays * dayMs,
      };
      const owner: ApiKeyOwner = {
        ...apiKeyOwnerKey(stored.hash),
        kind: 'api-key-owner',
        userId,
        apiKeyId,
        lastUsedAt: 0,
      };
      const isUnchanged = allOf(equals('role', user.role), { path: 'disabled', is: '<>', value: true });
      const guard: Item = { ...guardKey, kind: 'api-keys', version: version + 1 };
      try {
        await this.#audit.transact(
          [
            { check: userKey(userId), if: isUnchanged },
            { put: guard, if: version === 0 ? ABSENT : equals('version', version) },
            { put: stored, if: ABSENT },
            { put: owner, if: ABSENT },
            ...expired.flatMap(removal),
          ],
          { ...origin, type: 'api.key-created', target: apiKeyId, after: { ...wanted, expiresAt: stored.endsAt } },
        );
        return { ...apiKeyView(stored, owner), key };
      } catch (error) {
        // Another key, or an admin who changed the user, came first.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
    throw new Unavailable('Too many keys are made at once; try again.');
  }

  /** The user's keys, newest first; one that has expired shows until the next one is made. */
  async list(
    userId: UserId,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: ApiKey[]; readonly cursor?: string }> {
    const { table } = this.#ports;
    const query = { ...apiKeysOf(userId), ...page, descending: true, consistent: true };
    const { items, cursor } = await table.query<StoredApiKey>(query);
    const owners = await table.getMany<ApiKeyOwner>(items.map(({ hash }) => apiKeyOwnerKey(hash)));
    const ownerOf = new Map(owners.map((owner) => [owner.apiKeyId, owner]));
    return {
      items: items.map((key) => apiKeyView(key, ownerOf.get(key.apiKeyId))),
      ...(cursor === undefined ? {} : { cursor }),
    };
  }

  /** @throws {NotFound} the user has no such key */
  async revoke(userId: UserId, apiKeyId: ApiKeyId, origin: AuditOrigin): Promise<void> {
    const key = await this.#ports.table.get<StoredApiKey>(apiKeyKey(userId, apiKeyId), { consistent: true });
    if (key === undefined) throw noSuchKey();
    try {
      await this.#audit.transact(removal(key), { ...origin, type: 'api.key-revoked', target: apiKeyId });
    } catch (error) {
      throw error instanceof TransactionCanceled ? noSuchKey() : error;
    }
  }

  /** Removes every key of a user who is being deleted. */
  async removeAll(userId: UserId): Promise<void> {
    for (const key of await this.#of(userId)) {
      try {
        await this.#ports.table.transact(removal(key));
      } catch (error) {
        // Somebody else removed it at the same time.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
  }

  async #of(userId: UserId): Promise<StoredApiKey[]> {
    const keys: StoredApiKey[] = [];
    const query = { ...apiKeysOf(userId), consistent: true };
    for await (const key of every<StoredApiKey>(this.#ports.table, query)) keys.push(key);
    return keys;
  }
}

const noSuchKey = () => new NotFound('You have no API key with this id.');

const removal = ({ pk, sk, hash }: StoredApiKey): Write[] => [
  { delete: { pk, sk }, if: PRESENT },
  { delete: apiKeyOwnerKey(hash) },
];
