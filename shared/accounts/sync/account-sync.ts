import { MetricUnit } from '@aws-lambda-powertools/metrics';
import {
  duePeriod,
  duePlace,
  type StepState,
  type StoredAccount,
  type StoredSchedule,
  scheduleKey,
} from '#shared/accounts/stored';
import type { CredentialVault } from '#shared/accounts/vault';
import type { OpenAccountVenue, OpenedAccount } from '#shared/exchange/account-venue';
import { VenueError } from '#shared/exchange/errors';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals, type Update } from '#shared/platform/table';
import { delayedJobMessage, type SyncJob } from './dispatch.ts';
import {
  failed,
  isDue,
  isFresh,
  type StepContext,
  type SyncStep,
  succeeded,
  untried,
  waitsForUser,
  waitsForVenue,
} from './steps.ts';
import { ScheduleMoved, SyncDropped, SyncLease } from './sync-lease.ts';

export interface AccountSyncParts {
  readonly steps: readonly SyncStep[];
  readonly vault: Pick<CredentialVault, 'get'>;
  readonly open: OpenAccountVenue;
  /** Longest time of one sync; the lease outlasts it. */
  readonly timeoutSeconds: number;
}

/** Before the end of its time a sync begins nothing new, so that it can still tell how it went. */
const closingSeconds = 5;
/** How often the schedule is read anew that the dispatcher moves on at the same time. */
const scheduleAttemptsMax = 5;
/** A message may come a little before its time. */
const earlyMsMax = 1000;
/** Longest that a venue takes to answer one call. */
const callSeconds = 30;

type Ports = Pick<Platform, 'table' | 'queue' | 'clock' | 'ids' | 'random' | 'config' | 'logger' | 'metrics'>;

/** Synchronises one account at a time, step by step; a step that fails is told of in the account and tried again when it is time. */
export class AccountSync {
  readonly #ports: Ports;
  readonly #parts: AccountSyncParts;
  /** On one machine nobody else synchronises: a lease that is older than this process ended with the one before. */
  readonly #aloneSince: number;

  constructor(ports: Ports, parts: AccountSyncParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#aloneSince = ports.config.soleWriterSince;
  }

  /**
   * Makes a sync, unless one was made for this due time or a later one, or the account is gone; one that is not due yet is
   * ordered for then. Made twice, it changes nothing that is right already.
   * @throws {SyncHeld} another worker is at it, for so much longer
   * @throws {Unavailable} the order is to be tried again
   */
  async run(order: SyncJob): Promise<void> {
    const { clock, metrics, queue } = this.#ports;
    const { timeoutSeconds } = this.#parts;
    const startedAt = clock.now();
    if (order.dueAt - startedAt > earlyMsMax) {
      await queue('account-sync').send([delayedJobMessage(order, startedAt)]);
      return;
    }
    try {
      const lease = await SyncLease.open(this.#ports, order, { timeoutSeconds, aloneSince: this.#aloneSince });
      // The balances of a paper account are its own, and nobody else knows of it.
      if (lease.account.mode === 'paper') return;
      await this.#runWith(lease, order.userRequested);
    } catch (error) {
      if (error instanceof SyncDropped) return;
      throw error;
    }
    metrics.addMetric('AccountSyncDuration', MetricUnit.Milliseconds, clock.now() - startedAt);
  }

  async #runWith(lease: SyncLease, asked: boolean): Promise<void> {
    try {
      await this.#finish(lease, await this.#steps(lease, asked));
    } catch (error) {
      await lease.giveBack();
      throw error;
    }
  }

