import { isDeepStrictEqual } from 'node:util';
import type { SyncFailure } from '#shared/accounts/account';
import type { StepName, StepState, StoredAccount } from '#shared/accounts/stored';
import type { AccountVenue } from '#shared/exchange/account-venue';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import type { Platform } from '#shared/platform/ports';
import type { Delete, Put } from '#shared/platform/table';

/** What a step of an account's sync works with. */
export interface StepContext {
  readonly account: StoredAccount;
  /** How the step went last. */
  readonly before: StepState;
  /** The account at its venue. @throws {VenueError} its key is not there any more */
  readonly venue: () => Promise<AccountVenue>;
  /**
   * Writes what follows from what the venue told, each write for itself, while nobody else writes to the account.
   * A step writes nothing in another way.
   * @throws {DomainError} the time of this sync is over, or another worker was first
   */
  readonly write: (writes: readonly (Put | Delete)[]) => Promise<void>;
  /** Whether there is time for another request: one that begins now ends in time. */
  readonly hasTime: () => boolean;
  /** Assets and symbols in which this sync found something new, for the steps that follow. */
  readonly touched: Set<string>;
}

export interface StepResult {
  /** How many items the venue told of. */
  readonly items: number;
  /** There was more than this sync had time for: another one goes on soon. */
  readonly isPart?: boolean;
}

