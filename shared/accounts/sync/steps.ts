import { isDeepStrictEqual } from 'node:util';
import type { SyncFailure } from '#shared/accounts/account';
import type { StepName, StepState, StoredAccount, WalletState } from '#shared/accounts/stored';
import type { AccountVenue, RejectedRow } from '#shared/exchange/account-venue';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import { exponentialMs } from '#shared/platform/backoff';
import { isPossible } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import type { Delete, Put } from '#shared/platform/table';

/** What a step of an account's sync works with. */
export interface StepContext {
  readonly account: StoredAccount;
  /** The step's state after its last run. */
  readonly before: StepState;
  /** The account at its venue. @throws {VenueError} its key is no longer stored */
  readonly venue: () => Promise<AccountVenue>;
  /**
   * Writes the step's results, not atomically, while no other worker writes to the account. It is a step's only way to
   * write.
   * @throws {DomainError} the time of this sync is over, or another worker was first
   */
  readonly write: (writes: readonly (Put | Delete)[]) => Promise<void>;
  /** Whether there is time for another request: one that starts now ends in time. */
  readonly hasTime: () => boolean;
  /** Assets and symbols in which this sync found something new, for later steps. */
  readonly touched: Set<string>;
}

export interface StepResult {
  /** How many items the venue reported. */
  readonly items: number;
  /** There was more than this sync had time for: another one continues soon. */
  readonly isPart?: boolean;
  /** Rows of the venue that could not be read. */
  readonly rejected?: readonly Pick<RejectedRow, 'id' | 'reason'>[];
  /** The state of each wallet. */
  readonly wallets?: Readonly<Record<string, WalletState>>;
  /** Why a part could not be read; the rest was read. */
  readonly error?: VenueError;
}

/** One part of an account's sync, which can fail on its own. It is idempotent. */
export interface SyncStep {
  readonly name: StepName;
  /** Runs at most this often, unless the user requests it; with each sync when absent. */
  readonly everySeconds?: number;
  /** @throws {VenueError} */
  run(context: StepContext): Promise<StepResult>;
}

export const untried: StepState = {
  status: 'pending',
  lastSuccessAt: null,
  lastAttemptAt: null,
  durationMs: null,
  items: null,
  failure: null,
  detail: null,
  nextTryAt: null,
  failures: 0,
};

const retryBackoff = { firstMs: 5_000, longestMs: 900_000 };
/** Short, because a sync that waits for a venue's rate limit would miss free capacity; the venue's budget limits all syncs together. */
const roomBackoff = { firstMs: 5_000, longestMs: 60_000 };
/** How soon a list that was read in part is continued. */
const partSeconds = 5;
/** Where a venue does not say when to retry. */
const waitSeconds = 60;
/** A wait this long or longer is a lockout of the key or address; each further one doubles the wait. */
const lockoutMs = 15 * 60_000;
const lockoutMsMax = 24 * 3_600_000;
/**
 * When a refused key is retried: some venues refuse a valid key for minutes (Kraken's `EAPI:Invalid key`),
 * and permissions are changed at the venue. Then hourly for a day, then daily.
 */
const keyRetryMinutes = 15;
const hourlyKeyRetries = 24;
/** An update of the software may support what is not offered today. */
const notSupportedHours = 24;

interface Strategy {
  readonly status: StepState['status'];
  readonly failure: SyncFailure;
  /** What the user can do, appended to the venue's explanation. */
  readonly advice: string;
  /** Whether the account's other steps would fail in the same way. */
  readonly endsRun: boolean;
}

const retry: Omit<Strategy, 'failure'> = { status: 'failing', advice: 'It is retried automatically.', endsRun: false };
const unexpected: Strategy = { ...retry, failure: 'unknown' };

const strategies: Readonly<Record<VenueFailure, Strategy>> = {
  retryable: { ...retry, failure: 'retryable' },
  unknown: unexpected,
  // No step places orders, so these say nothing about the account.
  'invalid-order': unexpected,
  'insufficient-funds': unexpected,
  'rate-limited': { ...retry, failure: 'rate-limited', endsRun: true },
  maintenance: { ...retry, failure: 'maintenance', endsRun: true },
  authentication: {
    status: 'paused',
    failure: 'authentication',
    advice:
      'It is retried from time to time. Check the key at the venue, replace it with PUT /api/exchange/accounts/{accountId}, or sync again.',
    endsRun: true,
  },
  permission: {
    status: 'paused',
    failure: 'permission',
    advice:
      "It is retried from time to time. Allow it for the key at the venue (reading, and this server's address), or sync again.",
    endsRun: false,
  },
  'not-supported': {
    status: 'not-supported',
    failure: 'not-supported',
    advice: 'This part is left out.',
    endsRun: false,
  },
};

