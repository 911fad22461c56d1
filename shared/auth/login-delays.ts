import { createHash } from 'node:crypto';
import { ConditionFailed, DomainError, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, equals, type Item, type Key, keyOf, type Write } from '#shared/platform/table';

/** How many failures cost nothing, and how long the longest wait is. Each wait is twice the one before, from a second on. */
interface Patience {
  readonly freeFailures: number;
  readonly waitSecondsMax: number;
}

/** At most some 64 guesses an hour at one account (OWASP ASVS 2.2.1 allows 100); who knows the password waits a minute at most. */
const ofAccount: Patience = { freeFailures: 4, waitSecondsMax: 60 };
/** Many people may share a network. */
const ofNetwork: Patience = { freeFailures: 20, waitSecondsMax: 900 };
/** Failures are forgotten when none came for so long. */
const memorySeconds = 3600;
/** How long a network from which somebody logged in is known for theirs. */
const knownDays = 90;
const triesMax = 8;
const firstPauseMs = 10;

/** Too many attempts failed; the next one may be made later. */
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
  readonly lastAt: number;
}

export interface KnownNetwork extends Item {
  readonly kind: 'login-network';
  readonly seenAt: number;
}

/** An attempt that was counted. */
export interface Attempt {
  /** It succeeded: it is no failure, and those of the account are forgotten. */
  succeeded(): Promise<void>;
  /** It was neither a success nor a failure: it does not count. */
  withdraw(): Promise<void>;
}

/**
 * Growing waits after failed attempts, per account and per network, instead of a lock-out. An account has waits of its own
 * for each network from which its owner logged in before, so that a stranger who guesses doesn't keep the owner out.
 */
export class LoginDelays {
  readonly #ports: Pick<Platform, 'table' | 'clock' | 'random'>;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random'>) {
    this.#ports = ports;
  }

  /**
   * Counts an attempt before it is made, so that many at the same time are as few as one after the other.
   * @param account what is guessed at, whether it exists or not
   * @param network where the attempt comes from
   * @throws {TooManyAttempts} it is too early
   */
  async attempt(account: string, network: string): Promise<Attempt> {
    const { table, clock, random } = this.#ports;
    const known = await table.get<KnownNetwork>(knownKey(account, network));
    const accountKey = failuresKey('ACCOUNT', account, isRecent(known, clock.now()) ? network : '');
    const networkKey = failuresKey('NETWORK', network);
    for (let tries = 1; !(await this.#counted([accountKey, ofAccount], [networkKey, ofNetwork])); tries++) {
      // Whoever tries so often at the same time is nobody who types.
      if (tries === triesMax) throw new TooManyAttempts(1000);
      await clock.sleep(random.number() * firstPauseMs * 2 ** tries);
    }
    const takeBack = async (key: Key): Promise<void> => {
      await table.update(key, { add: { failures: -1 } }, { path: 'failures', is: '>', value: 0 }).catch(ifGone);
    };
    return {
      withdraw: async () => {
        await Promise.all([takeBack(accountKey), takeBack(networkKey)]);
      },
      succeeded: async () => {
        await table.delete(accountKey);
        await takeBack(networkKey);
        if (known === undefined || known.seenAt < clock.now() - dayMs) await this.#remember(account, network);
      },
    };
  }

  /** @returns false: somebody else counted at the same time */
  async #counted(...places: readonly (readonly [key: Key, patience: Patience])[]): Promise<boolean> {
    const { table, clock } = this.#ports;
    const now = clock.now();
    const known = await Promise.all(places.map(([key]) => table.get<Failures>(key, { consistent: true })));
    const recent = known.map((failures) => (isForgotten(failures, now) ? undefined : failures));
    const waits = places.map(([, patience], index) => waitUntil(recent[index], patience) - now);
    const waitMs = Math.max(...waits);
    if (waitMs > 0) throw new TooManyAttempts(waitMs);
    const expiresAt = Math.ceil(now / 1000) + memorySeconds;
    const writes = places.map(([key], index): Write => {
      const before = known[index];
      const failures = (recent[index]?.failures ?? 0) + 1;
      const counted: Failures = { ...key, kind: 'login-failures', failures, lastAt: now, expiresAt };
      return { put: counted, if: before === undefined ? ABSENT : equals('failures', before.failures) };
    });
    try {
      await table.transact(writes);
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      return false;
    }
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

/** When the next attempt may be made. */
const waitUntil = (known: Failures | undefined, { freeFailures, waitSecondsMax }: Patience): number =>
  known === undefined || known.failures < freeFailures
    ? 0
    : known.lastAt + Math.min(2 ** (known.failures - freeFailures), waitSecondsMax) * 1000;

const ifGone = (error: unknown): void => {
  if (!(error instanceof ConditionFailed)) throw error;
};

/** Names that others choose are hashed: they may hold anything, and nobody reads mail addresses out of the table. */
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
