import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { AccountVenue, OpenAccountVenue } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { ConditionFailed, DomainError, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, anyOf, type Changes, equals, PRESENT } from '#shared/platform/table';
import type { UserId } from '#shared/users/user';
import type { SyncOrder } from './dispatch.ts';
import {
  failed,
  isDue,
  type StepContext,
  type SyncStep,
  succeeded,
  untried,
  waitsForUser,
  waitsForVenue,
} from './steps.ts';
import {
  accountKey,
  duePlace,
  periodOf,
  type StepState,
  type StoredAccount,
  type StoredSchedule,
  scheduleKey,
} from './stored.ts';
import type { CredentialVault } from './vault.ts';

/** Another worker synchronises the account. */
export class SyncHeld extends DomainError {
  readonly code = 'sync-held';
  override readonly name = 'SyncHeld';
  /** How long it may go on at most. */
  readonly remainingMs: number;
  constructor(remainingMs: number) {
    super('Another worker synchronises the account.');
    this.remainingMs = remainingMs;
  }
}

export interface AccountSyncParts {
  readonly steps: readonly SyncStep[];
  readonly vault: Pick<CredentialVault, 'get'>;
  readonly open: OpenAccountVenue;
  /** Longest time of one sync; the lease outlasts it. */
  readonly timeoutSeconds: number;
}

/** How much longer than its sync a lease lasts. */
const leaseMarginSeconds = 10;
/** Before the end of its time a sync begins nothing new, so that it can still tell how it went. */
const closingSeconds = 5;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'config' | 'logger' | 'metrics'>;

/** What a worker holds while it synchronises an account. */
interface Lease {
  readonly owner: string;
  readonly account: StoredAccount;
  readonly endsAt: number;
}

/** Synchronises one account at a time, step by step; a step that fails is told of in the account and tried again when it is time. */
export class AccountSync {
  readonly #ports: Ports;
  readonly #parts: AccountSyncParts;
  /** On one machine nobody else synchronises: a lease that is older than this process ended with the one before. */
  readonly #aloneSince: number;

  constructor(ports: Ports, parts: AccountSyncParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#aloneSince = ports.config.runtime === 'local' ? ports.clock.now() : 0;
  }

  /**
   * Makes a sync, unless one was made for this due time or a later one, or the account is gone.
   * @throws {SyncHeld} another worker is at it, for so much longer
   * @throws {Unavailable} the order is to be tried again
   */
  async run(order: SyncOrder): Promise<void> {
    const lease = await this.#claim(order);
    if (lease === undefined) return;
    const { clock, metrics } = this.#ports;
    const startedAt = clock.now();
    try {
      const steps = await this.#steps(lease, order.asked);
      await this.#finish(lease, steps, order.dueAt);
    } catch (error) {
      await this.#giveBack(lease);
      throw error;
    }
    metrics.addMetric('AccountSyncDuration', MetricUnit.Milliseconds, clock.now() - startedAt);
  }

  /** Takes the account's lease. @returns undefined: there is nothing to do */
  async #claim({ userId, accountId, dueAt }: SyncOrder): Promise<Lease | undefined> {
    const { table, clock, ids } = this.#ports;
    const key = accountKey(userId as UserId, accountId);
    const now = clock.now();
    const owner = ids.next();
    const endsAt = now + this.#parts.timeoutSeconds * 1000;
    const isFree = anyOf(
      { path: 'leaseOwner', is: 'absent' },
      { path: 'leaseUntil', is: '<=', value: now },
      { path: 'leasedAt', is: '<', value: this.#aloneSince },
    );
    const isWanted = allOf(PRESENT, equals('state', 'active'), { path: 'servedDueAt', is: '<', value: dueAt });
    const changes: Changes = {
      set: { leaseOwner: owner, leasedAt: now, leaseUntil: endsAt + leaseMarginSeconds * 1000 },
    };
    try {
      const account = await table.update<StoredAccount>(key, changes, allOf(isWanted, isFree));
      return { owner, account, endsAt };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const account = await table.get<StoredAccount>(key, { consistent: true });
      if (account === undefined || account.state !== 'active' || account.servedDueAt >= dueAt) return undefined;
      throw new SyncHeld(Math.max(0, (account.leaseUntil ?? 0) - clock.now()));
    }
  }

