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
import { DomainError, Unavailable } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Message, Platform } from '#shared/platform/ports';
import { equals, type Update } from '#shared/platform/table';
import { delayedJobMessage, followUp, jobMessage, type SyncJob } from './dispatch.ts';
import {
  failed,
  isDue,
  isFresh,
  isPaused,
  pauseOf,
  type StepContext,
  type SyncStep,
  succeeded,
  untried,
  waitsForVenue,
} from './steps.ts';
import { SyncDropped, SyncHeld, SyncLease } from './sync-lease.ts';

export interface AccountSyncParts {
  readonly steps: readonly SyncStep[];
  readonly vault: Pick<CredentialVault, 'get'>;
  readonly open: OpenAccountVenue;
  /** Longest time of one sync; the lease outlasts it. */
  readonly timeoutSeconds: number;
}

/** A sync starts nothing new this long before the end of its time, so that it can still record its results. */
const closingSeconds = 5;
/** Attempts to write the schedule, which the dispatcher may change at the same time. */
const scheduleAttemptsMax = 5;
/** A message may arrive a little before its time. */
const earlyMsMax = 1000;
/** Longest that a venue takes to answer one call. */
const callSeconds = 30;
/** A sync that takes longer acquires its lease even with nothing to write yet, so that no other sync starts. */
const unleasedMsMax = 10_000;
/** When a sync that the user requested is retried while another one is running. */
const heldRetrySeconds = 5;

type Ports = Pick<Platform, 'table' | 'queue' | 'clock' | 'ids' | 'random' | 'config' | 'logger' | 'metrics'>;

/** Synchronises one account at a time, step by step. A step that fails is recorded in the account and retried when it is due. */
export class AccountSync {
  readonly #ports: Ports;
  readonly #parts: AccountSyncParts;
  /** On one machine no other process synchronises: a lease from before its start ended with the process that held it. */
  readonly #aloneSince: number;
  /** When each running sync of this process started, epoch ms, by account. */
  readonly #running = new Map<string, number>();

  constructor(ports: Ports, parts: AccountSyncParts) {
    this.#ports = ports;
    this.#parts = parts;
    this.#aloneSince = ports.config.soleWriterSince;
  }

  /**
   * Runs a sync, unless one ran for this due time or a later one, or the account is gone; one that is not due yet is
   * enqueued for then. It is idempotent. A sync that the user requests during another one follows it.
   * @throws {SyncHeld} another worker is synchronising the account
   * @throws {Unavailable} the job is to be retried
   */
  async run(job: SyncJob): Promise<void> {
    const { clock, metrics } = this.#ports;
    const startedAt = clock.now();
    if (job.dueAt - startedAt > earlyMsMax) {
      await this.#enqueue([followUp(job)], (next) => delayedJobMessage(next, startedAt));
      return;
    }
    try {
      await this.#runAlone(job, startedAt);
    } catch (error) {
      if (error instanceof SyncDropped) return;
      if (!(error instanceof SyncHeld && job.userRequested)) throw error;
      await this.#enqueue([followUp(job)], (next) => jobMessage(next, heldRetrySeconds));
      return;
    }
    metrics.addMetric('AccountSyncDuration', MetricUnit.Milliseconds, clock.now() - startedAt);
  }

  async #runAlone(job: SyncJob, startedAt: number): Promise<void> {
    const { timeoutSeconds } = this.#parts;
    // First: a job that is served already is dropped at once, and holds up no other one.
    const lease = await SyncLease.open(this.#ports, job, { timeoutSeconds, aloneSince: this.#aloneSince });
    const runningSince = this.#running.get(job.accountId);
    if (runningSince !== undefined) {
      throw new SyncHeld(Math.max(0, runningSince + timeoutSeconds * 1000 - startedAt));
    }
    this.#running.set(job.accountId, startedAt);
    try {
      // A paper account exists at no venue.
      if (lease.account.mode === 'live') await this.#runWith(lease, job, startedAt);
    } finally {
      this.#running.delete(job.accountId);
    }
  }