/** One part of an account's sync, which can fail without the others. Run again, it changes nothing that is right already. */
export interface SyncStep {
  readonly name: StepName;
  /** Runs no more often than this, unless the user asks; with each sync when left out. */
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

const retrySeconds = 5;
/** How soon what was not read to its end is read on. */
const partSeconds = 5;
const retrySecondsMax = 900;
/** Where a venue does not tell when to come back. */
const waitSeconds = 60;
/** What a venue does not offer today an update of the software may. */
const notSupportedHours = 24;

interface Strategy {
  readonly status: StepState['status'];
  readonly failure: SyncFailure;
  /** What the user can do, appended to what the venue said. */
  readonly advice: string;
  /** Whether the account's other steps would fail the same. */
  readonly endsRun: boolean;
}

const retry: Omit<Strategy, 'failure'> = { status: 'failing', advice: 'It is tried again by itself.', endsRun: false };
const unexpected: Strategy = { ...retry, failure: 'unknown' };

const strategies: Readonly<Record<VenueFailure, Strategy>> = {
  retryable: { ...retry, failure: 'retryable' },
  unknown: unexpected,
  // No step places orders, so that these are not about the account.
  'invalid-order': unexpected,
  'insufficient-funds': unexpected,
  'rate-limited': { ...retry, failure: 'rate-limited', endsRun: true },
  maintenance: { ...retry, failure: 'maintenance', endsRun: true },
  authentication: {
    status: 'paused',
    failure: 'authentication',
    advice: 'Check the key at the venue, give a new one with PUT /api/exchange/accounts/{accountId}, or sync again.',
    endsRun: true,
  },
  permission: {
    status: 'paused',
    failure: 'permission',
    advice: "Allow it for the key at the venue (reading, and this server's address), then sync again.",
    endsRun: false,
  },
  'not-supported': {
    status: 'not-supported',
    failure: 'not-supported',
    advice: 'This part is left out.',
    endsRun: false,
  },
};

/** A step's state after it succeeded, wholly or in part. */
export const succeeded = (
  { everySeconds }: Pick<SyncStep, 'everySeconds'>,
  before: StepState,
  startedAt: number,
  now: number,
  { items, isPart = false }: StepResult,
): StepState => ({
  ...{ lastAttemptAt: startedAt, durationMs: now - startedAt, items, failure: null, failures: 0 },
  ...(isPart
    ? {
        ...{ status: 'pending', lastSuccessAt: before.lastSuccessAt, detail: 'It is read bit by bit.' },
        nextTryAt: now + partSeconds * 1000,
      }
    : {
        ...{ status: 'ok', lastSuccessAt: now, detail: null },
        nextTryAt: everySeconds === undefined ? null : startedAt + everySeconds * 1000,
      }),
});

/** A step's state after it failed, and whether the run ends with it. Anything but a {@link VenueError} tells nothing of itself. */
export const failed = (
  { random }: Pick<Platform, 'random'>,
  before: StepState,
  startedAt: number,
  now: number,
  error: unknown,
): { readonly state: StepState; readonly endsRun: boolean } => {
  const told = error instanceof VenueError ? error : undefined;
  const { status, failure, advice, endsRun } = told === undefined ? unexpected : strategies[told.failure];
  const failures = before.failures + 1;
  const waitMs = waitOf(failure, failures, told?.retryAfterMs, random.number());
  return {
    state: {
      ...before,
      status,
      lastAttemptAt: startedAt,
      durationMs: now - startedAt,
      failure,
      detail: `${told?.message ?? 'Something went wrong on our side'}. ${advice}`,
      nextTryAt: waitMs === null ? null : now + waitMs,
      failures,
    },
    endsRun,
  };
};

/** @returns milliseconds, or null: until the user did something */
const waitOf = (
  failure: SyncFailure,
  failures: number,
  retryAfterMs: number | undefined,
  chance: number,
): number | null => {
  if (failure === 'authentication' || failure === 'permission') return null;
  if (failure === 'not-supported') return notSupportedHours * 3_600_000;
  // Who waits for room at a venue would miss it for long: the venue's budget keeps all of them from asking too often.
  const mostSeconds = failure === 'rate-limited' ? waitSeconds : retrySecondsMax;
  const backOffMs = Math.min(retrySeconds * 2 ** (failures - 1), mostSeconds) * 1000 * (0.5 + chance / 2);
  const isWait = failure === 'rate-limited' || failure === 'maintenance';
  // The venue's own word is kept in full, and those that it was told to come back a little apart.
  const leastMs = retryAfterMs ?? (isWait ? waitSeconds * 1000 : 0);
  return Math.round(Math.max(backOffMs, leastMs * (1 + chance / 10)));
};

/** Whether a step is to run now. @param asked the user wants it: what is paused is tried once more */
export const isDue = ({ status, nextTryAt }: StepState, now: number, asked: boolean): boolean => {
  if (status === 'paused') return asked;
  if ((status === 'not-supported' || status === 'ok') && asked) return true;
  return nextTryAt === null || nextTryAt <= now;
};

/** Whether a step succeeded at that time or later, epoch ms. */
export const isFresh = ({ status, lastSuccessAt }: StepState, since: number): boolean =>
  status === 'ok' && lastSuccessAt !== null && lastSuccessAt >= since;

/** Whether two states differ by more than when it was last tried, and how long that took. */
export const isSameState = (a: StoredAccount['steps'], b: StoredAccount['steps']): boolean =>
  isDeepStrictEqual(withoutTimes(a), withoutTimes(b));

const withoutTimes = (states: StoredAccount['steps']) =>
  Object.fromEntries(
    Object.entries(states).map(
      ([step, { lastSuccessAt: _success, lastAttemptAt: _attempt, durationMs: _ms, ...rest }]) => [step, rest],
    ),
  );

/** Whether nothing of an account can go on before its user did something. */
export const waitsForUser = (states: StoredAccount['steps']): boolean => {
  const all = Object.values(states);
  return (
    all.some(({ failure }) => failure === 'authentication') ||
    (all.length > 0 && all.every(({ status }) => status === 'paused'))
  );
};

/** Whether the venue said that it wants to be left alone, which no step may ignore. */
export const waitsForVenue = ({ failure, nextTryAt }: StepState, now: number): boolean =>
  (failure === 'rate-limited' || failure === 'maintenance') && nextTryAt !== null && nextTryAt > now;
