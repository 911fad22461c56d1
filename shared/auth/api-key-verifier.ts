import { AuditLog } from '#shared/audit/audit-log';
import type { RequestSource } from '#shared/audit/entry';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { type Role, SCOPES_OF_ROLE, type Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { isWithin } from '#shared/platform/addresses';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { apiKeyHash, isApiKey } from './api-key-format.ts';
import { type ApiKeyId, type ApiKeyOwner, apiKeyKey, apiKeyOwnerKey, type StoredApiKey } from './stored-api-key.ts';
import { TtlCache } from './ttl-cache.ts';

/** How long the permissions of a key are cached on AWS, and how long the same refusal is not recorded again. */
const cacheSeconds = 60;
/** `lastUsedAt` is written at most this often. */
const usedEveryMs = 3_600_000;

/** Why a key is refused. The caller does not learn that its owner is disabled. */
export type KeyRefusal = 'invalid-key' | 'expired-key' | 'wrong-address';

/** What a key permits now, or why it is refused. */
export type KeyVerdict =
  | { readonly userId: UserId; readonly apiKeyId: ApiKeyId; readonly scopes: readonly Scope[] }
  | { readonly refusal: KeyRefusal };

interface KnownKey {
  readonly key: StoredApiKey;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly lastUsedAt: number;
  /** Until when it may be served from the cache, epoch ms. */
  readonly until: number;
}

/**
 * Checks API keys. A key permits those of its scopes that its owner has now. Key and owner are read each time on one
 * machine, and once a minute on AWS.
 */
export class ApiKeyVerifier {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'logger'>;
  readonly #audit: AuditLog;
  readonly #cacheMs: number;
  readonly #known: TtlCache<KnownKey>;
  readonly #refused: TtlCache<true>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger' | 'config'>) {
    this.#ports = ports;
    this.#known = new TtlCache(ports.clock);
    this.#refused = new TtlCache(ports.clock);
    this.#audit = new AuditLog(ports);
    this.#cacheMs = ports.config.auth.sessionCacheSeconds * 1000;
  }

  /** @param source where the request came from, as seen by the gateway */
  async verify(text: string, source: RequestSource): Promise<KeyVerdict> {
    if (!isApiKey(text)) return { refusal: 'invalid-key' };
    const hash = apiKeyHash(text);
    const known = this.#known.get(hash) ?? (await this.#read(hash));
    if (known === undefined) return { refusal: 'invalid-key' };
    const { key, role } = known;
    const { userId, apiKeyId, addresses } = key;
    if (known.isDisabled) return await this.#refuse(key, 'disabled', source);
    if (key.endsAt <= this.#ports.clock.now()) return await this.#refuse(key, 'expired', source);
    if (addresses !== null && !isWithin(source.address, addresses)) return await this.#refuse(key, 'address', source);
    await this.#used(hash, known);
    return { userId, apiKeyId, scopes: key.scopes.filter((scope) => SCOPES_OF_ROLE[role].includes(scope)) };
  }

  async #read(hash: string): Promise<KnownKey | undefined> {
    const { table, clock } = this.#ports;
    const owner = await table.get<ApiKeyOwner>(apiKeyOwnerKey(hash), { consistent: true });
    if (owner === undefined) return undefined;
    const [key, user] = await Promise.all([
      table.get<StoredApiKey>(apiKeyKey(owner.userId, owner.apiKeyId), { consistent: true }),
      table.get<StoredUser>(userKey(owner.userId), { consistent: true }),
    ]);
    if (key === undefined || user === undefined) return undefined;
    const { lastUsedAt } = owner;
    const until = clock.now() + this.#cacheMs;
    const known: KnownKey = { key, role: user.role, isDisabled: user.disabled === true, lastUsedAt, until };
    if (!known.isDisabled) this.#known.set(hash, known, until);
    return known;
  }

  /** Records the refusal of an existing key, which may be in the wrong hands. Refusals of unknown keys would be noise. */
  async #refuse(
    { userId, apiKeyId }: StoredApiKey,
    reason: keyof typeof refusalOf,
    source: RequestSource,
  ): Promise<KeyVerdict> {
    const name = `${apiKeyId} ${reason}`;
    if (this.#refused.get(name) === undefined) {
      this.#refused.set(name, true, this.#ports.clock.now() + cacheSeconds * 1000);
      const actor = { kind: 'anonymous' } as const;
      const what = { type: 'api.key-refused', trail: userId, target: apiKeyId, after: { reason } } as const;
      await this.#audit.record({ ...what, actor, source });
    }
    return { refusal: refusalOf[reason] };
  }

  /** Records the use, once an hour. A failure to do so refuses nobody. */
  async #used(hash: string, known: KnownKey): Promise<void> {
    const { table, clock, logger } = this.#ports;
    const now = clock.now();
    if (known.lastUsedAt + usedEveryMs > now) return;
    this.#known.set(hash, { ...known, lastUsedAt: now }, known.until);
    const isOlder = { path: 'lastUsedAt', is: '<=', value: now - usedEveryMs } as const;
    try {
      await table.update(apiKeyOwnerKey(hash), { set: { lastUsedAt: now } }, isOlder);
    } catch (error) {
      // Another instance recorded it, or the key is gone.
      if (error instanceof ConditionFailed) return;
      logger.warn('The use of an API key could not be recorded', { error: error as Error });
    }
  }
}

const refusalOf = { disabled: 'invalid-key', expired: 'expired-key', address: 'wrong-address' } as const;