  async #runWith(lease: SyncLease, job: SyncJob, startedAt: number): Promise<void> {
    try {
      await this.#finish(lease, job, await this.#steps(lease, job.userRequested, startedAt));
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  async #steps(lease: SyncLease, userRequested: boolean, startedAt: number): Promise<Record<string, StepState>> {
    const { clock, table } = this.#ports;
    const { account, dueAt, endsAt } = lease;
    const states = { ...account.steps };
    // A job that arrived slightly early counts as on time: it may be the only one of a retry.
    const now = Math.max(clock.now(), dueAt);
    if (!userRequested && isPaused(states, now)) throw new SyncDropped('The account is paused.');
    if (Object.values(states).some((state) => waitsForVenue(state, now))) return states;
    // Steps without a result will write one: no other sync should start during a first one, which may take long.
    if (this.#parts.steps.some(({ name }) => (states[name]?.status ?? 'pending') === 'pending')) await lease.acquire();
    let opened: Promise<OpenedAccount> | undefined;
    const onAnswer = async () => {
      if (clock.now() - startedAt > unleasedMsMax) await lease.acquire();
    };
    const context: Omit<StepContext, 'before'> = {
      account,
      venue: () => {
        opened ??= this.#open(account, onAnswer);
        return opened;
      },
      write: async (writes) => {
        if (writes.length === 0) return;
        await lease.acquire();
        await table.writeMany(writes);
      },
      hasTime: () => clock.now() + (callSeconds + closingSeconds) * 1000 < endsAt,
      touched: new Set(),
    };
    try {
      return await this.#runSteps(context, userRequested, lease);
    } finally {
      const venue = await opened?.catch(() => undefined);
      await venue?.close();
    }
  }

  async #runSteps(
    context: Omit<StepContext, 'before'>,
    userRequested: boolean,
    lease: SyncLease,
  ): Promise<Record<string, StepState>> {
    const { clock, config } = this.#ports;
    const { account } = context;
    const { dueAt, endsAt } = lease;
    const states: Record<string, StepState> = { ...account.steps };
    // A retry within the period reads only what failed: reading the rest again would use up the rate limit.
    const { beganAt } = duePeriod(account, config, Math.max(clock.now(), dueAt));
    let isUnpublished = false;
    let hasRun = false;
    for (const step of this.#parts.steps) {
      const before = states[step.name] ?? untried;
      const now = Math.max(clock.now(), dueAt);
      if (!isDue(before, now, userRequested) || (!userRequested && isFresh(before, beganAt, now))) continue;
      if (clock.now() >= endsAt - closingSeconds * 1000) {
        // Nothing was read: the due time is not served.
        if (!hasRun) throw new Unavailable('The sync took too long.');
        break;
      }
      hasRun = true;
      if (isUnpublished) await lease.publish(unscheduled(states, account.steps));
      const { state, endsRun } = await this.#run(step, { ...context, before });
      states[step.name] = state;
      isUnpublished = isNews(before, state);
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
      return succeeded(this.#ports, step, before, startedAt, clock.now(), result);
    } catch (error) {
      // A failure of our own services says nothing about the account: the whole sync is retried.
      if (error instanceof DomainError && !(error instanceof VenueError)) throw error;
      const outcome = failed(this.#ports, before, startedAt, clock.now(), error);
      const { failure } = outcome.state;
      if (failure !== before.failure) {
        // Never the error itself: it may quote the request.
        const name = error instanceof Error ? error.name : typeof error;
        const where = { accountId: account.accountId, venue: account.venue, step: step.name };
        logger.warn('A step of an account sync fails', { ...where, failure, errorName: name });
      }
      return outcome;
    }
  }

  async #open({ venue, credentials }: StoredAccount, onAnswer: () => Promise<void>): Promise<OpenedAccount> {
    const found = credentials === null ? undefined : await this.#parts.vault.get(credentials);
    if (found === undefined) throw new VenueError(venue, 'authentication', `The key for ${venue} is no longer stored`);
    return guarded(await this.#parts.open(venue, found), (text) => found.hide(text), onAnswer);
  }

  async #finish(lease: SyncLease, job: SyncJob, steps: Record<string, StepState>): Promise<void> {
    // First: a worker that is killed in between leaves an extra job, never a missing one.
    await this.#scheduleRetries(lease.account, job, steps);
    await optimistic(
      this.#ports,
      async () => await lease.finish(steps, await this.#rescheduled(lease.account, steps)),
      { attemptsMax: scheduleAttemptsMax },
    );
  }

  /** Enqueues a sync for each step that failed or was read in part, for when it continues. */
  async #scheduleRetries({ steps: before }: StoredAccount, job: SyncJob, steps: Record<string, StepState>) {
    if (pauseOf(steps) !== undefined) return;
    const now = this.#ports.clock.now();
    const jobs = Object.entries(steps).flatMap(([step, { status, nextTryAt: dueAt }]) => {
      const isRetried = status === 'failing' || status === 'pending';
      return isRetried && dueAt !== null && dueAt !== before[step]?.nextTryAt
        ? [followUp(job, { dueAt, userRequested: false })]
        : [];
    });
    await this.#enqueue(jobs, (next) => delayedJobMessage(next, now));
  }

  /** Enqueues the jobs that follow from one; undefined stands for one whose chain is too long. */
  async #enqueue(jobs: readonly (SyncJob | undefined)[], messageOf: (job: SyncJob) => Message): Promise<void> {
    const { queue, logger } = this.#ports;
    const messages = jobs.flatMap((job) => (job === undefined ? [] : [messageOf(job)]));
    if (messages.length < jobs.length) logger.warn('A chain of account syncs is too long; the dispatcher continues it');
    if (messages.length > 0) await queue('account-sync').send(messages);
  }

