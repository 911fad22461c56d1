import { accountKey, type StepState, type StoredAccount } from '#shared/accounts/stored';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, DomainError, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import { type HeldLease, Lease } from '#shared/platform/lease';
import { isPossible, isWithin } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import { allOf, type Changes, equals, type Update, type WriteCondition } from '#shared/platform/table';
import type { SyncJob } from './dispatch.ts';
import { isSameState } from './steps.ts';

/** Another worker synchronises the account. */
export class SyncHeld extends DomainError {
  readonly code = 'sync-held';
  override readonly name = 'SyncHeld';
  /** Longest that the other worker may take. */
  readonly remainingMs: number;
  constructor(remainingMs: number) {
    super('Another worker synchronises the account.');
    this.remainingMs = remainingMs;
  }
}

/** The sync is not needed: it ran already, the account is gone, or it is paused. */
export class SyncDropped extends DomainError {
  readonly code = 'sync-dropped';
  override readonly name = 'SyncDropped';
}

/** How much longer than its sync a lease lasts. */
const leaseMarginSeconds = 10;
/** Longest that AWS Lambda runs a function, and so a sync. Each lease stores its own end. */
const leaseSecondsMax = 15 * 60;
const syncLease = new Lease({ until: 'leaseUntil', since: 'leasedAt', owner: 'leaseOwner' }, leaseSecondsMax * 1000);
/** A status in which only times changed is written at most once in this time. */
export const statusSeconds = 60;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'logger'>;

export interface LeaseTerms {
  readonly timeoutSeconds: number;
  /** A lease from before this time, epoch ms, ended with the process that held it. */
  readonly aloneSince: number;
}

/**
 * One worker's lease on an account. A sync starts without it, because most syncs find nothing to write, and acquires it
 * before its first write. It succeeds only if no other sync wrote since the account was read; the venue is read after
 * that, so that older facts never overwrite newer ones. A sync without changes leaves no trace: if its job is delivered
 * again, it runs again.
 */
export class SyncLease {
  readonly account: StoredAccount;
  /** When the sync was due, epoch ms. */
  readonly dueAt: number;
  /** When the sync's time is up, epoch ms. */
  readonly endsAt: number;
  readonly #ports: Ports;
  readonly #job: SyncJob;
  #held: HeldLease | undefined;

  private constructor(ports: Ports, job: SyncJob, account: StoredAccount, endsAt: number) {
    this.#ports = ports;
    this.#job = job;
    this.account = account;
    this.dueAt = job.dueAt;
    this.endsAt = endsAt;
  }

  /**
   * Reads the account for a sync.
   * @throws {SyncDropped} it needs no sync @throws {SyncHeld} another worker is synchronising it
   */
  static async open(ports: Ports, job: SyncJob, { timeoutSeconds, aloneSince }: LeaseTerms): Promise<SyncLease> {
    const readAt = ports.clock.now();
    const account = await wanted(ports, job);
    const remainingMs = syncLease.remainingMs(account, readAt, aloneSince);
    if (remainingMs > 0) throw new SyncHeld(remainingMs);
    return new SyncLease(ports, job, account, readAt + timeoutSeconds * 1000);
  }