  async #steps({ account, endsAt }: Lease, asked: boolean): Promise<Record<string, StepState>> {
    const { clock } = this.#ports;
    const states: Record<string, StepState> = { ...account.steps };
    let opened: Promise<AccountVenue> | undefined;
    const context: StepContext = {
      account,
      venue: () => {
        opened ??= this.#open(account);
        return opened;
      },
      checkTime: () => {
        if (clock.now() >= endsAt) throw new Unavailable('The sync took too long.');
      },
    };
    if (!asked && waitsForUser(states)) return states;
    if (Object.values(states).some((state) => waitsForVenue(state, clock.now()))) return states;
    for (const step of this.#parts.steps) {
      const before = states[step.name] ?? untried;
      if (!isDue(before, clock.now(), asked)) continue;
      if (clock.now() >= endsAt - closingSeconds * 1000) break;
      const { state, endsRun } = await this.#run(step, context, before);
      states[step.name] = state;
      if (endsRun) break;
    }
    return states;
  }

  async #run(
    step: SyncStep,
    context: StepContext,
    before: StepState,
  ): Promise<{ readonly state: StepState; readonly endsRun: boolean }> {
    const { clock, logger } = this.#ports;
    const { account } = context;
    const startedAt = clock.now();
    try {
      const items = await step.run(context);
      return { state: succeeded(startedAt, clock.now(), items), endsRun: false };
    } catch (error) {
      // Our own services failing is no matter of the account: the whole sync is made again.
      if (error instanceof DomainError && !(error instanceof VenueError)) throw error;
      const outcome = failed(this.#ports, before, startedAt, clock.now(), error);
      const { failure } = outcome.state;
      if (failure !== before.failure) {
        // Never the error itself: it may quote what the venue was asked.
        const name = error instanceof Error ? error.name : typeof error;
        const where = { accountId: account.accountId, venue: account.venue, step: step.name };
        logger.warn('A step of an account sync fails', { ...where, failure, errorName: name });
      }
      return outcome;
    }
  }

  async #open({ venue, credentials }: StoredAccount): Promise<AccountVenue> {
    const found = credentials === null ? undefined : await this.#parts.vault.get(credentials);
    if (found === undefined)
      throw new VenueError(venue, 'authentication', `The key for ${venue} is not stored any more`);
    return hiding(await this.#parts.open(venue, found), (text) => found.hide(text));
  }

  /** Tells how the steps went and gives the lease back, in one write. */
  async #finish({ owner, account }: Lease, steps: Record<string, StepState>, dueAt: number): Promise<void> {
    const { table, logger } = this.#ports;
    await this.#reschedule(account, steps);
    try {
      await table.update(
        accountKey(account.userId, account.accountId),
        { set: { steps, servedDueAt: dueAt }, remove: leaseAttributes },
        equals('leaseOwner', owner),
      );
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      logger.warn('An account was synchronised by another worker meanwhile', { accountId: account.accountId });
    }
  }

  /** An account that waits for its user is not due any more; one that is to be tried before its next time comes earlier. */
  async #reschedule(account: StoredAccount, steps: Record<string, StepState>): Promise<void> {
    const { table, clock, config } = this.#ports;
    const { userId, accountId } = account;
    const now = clock.now();
    const tries = Object.values(steps).flatMap(({ nextTryAt }) =>
      nextTryAt !== null && nextTryAt > now ? nextTryAt : [],
    );
    const retryAt = Math.min(...tries);
    const sleeps = waitsForUser(steps);
    const wakes = !sleeps && waitsForUser(account.steps);
    const isSooner = retryAt < now + periodOf(account, config) * 1000;
    if (!sleeps && !wakes && !isSooner) return;
    const key = scheduleKey(userId, accountId);
    const schedule = await table.get<StoredSchedule>(key, { consistent: true });
    if (schedule === undefined || (sleeps && schedule.gsi1pk === undefined)) return;
    const dueAt = isSooner ? Math.min(schedule.dueAt, retryAt) : schedule.dueAt;
    if (dueAt === schedule.dueAt && !sleeps && !wakes) return;
    const place = duePlace(accountId, dueAt);
    const changes = sleeps
      ? { remove: Object.keys(place), add: { version: 1 } }
      : { set: { ...place, dueAt }, add: { version: 1 } };
    try {
      await table.update(key, changes, equals('version', schedule.version));
    } catch (error) {
      // The dispatcher moved it on meanwhile: then it is due at its next time, or finds it asleep after that.
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  async #giveBack({ owner, account }: Lease): Promise<void> {
    try {
      await this.#ports.table.update(
        accountKey(account.userId, account.accountId),
        { remove: leaseAttributes },
        equals('leaseOwner', owner),
      );
    } catch {
      // It ends by itself.
    }
  }
}

const leaseAttributes = ['leaseOwner', 'leasedAt', 'leaseUntil'];

/** Whatever a venue says goes on without the account's key, should it quote that. */
const hiding = (venue: AccountVenue, hide: (text: string) => string): AccountVenue => {
  const guarded =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      try {
        return await call(...args);
      } catch (error) {
        if (!(error instanceof VenueError)) throw error;
        const { failure, retryAfterMs, cause } = error;
        throw new VenueError(error.venue, failure, hide(error.message), {
          cause,
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        });
      }
    };
  return {
    id: venue.id,
    needsSymbols: venue.needsSymbols,
    permissions: guarded(() => venue.permissions()),
    balances: guarded(() => venue.balances()),
    positions: guarded(() => venue.positions()),
    openOrders: guarded((symbols: readonly string[]) => venue.openOrders(symbols)),
    closedOrders: guarded((symbols: readonly string[], since: number) => venue.closedOrders(symbols, since)),
    trades: guarded((symbol: string | null, cursor: string | null) => venue.trades(symbol, cursor)),
    transfers: guarded((since: number) => venue.transfers(since)),
  };
};