/** Reasons of rejected rows that are shown. */
const reasonsShown = 3;

/** A step's state after it succeeded, or a part of it did, and whether the run ends with it. */
export const succeeded = (
  ports: Pick<Platform, 'random'>,
  { everySeconds }: Pick<SyncStep, 'everySeconds'>,
  before: StepState,
  startedAt: number,
  now: number,
  { items, isPart = false, rejected = [], wallets, error }: StepResult,
): { readonly state: StepState; readonly endsRun: boolean } => {
  const { rejected: _rejected, ...last } = before;
  const read = {
    ...{ items, durationMs: now - startedAt, lastAttemptAt: startedAt },
    ...(rejected.length === 0 ? {} : { rejected: rejected.length }),
    ...(wallets === undefined ? {} : { wallets }),
  };
  if (error !== undefined) {
    const { state, endsRun } = failed(ports, before, startedAt, now, error);
    // What can be read is read with each sync, unless the venue said when to retry.
    return {
      state: {
        ...last,
        ...read,
        ...onlyIf(endsRun, state),
        status: 'failing',
        detail: `${error.message}. The rest is up to date.`,
      },
      endsRun,
    };
  }
  const left = rejected.length === 0 ? null : leftOut(rejected);
  const state: StepState = isPart
    ? {
        ...{ ...read, failure: null, failures: 0, status: 'pending', lastSuccessAt: before.lastSuccessAt },
        ...{ detail: joined('It is read in several parts.', left), nextTryAt: now + partSeconds * 1000 },
      }
    : {
        ...{ ...read, failure: null, failures: 0, status: 'ok', lastSuccessAt: now, detail: left },
        nextTryAt: everySeconds === undefined ? null : startedAt + everySeconds * 1000,
      };
  return { state, endsRun: false };
};

const onlyIf = (isWait: boolean, { failure, failures, nextTryAt }: StepState) => ({
  ...{ failure, failures, nextTryAt: isWait ? nextTryAt : null },
});

const joined = (text: string, more: string | null): string => (more === null ? text : `${text} ${more}`);

const leftOut = (rejected: readonly Pick<RejectedRow, 'id' | 'reason'>[]): string => {
  const reasons = rejected.slice(0, reasonsShown).map(({ id, reason }) => (id === null ? reason : `${id}: ${reason}`));
  const more = rejected.length > reasonsShown ? '; …' : '';
  const rows = rejected.length === 1 ? '1 row of the venue is' : `${rejected.length} rows of the venue are`;
  return `${rows} left out, unreadable (${reasons.join('; ')}${more}).`;
};

/** A step's state after it failed, and whether the run ends with it. Only the text of a {@link VenueError} is shown. */
export const failed = (
  { random }: Pick<Platform, 'random'>,
  before: StepState,
  startedAt: number,
  now: number,
  error: unknown,
): { readonly state: StepState; readonly endsRun: boolean } => {
  const known = error instanceof VenueError ? error : undefined;
  const { status, failure, advice, endsRun } = known === undefined ? unexpected : strategies[known.failure];
  // A key that is refused starts its own series: retries that came before say nothing about it.
  const failures = isOfKey(failure) === isOfKey(before.failure) ? before.failures + 1 : 1;
  const waitMs = waitOf({ before, failure, failures, retryAfterMs: known?.retryAfterMs, chance: random.number() });
  return {
    state: {
      ...before,
      ...(before.wallets === undefined ? {} : { wallets: allFailing(before.wallets, known?.message ?? ourFault) }),
      status,
      lastAttemptAt: startedAt,
      durationMs: now - startedAt,
      failure,
      detail: `${known?.message ?? ourFault}. ${advice}`,
      nextTryAt: now + waitMs,
      failures,
    },
    endsRun,
  };
};

const ourFault = 'Something went wrong on our side';

const allFailing = (wallets: NonNullable<StepState['wallets']>, detail: string): NonNullable<StepState['wallets']> =>
  Object.fromEntries(
    Object.entries(wallets).map(([wallet, state]) => [
      wallet,
      state.status === 'not-offered' ? state : { ...state, status: 'failing', detail },
    ]),
  );

const isOfKey = (failure: SyncFailure | null): boolean => failure === 'authentication' || failure === 'permission';

interface Failing {
  readonly before: StepState;
  readonly failure: SyncFailure;
  readonly failures: number;
  readonly retryAfterMs: number | undefined;
  /** 0..1 */
  readonly chance: number;
}