  /** How the schedule changes: a paused account is due when its pause ends, and every period again once it can be read. */
  async #rescheduled(account: StoredAccount, steps: Record<string, StepState>): Promise<Update | undefined> {
    const pause = pauseOf(steps);
    if (pause?.until === pauseOf(account.steps)?.until) return undefined;
    const { userId, accountId } = account;
    const key = scheduleKey(userId, accountId);
    const schedule = await this.#ports.table.get<StoredSchedule>(key, { consistent: true });
    if (schedule === undefined) return undefined;
    const { endsAt } = duePeriod(account, this.#ports.config, this.#ports.clock.now());
    const dueAt = pause?.until ?? Math.min(schedule.dueAt, endsAt);
    const place = Number.isFinite(dueAt) ? { ...duePlace(accountId, dueAt), dueAt } : {};
    const changes =
      pause === undefined
        ? { set: place, remove: ['isPaused'] }
        : { set: { ...place, isPaused: true }, remove: ['userRequested'] };
    return { update: key, changes: { ...changes, add: { version: 1 } }, if: equals('version', schedule.version) };
  }
}

/** Whether a step's result is worth a write while the sync is running. */
const isNews = (before: StepState, { status, detail, lastSuccessAt }: StepState): boolean =>
  status !== before.status || detail !== before.detail || (before.lastSuccessAt === null && lastSuccessAt !== null);

/**
 * States as they are published while their sync is running. The retries of this sync are enqueued when it ends: if it is
 * killed before that, those steps are due at once.
 */
const unscheduled = (
  states: Readonly<Record<string, StepState>>,
  before: StoredAccount['steps'],
): Record<string, StepState> =>
  Object.fromEntries(
    Object.entries(states).map(([step, state]) => {
      const isRetried = state.status === 'failing' || state.status === 'pending';
      const isNew = state.nextTryAt !== before[step]?.nextTryAt;
      return [step, isRetried && isNew ? { ...state, nextTryAt: null } : state];
    }),
  );

/** The venue, with the account's key removed from its errors. @param onAnswer runs after each answer */
const guarded = (
  venue: OpenedAccount,
  hide: (text: string) => string,
  onAnswer: () => Promise<void>,
): OpenedAccount => {
  const guard =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      try {
        const answer = await call(...args);
        await onAnswer();
        return answer;
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
    permissions: guard(() => venue.permissions()),
    balances: guard(() => venue.balances()),
    positions: guard(() => venue.positions()),
    openOrders: guard((symbols: readonly string[]) => venue.openOrders(symbols)),
    closedOrders: guard((symbols: readonly string[], since: number) => venue.closedOrders(symbols, since)),
    trades: guard((symbol: string | null, cursor: string | null) => venue.trades(symbol, cursor)),
    transfers: guard((since: number) => venue.transfers(since)),
    ...(venue.tradedSymbols && { tradedSymbols: guard(venue.tradedSymbols.bind(venue)) }),
  };
};