  async #steps(lease: SyncLease, asked: boolean): Promise<Record<string, StepState>> {
    const { clock, table } = this.#ports;
    const { account, dueAt, endsAt } = lease;
    const states = { ...account.steps };
    if (!asked && waitsForUser(states)) throw new SyncDropped('The account waits for its user.');
    // What came a little early is taken to be on time: it may be the one order of a retry.
    const now = Math.max(clock.now(), dueAt);
    if (Object.values(states).some((state) => waitsForVenue(state, now))) return states;
    let opened: Promise<OpenedAccount> | undefined;
    const context: Omit<StepContext, 'before'> = {
      account,
      venue: () => {
        opened ??= this.#open(account);
        return opened;
      },
      write: async (writes) => {
        if (writes.length === 0) return;
        await lease.take();
        await table.writeMany(writes);
      },
      hasTime: () => clock.now() + (callSeconds + closingSeconds) * 1000 < endsAt,
      touched: new Set(),
    };
    try {
      return await this.#runSteps(context, asked, lease);
    } finally {
      const venue = await opened?.catch(() => undefined);
      await venue?.close();
    }
  }

  async #runSteps(
    context: Omit<StepContext, 'before'>,
    asked: boolean,
    { dueAt, endsAt }: Pick<SyncLease, 'dueAt' | 'endsAt'>,
  ): Promise<Record<string, StepState>> {
    const { clock, config } = this.#ports;
    const { account } = context;
    const states: Record<string, StepState> = { ...account.steps };
    // A retry within the period is that of what failed: to ask for the rest again would take others' room.
    const { beganAt } = duePeriod(account, config, Math.max(clock.now(), dueAt));
    for (const step of this.#parts.steps) {
      const before = states[step.name] ?? untried;
      if (!isDue(before, Math.max(clock.now(), dueAt), asked) || (!asked && isFresh(before, beganAt))) continue;
      if (clock.now() >= endsAt - closingSeconds * 1000) break;
      const { state, endsRun } = await this.#run(step, { ...context, before });
      states[step.name] = state;
      if (endsRun) break;
    }
    return states;
  }

  async #run(step: SyncStep, context: StepContext): Promise<{ readonly state: StepState; readonly endsRun: boolean }> {
    const { clock, logger } = this.#ports;
    const { account, before } = context;
    const startedAt = clock.now();
    try {
      const result = await step.run(context);
      return { state: succeeded(step, before, startedAt, clock.now(), result), endsRun: false };
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

  async #open({ venue, credentials }: StoredAccount): Promise<OpenedAccount> {
    const found = credentials === null ? undefined : await this.#parts.vault.get(credentials);
    if (found === undefined)
      throw new VenueError(venue, 'authentication', `The key for ${venue} is not stored any more`);
    return hiding(await this.#parts.open(venue, found), (text) => found.hide(text));
  }

  async #finish(lease: SyncLease, steps: Record<string, StepState>): Promise<void> {
    // First: a worker that is killed in between leaves orders too many, none too few.
    await this.#orderRetries(lease.account, steps);
    for (let attempt = 1; ; attempt++) {
      try {
        return await lease.finish(steps, await this.#rescheduled(lease, steps));
      } catch (error) {
        if (!(error instanceof ScheduleMoved) || attempt === scheduleAttemptsMax) throw error;
      }
    }
  }

  /** Orders a sync for each step that failed now or was not read to its end, for when that is to go on. */
  async #orderRetries({ userId, accountId, steps: before }: StoredAccount, steps: Record<string, StepState>) {
    if (waitsForUser(steps)) return;
    const { queue, clock } = this.#ports;
    const now = clock.now();
    const orders = Object.entries(steps).flatMap(([step, { status, nextTryAt: dueAt }]) => {
      const goesOn = status === 'failing' || status === 'pending';
      return goesOn && dueAt !== null && dueAt !== before[step]?.nextTryAt
        ? [delayedJobMessage({ userId, accountId, dueAt, userRequested: false }, now)]
        : [];
    });
    if (orders.length > 0) await queue('account-sync').send(orders);
  }

  /** How the schedule is to change: an account that waits for its user is not due any more, one that does not any more is. */
  async #rescheduled({ account }: SyncLease, steps: Record<string, StepState>): Promise<Update | undefined> {
    const sleeps = waitsForUser(steps);
    if (sleeps === waitsForUser(account.steps)) return undefined;
    const { userId, accountId } = account;
    const key = scheduleKey(userId, accountId);
    const schedule = await this.#ports.table.get<StoredSchedule>(key, { consistent: true });
    if (schedule === undefined) return undefined;
    const place = duePlace(accountId, schedule.dueAt);
    const changes = sleeps ? { remove: [...Object.keys(place), 'asked'] } : { set: place };
    return { update: key, changes: { ...changes, add: { version: 1 } }, if: equals('version', schedule.version) };
  }
}

/** Whatever a venue says goes on without the account's key, should it quote that. */
const hiding = (venue: OpenedAccount, hide: (text: string) => string): OpenedAccount => {
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
    close: () => venue.close(),
    permissions: guarded(() => venue.permissions()),
    balances: guarded(() => venue.balances()),
    positions: guarded(() => venue.positions()),
    openOrders: guarded((symbols: readonly string[]) => venue.openOrders(symbols)),
    closedOrders: guarded((symbols: readonly string[], since: number) => venue.closedOrders(symbols, since)),
    trades: guarded((symbol: string | null, cursor: string | null) => venue.trades(symbol, cursor)),
    transfers: guarded((since: number) => venue.transfers(since)),
    ...(venue.tradedSymbols && { tradedSymbols: guarded(venue.tradedSymbols.bind(venue)) }),
  };
};
