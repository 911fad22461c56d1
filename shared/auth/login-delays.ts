import { createHash } from 'node:crypto';
import { exponentialMs } from '#shared/platform/backoff';
import { ConditionFailed, DomainError } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, equals, type Item, type Key, keyOf, type Write } from '#shared/platform/table';

/** How many failures are free, and the longest wait. Waits start at one second and double. */
interface Patience {
  readonly freeFailures: number;
  readonly waitSecondsMax: number;
}

/** About 64 guesses an hour at one account (OWASP ASVS 2.2.1 allows 100); its owner never waits longer than a minute. */
const ofAccount: Patience = { freeFailures: 4, waitSecondsMax: 60 };
/** Many people may share a network. */
const ofNetwork: Patience = { freeFailures: 20, waitSecondsMax: 900 };
/** A /56 of IPv6 holds 256 networks, which one customer may use in turn. */
const ofSite: Patience = { freeFailures: 40, waitSecondsMax: 900 };
/** Failures are forgotten after this long without another. */
const memorySeconds = 3600;
/** How long a network counts as known after a login from it. */
const knownDays = 90;
const attemptsMax = 8;

/** Too many attempts failed; `retryAfterMs` is the wait until the next one is allowed. */
export class TooManyAttempts extends DomainError {
  readonly code = 'too-many-requests';
  override readonly name = 'TooManyAttempts';
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(`Too many attempts failed; try again in ${Math.ceil(retryAfterMs / 1000)} s.`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Failures extends Item {
  readonly kind: 'login-failures';
  readonly failures: number;
  /** Time of the last failure, epoch ms. */
  readonly lastAt: number;
}

export interface KnownNetwork extends Item {
  readonly kind: 'login-network';
  readonly seenAt: number;
}

/** An attempt that was counted as a failure in advance. */
export interface Attempt {
  /** It succeeded: it does not count, and the failures of the account are forgotten. */
  succeeded(): Promise<void>;
  /** It neither succeeded nor failed: it does not count. */
  withdraw(): Promise<void>;
}

/**
 * Increasing waits after failed attempts, per account and per network, instead of a lock-out. Each network from which the
 * owner of an account has logged in before has its own waits, so that a stranger who guesses does not keep the owner out.
 */
export class LoginDelays {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'random'>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random'>) {
    this.#ports = ports;
  }

  /**
   * Counts an attempt before it is made, so that concurrent attempts get no further than sequential ones.
   * @param account the mail address, whether it has an owner or not
   * @param network from which the attempt is made
   * @param site the larger network around it, if there is one
   * @throws {TooManyAttempts} it is too early
   */
  async attempt(account: string, network: string, site?: string): Promise<Attempt> {
    const { table, clock } = this.#ports;
    const known = await table.get<KnownNetwork>(knownKey(account, network));
    const accountKey = failuresKey('ACCOUNT', account, isRecent(known, clock.now()) ? network : '');
    const networkKey = failuresKey('NETWORK', network);
    const siteKey = site === undefined ? undefined : failuresKey('NETWORK', site);
    const around = siteKey === undefined ? [] : [[siteKey, ofSite] as const];
    const count = async () => await this.#count([accountKey, ofAccount], [networkKey, ofNetwork], ...around);
    // No person makes so many attempts at the same time.
    await optimistic(this.#ports, count, { attemptsMax, exhausted: () => new TooManyAttempts(1000) });
    const takeBack = async (key: Key): Promise<void> => {
      await table.update(key, { add: { failures: -1 } }, { path: 'failures', is: '>', value: 0 }).catch(ignoreIfGone);
    };
    return {
      withdraw: async () => {
        await Promise.all([accountKey, networkKey, ...around.map(([key]) => key)].map(takeBack));
      },
      succeeded: async () => {
        await table.delete(accountKey);
        await Promise.all([networkKey, ...around.map(([key]) => key)].map(takeBack));
        if (known === undefined || known.seenAt < clock.now() - dayMs) await this.#remember(account, network);
      },
    };
  }

  async #count(...counters: readonly (readonly [key: Key, patience: Patience])[]): Promise<void> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const known = await Promise.all(counters.map(([key]) => table.get<Failures>(key, { consistent: true })));
    const recent = known.map((failures) => (isForgotten(failures, now) ? undefined : failures));
    const waits = counters.map(([, patience], index) => waitUntil(recent[index], patience) - now);
    const waitMs = Math.max(...waits);
    if (waitMs > 0) throw new TooManyAttempts(waitMs);
    const expiresAt = Math.ceil(now / 1000) + memorySeconds;
    const writes = counters.map(([key], index): Write => {
      const before = known[index];
      const failures = (recent[index]?.failures ?? 0) + 1;
      const counted: Failures = { ...key, kind: 'login-failures', failures, lastAt: now, expiresAt };
      return { put: counted, if: before === undefined ? ABSENT : equals('failures', before.failures) };
    });
    await table.transact(writes);
  }

  async #remember(account: string, network: string): Promise<void> {
    const seenAt = this.#ports.clock.now();
    const expiresAt = Math.ceil(seenAt / 1000) + knownDays * 86_400;
    const known: KnownNetwork = { ...knownKey(account, network), kind: 'login-network', seenAt, expiresAt };
    await this.#ports.table.put(known);
  }
}

const dayMs = 86_400_000;

const isRecent = (known: KnownNetwork | undefined, now: number): boolean =>
  known !== undefined && known.seenAt > now - knownDays * dayMs;

const isForgotten = (failures: Failures | undefined, now: number): boolean =>
  failures !== undefined && failures.lastAt < now - memorySeconds * 1000;

/** When the next attempt is allowed, epoch ms; 0: now. */
const waitUntil = (known: Failures | undefined, { freeFailures, waitSecondsMax }: Patience): number =>
  known === undefined || known.failures < freeFailures
    ? 0
    : known.lastAt +
      exponentialMs(known.failures - freeFailures + 1, { firstMs: 1000, longestMs: waitSecondsMax * 1000 });

const ignoreIfGone = (error: unknown): void => {
  if (!(error instanceof ConditionFailed)) throw error;
};

/** Hashed because callers choose these texts: they may contain anything, and nobody should read mail addresses from the table. */
const hashed = (...texts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
const failuresKey = (of: 'ACCOUNT' | 'NETWORK', ...names: readonly string[]): Key => ({
  pk: keyOf('LOGIN', of, hashed(...names)),
  sk: 'FAILURES',
});
const knownKey = (account: string, network: string): Key => ({
  pk: keyOf('LOGIN', 'ACCOUNT', hashed(account)),
  sk: keyOf('NETWORK', hashed(network)),
});
