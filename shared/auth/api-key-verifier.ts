import { AuditLog } from '#shared/audit/audit-log';
import type { RequestSource } from '#shared/audit/entry';
import { type StoredUser, userKey } from '#shared/identity/stored-user';
import { type Role, SCOPES_OF_ROLE, type Scope } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { isWithin } from '#shared/platform/addresses';
import { ConditionFailed } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { apiKeyHash, isApiKey } from './api-key-format.ts';
import { TtlCache } from './remembered.ts';
import { type ApiKeyId, type ApiKeyOwner, apiKeyKey, apiKeyOwnerKey, type StoredApiKey } from './stored-api-key.ts';

/** How long on AWS what a key may do stands without looking again, and how long a refusal is not written down again. */
const cacheSeconds = 60;
/** When a key was used last is written no more often. */
const usedEveryMs = 3_600_000;

/** Why a key is refused. That its owner is disabled is not told to who holds it. */
export type KeyRefusal = 'invalid-key' | 'expired-key' | 'wrong-address';

/** What a key may do now, or why it is refused. */
export type KeyVerdict =
  | { readonly userId: UserId; readonly apiKeyId: ApiKeyId; readonly scopes: readonly Scope[] }
  | { readonly refusal: KeyRefusal };

interface KnownKey {
  readonly key: StoredApiKey;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly lastUsedAt: number;
  /** Until when it stands without looking again, epoch ms. */
  readonly until: number;
}

/**
 * Checks API keys. A key may do what is among its scopes and what its owner may do now. Key and owner are looked at
 * each time on one machine, and once a minute on AWS.
 */
export class ApiKeyVerifier {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'logger'>;
  readonly #audit: AuditLog;
  readonly #cacheMs: number;
  readonly #known = new TtlCache<KnownKey>();
  readonly #refused = new TtlCache<true>();

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger' | 'config'>) {
    this.#ports = ports;
    this.#audit = new AuditLog(ports);
    this.#cacheMs = ports.config.auth.sessionCacheSeconds * 1000;
  }

  /** @param source where the request came from, as the gateway saw it */
  async verify(text: string, source: RequestSource): Promise<KeyVerdict> {
    if (!isApiKey(text)) return { refusal: 'invalid-key' };
    const hash = apiKeyHash(text);
    const known = this.#known.get(hash, this.#ports.clock.now()) ?? (await this.#read(hash));
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

  /** Writes down that a key is refused which is or was good: it may be in wrong hands. What is no key of anybody is noise. */
  async #refuse(
    { userId, apiKeyId }: StoredApiKey,
    reason: keyof typeof refusalOf,
    source: RequestSource,
  ): Promise<KeyVerdict> {
    const name = `${apiKeyId} ${reason}`;
    const now = this.#ports.clock.now();
    if (this.#refused.get(name, now) === undefined) {
      this.#refused.set(name, true, now + cacheSeconds * 1000);
      const actor = { kind: 'anonymous' } as const;
      const what = { type: 'api.key-refused', trail: userId, target: apiKeyId, after: { reason } } as const;
      await this.#audit.record({ ...what, actor, source });
    }
    return { refusal: refusalOf[reason] };
  }

  /** Notes the use, once an hour. Nobody is refused because that fails. */
  async #used(hash: string, known: KnownKey): Promise<void> {
    const { table, clock, logger } = this.#ports;
    const now = clock.now();
    if (known.lastUsedAt + usedEveryMs > now) return;
    this.#known.set(hash, { ...known, lastUsedAt: now }, known.until);
    const isNews = { path: 'lastUsedAt', is: '<=', value: now - usedEveryMs } as const;
    try {
      await table.update(apiKeyOwnerKey(hash), { set: { lastUsedAt: now } }, isNews);
    } catch (error) {
      // Somebody else noted it, or the key is gone.
      if (error instanceof ConditionFailed) return;
      logger.warn('The use of an API key could not be noted', { error: error as Error });
    }
  }
}

const refusalOf = { disabled: 'invalid-key', expired: 'expired-key', address: 'wrong-address' } as const;