/** @returns milliseconds until the next try */
const waitOf = ({ before, failure, failures, retryAfterMs, chance }: Failing): number => {
  if (isOfKey(failure)) return Math.round(keyWaitMs(failures) * (1 + chance / 10));
  if (failure === 'not-supported') return notSupportedHours * 3_600_000;
  const backoff = failure === 'rate-limited' ? roomBackoff : retryBackoff;
  const backOffMs = exponentialMs(failures, backoff) * (0.5 + chance / 2);
  const isWait = failure === 'rate-limited' || failure === 'maintenance';
  const leastMs = retryAfterMs ?? (isWait ? waitSeconds * 1000 : 0);
  const grownMs = failure === 'rate-limited' && leastMs >= lockoutMs ? lockoutWaitMs(before, leastMs) : leastMs;
  // The venue's own time is respected in full, with jitter for accounts that wait for the same moment.
  return Math.round(Math.max(backOffMs, grownMs * (1 + chance / 10)));
};

const keyWaitMs = (failures: number): number => {
  if (failures === 1) return keyRetryMinutes * 60_000;
  return failures <= 1 + hourlyKeyRetries ? 3_600_000 : 24 * 3_600_000;
};

/** Twice the previous wait, if that was for a lockout as well. */
const lockoutWaitMs = ({ failure, lastAttemptAt, nextTryAt }: StepState, leastMs: number): number => {
  const waitedMs = failure === 'rate-limited' ? (nextTryAt ?? 0) - (lastAttemptAt ?? 0) : 0;
  return waitedMs < lockoutMs ? leastMs : Math.max(leastMs, Math.min(2 * waitedMs, lockoutMsMax));
};

/** Whether a stored state can be trusted: a state from before the clock was set back says nothing about now. */
const isTrusted = ({ lastAttemptAt }: StepState, now: number): boolean =>
  lastAttemptAt === null || isPossible(lastAttemptAt, now);

/** Whether a step is to run now. @param userRequested steps that wait for their next try run now */
export const isDue = (state: StepState, now: number, userRequested: boolean): boolean => {
  const { status, nextTryAt } = state;
  if (userRequested && status !== 'failing' && status !== 'pending') return true;
  return nextTryAt === null || nextTryAt <= now || !isTrusted(state, now);
};

/** Whether a step succeeded at that time or later. Both epoch ms. */
export const isFresh = ({ status, lastSuccessAt }: StepState, since: number, now: number): boolean =>
  status === 'ok' && lastSuccessAt !== null && lastSuccessAt >= since && isPossible(lastSuccessAt, now);

/** When a step last succeeded, epoch ms; null where it never did, or where the stored time is in the future. */
export const succeededAt = ({ lastSuccessAt }: Pick<StepState, 'lastSuccessAt'>, now: number): number | null =>
  lastSuccessAt !== null && isPossible(lastSuccessAt, now) ? lastSuccessAt : null;

/** Whether two states are the same except for the time and duration of their last attempt. */
export const isSameState = (a: StoredAccount['steps'], b: StoredAccount['steps']): boolean =>
  isDeepStrictEqual(withoutTimes(a), withoutTimes(b));

const withoutTimes = (states: StoredAccount['steps']) =>
  Object.fromEntries(
    Object.entries(states).map(
      ([step, { lastSuccessAt: _success, lastAttemptAt: _attempt, durationMs: _ms, wallets = {}, ...rest }]) => [
        step,
        { ...rest, wallets: Object.entries(wallets).map(([wallet, { status, detail }]) => [wallet, status, detail]) },
      ],
    ),
  );

/** Until when an account with a refused key is idle, epoch ms; infinity: until its user acts. */
export interface Pause {
  readonly until: number;
}

/**
 * The pause of an account of which no step can run: the venue refuses its key, or each of its steps.
 * @returns undefined where something can be read
 */
export const pauseOf = (states: StoredAccount['steps']): Pause | undefined => {
  const all = Object.values(states);
  const refused = all.filter(({ failure }) => failure === 'authentication');
  const isPaused = all.length > 0 && all.every(({ status }) => status === 'paused');
  if (refused.length === 0 && !isPaused) return undefined;
  // Steps paused by earlier versions have no next try.
  const tries = (refused.length > 0 ? refused : all).map(({ nextTryAt }) => nextTryAt ?? Number.POSITIVE_INFINITY);
  return { until: Math.min(...tries) };
};

/** Whether an account is paused now. @param now epoch ms */
export const isPaused = (states: StoredAccount['steps'], now: number): boolean => {
  const pause = pauseOf(states);
  return pause !== undefined && pause.until > now && Object.values(states).every((state) => isTrusted(state, now));
};

/** Whether the venue said when to retry, which no step may ignore. */
export const waitsForVenue = (state: StepState, now: number): boolean => {
  const { failure, nextTryAt } = state;
  const isWait = failure === 'rate-limited' || failure === 'maintenance';
  return isWait && nextTryAt !== null && nextTryAt > now && isTrusted(state, now);
};
