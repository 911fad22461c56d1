import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { noSuchUser, type StoredUser, userKey } from '#shared/identity/stored-user';
import { SCOPES_OF_ROLE } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { InvalidInput, LimitExceeded, NotFound, TransactionCanceled } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, every, type Item, PRESENT, type Write } from '#shared/platform/table';
import type { ApiKey, CreatedApiKey, NewApiKey } from './api-key.ts';
import { apiKeyHash, apiKeyHint, newApiKey } from './api-key-format.ts';
import { inSession } from './in-session.ts';
import { enqueueSecurityNotice } from './security-mail-job.ts';
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

/** Most keys of a user; expired ones do not count. */
export const API_KEYS_PER_USER_MAX = 20;
const dayMs = 86_400_000;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** The API keys of users. */
export class ApiKeys {
  readonly #ports: Ports;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#audit = new AuditLog(ports);
  }

  /**
   * Creates a key, removes the user's expired ones, and mails a notice.
   * @returns the key including its text, which cannot be shown again
   * @throws {InvalidInput} a scope that the user does not have
   * @throws {LimitExceeded} the user has {@link API_KEYS_PER_USER_MAX} keys already
   * @throws {SessionEnded} of the request
   */
  async create(userId: UserId, wanted: NewApiKey, origin: AuditOrigin): Promise<CreatedApiKey> {
    const { table, clock, ids, random } = this.#ports;
    const create = async (): Promise<CreatedApiKey> => {
      const user = await table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined || user.disabled === true) throw noSuchUser();
      const excess = wanted.scopes.filter((scope) => !SCOPES_OF_ROLE[user.role].includes(scope));
      if (excess.length > 0)
        throw new InvalidInput('scopes', `You do not have these scopes yourself: ${excess.join(', ')}.`);
      const { keys, guard } = await this.#hold(userId);
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
      const writes: Write[] = [
        { check: userKey(userId), if: isUnchanged },
        guard,
        { put: stored, if: ABSENT },
        { put: owner, if: ABSENT },
        ...expired.flatMap(removal),
      ];
      const after = { ...wanted, expiresAt: stored.endsAt };
      const event = { ...origin, type: 'api.key-created', target: apiKeyId, after } as const;
      const notice = { mail: 'api-key-created', requestId: apiKeyId, requestedAt: now, userId } as const;
      await enqueueSecurityNotice(this.#ports, { ...notice, source: origin.source });
      await inSession(origin, writes, (all) => this.#audit.transact(all, event));
      return { ...apiKeyView(stored, owner), key };
    };
    // Another key may be created, or an admin may change the user, at the same time.
    return await optimistic(this.#ports, create, { message: 'Too many keys are created at once; try again.' });
  }

  /** The user's keys, newest first; expired ones are listed until the next key is created. */
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

  /**
   * The writes that remove every key of a user, at most {@link API_KEYS_PER_USER_MAX}, in a transaction of the caller. The
   * first one fails if a key was created meanwhile.
   */
  async removals(userId: UserId): Promise<{ readonly keys: number; readonly writes: readonly Write[] }> {
    const { keys, guard } = await this.#hold(userId);
    const deletes = keys.flatMap(({ pk, sk, hash }): Write[] => [
      { delete: { pk, sk } },
      { delete: apiKeyOwnerKey(hash) },
    ]);
    return { keys: keys.length, writes: [guard, ...deletes] };
  }

  /** Removes every key of a user who is being deleted. */
  async removeAll(userId: UserId): Promise<void> {
    for (const key of await this.#of(userId)) {
      try {
        await this.#ports.table.transact(removal(key));
      } catch (error) {
        // It was removed at the same time.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
  }

  /** The user's keys, and the write by which a transaction ensures that no other was created meanwhile. */
  async #hold(userId: UserId): Promise<{ readonly keys: readonly StoredApiKey[]; readonly guard: Write }> {
    // The guard is read first: creating a key afterwards changes it.
    const guardKey = apiKeysGuardKey(userId);
    const { version = 0 } = (await this.#ports.table.get<Item>(guardKey, { consistent: true })) ?? {};
    const put: Item = { ...guardKey, kind: 'api-keys', version: version + 1 };
    return {
      keys: await this.#of(userId),
      guard: { put, if: version === 0 ? ABSENT : equals('version', version) },
    };
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