  /**
   * Acquires the lease, unless this sync holds it already.
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote to the account
   * @throws {Unavailable} the time of this sync is up
   */
  async acquire(): Promise<HeldLease> {
    this.#checkTime();
    if (this.#held !== undefined) return this.#held;
    const { clock, ids } = this.#ports;
    const held = syncLease.acquired(clock.now(), ids.next(), this.endsAt + leaseMarginSeconds * 1000);
    await this.#updateUnwritten({ set: held.set, add: { syncVersion: 1 } });
    this.#held = held;
    this.#checkTime();
    return held;
  }

  /**
   * Shows the progress of the steps while the sync is running.
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote to the account @throws {Unavailable} the time of this sync is up
   */
  async publish(steps: Readonly<Record<string, StepState>>): Promise<void> {
    const { isHeld } = await this.acquire();
    const set = { steps, statusAt: this.#ports.clock.now() };
    try {
      await this.#update({ set }, isHeld);
    } catch (error) {
      if (error instanceof ConditionFailed) throw new SyncHeld(0);
      throw error;
    }
  }

  /**
   * Records the results of the steps and releases the lease, in one write; writes nothing where only times changed lately.
   * @param schedule written in the same transaction: an account is paused only if its steps say so
   * @throws {TransactionCanceled} the schedule changed since it was read
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote to the account
   */
  async finish(steps: Readonly<Record<string, StepState>>, schedule: Update | undefined): Promise<void> {
    const { clock, logger } = this.#ports;
    const isRecent = isWithin(this.account.statusAt, statusSeconds * 1000, clock.now());
    // The user who requested the sync wants to see that it ran.
    const needsWrite =
      this.#job.userRequested || !isRecent || !isSameState(this.account.steps, steps) || schedule !== undefined;
    const set = { steps, statusAt: clock.now(), servedDueAt: this.#job.dueAt };
    // Also removes the expired lease of a worker that got stuck, so that it finds it gone if it continues.
    const changes: Changes = { set, add: { syncVersion: 1 }, ...syncLease.released };
    if (this.#held === undefined) {
      if (needsWrite) await this.#updateUnwritten(changes, schedule);
      return;
    }
    try {
      await this.#update(changes, this.#held.isHeld, schedule);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      logger.warn('An account was synchronised by another worker at the same time', {
        accountId: this.account.accountId,
      });
    }
  }

  /** Releases the lease after a sync that is to be retried. */
  async release(): Promise<void> {
    if (this.#held === undefined) return;
    try {
      await this.#update(syncLease.released, this.#held.isHeld);
    } catch {
      // It expires.
    }
  }

  /** @throws {Unavailable} */
  #checkTime(): void {
    if (this.#ports.clock.now() >= this.endsAt) throw new Unavailable('The sync took too long.');
  }

  /** @throws {ConditionFailed} the account is not as the condition says @throws {TransactionCanceled} the schedule is not as it was read */
  async #update(changes: Changes, condition: WriteCondition, schedule?: Update): Promise<void> {
    const { table } = this.#ports;
    const { userId, accountId } = this.account;
    const key = accountKey(userId, accountId);
    if (schedule === undefined) {
      await table.update(key, changes, condition);
      return;
    }
    try {
      await table.transact([{ update: key, changes, if: condition }, schedule]);
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      throw error.failed.includes(0) ? new ConditionFailed(error.message) : error;
    }
  }

  /** Changes the account if no sync wrote to it since it was read, and it is not being deleted. */
  async #updateUnwritten(changes: Changes, schedule?: Update): Promise<void> {
    const isUnwritten = allOf(equals('state', 'active'), equals('syncVersion', this.account.syncVersion));
    try {
      await this.#update(changes, isUnwritten, schedule);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const account = await wanted(this.#ports, this.#job);
      throw new SyncHeld(syncLease.remainingMs(account, this.#ports.clock.now()));
    }
  }
}

/** Whether a worker holds the account. @param now epoch ms */
export const isLeased = (account: StoredAccount, now: number): boolean => syncLease.remainingMs(account, now) > 0;

/** The account as it is now. @throws {SyncDropped} it needs no sync for this job */
const wanted = async ({ table, clock }: Ports, { userId, accountId, dueAt }: SyncJob): Promise<StoredAccount> => {
  const account = await table.get<StoredAccount>(accountKey(userId as UserId, accountId), { consistent: true });
  const isServed = (served: number) => served >= dueAt && isPossible(served, clock.now());
  if (account === undefined || account.state !== 'active' || isServed(account.servedDueAt)) {
    throw new SyncDropped('The sync is not needed any more.');
  }
  return account;
};
