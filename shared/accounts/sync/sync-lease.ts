import { accountKey, type StepState, type StoredAccount } from '#shared/accounts/stored';
import type { UserId } from '#shared/model/user-id';
import { ConditionFailed, DomainError, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import { isPossible, isWithin } from '#shared/platform/plausible-time';
import type { Platform } from '#shared/platform/ports';
import { allOf, type Changes, equals, type Update, type WriteCondition } from '#shared/platform/table';
import type { SyncJob } from './dispatch.ts';
import { isSameState } from './steps.ts';

/** Another worker synchronises the account. */
export class SyncHeld extends DomainError {
  readonly code = 'sync-held';
  override readonly name = 'SyncHeld';
  /** How long that may take at most. */
  readonly remainingMs: number;
  constructor(remainingMs: number) {
    super('Another worker synchronises the account.');
    this.remainingMs = remainingMs;
  }
}

/** The sync is not needed: it was made already, the account is gone, or it is paused. */
export class SyncDropped extends DomainError {
  readonly code = 'sync-dropped';
  override readonly name = 'SyncDropped';
}

/** How much longer than its sync a lease lasts. */
const leaseMarginSeconds = 10;
/** The status of an account in which nothing but times changed is written no more often. */
export const statusSeconds = 60;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'logger'>;

export interface LeaseTerms {
  readonly timeoutSeconds: number;
  /** A lease from before this time, epoch ms, ended with the process that held it. */
  readonly aloneSince: number;
}

/**
 * One worker's right to write to an account. A sync starts without it, because most find nothing to write, and takes it
 * before its first write. It gets it only if no other sync wrote since the account was read; the venue is read after
 * that, so that nothing is overwritten by older facts. A sync without news leaves no trace: should its job be delivered
 * again, it runs again.
 */
export class SyncLease {
  readonly account: StoredAccount;
  /** When the sync was due, epoch ms. */
  readonly dueAt: number;
  /** The sync's time is over then, epoch ms. */
  readonly endsAt: number;
  readonly #ports: Ports;
  readonly #job: SyncJob;
  #owner: string | undefined;

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
    const { leasedAt = 0, leaseUntil = 0 } = account;
    if (isLeased(account, readAt) && leasedAt >= aloneSince) throw new SyncHeld(leaseUntil - readAt);
    return new SyncLease(ports, job, account, readAt + timeoutSeconds * 1000);
  }

  /**
   * Takes the lease, unless this sync has it.
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote meanwhile
   * @throws {Unavailable} the time of this sync is over
   */
  async take(): Promise<void> {
    this.#checkTime();
    if (this.#owner !== undefined) return;
    const { clock, ids } = this.#ports;
    const owner = ids.next();
    await this.#updateUnwritten({
      set: { leaseOwner: owner, leasedAt: clock.now(), leaseUntil: this.endsAt + leaseMarginSeconds * 1000 },
      add: { syncVersion: 1 },
    });
    this.#owner = owner;
    this.#checkTime();
  }

  /**
   * Shows how far the steps are while the sync goes on.
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote meanwhile @throws {Unavailable} the time of this sync is over
   */
  async publish(steps: Readonly<Record<string, StepState>>): Promise<void> {
    await this.take();
    const set = { steps, statusAt: this.#ports.clock.now() };
    try {
      await this.#update({ set }, equals('leaseOwner', this.#owner ?? ''));
    } catch (error) {
      if (error instanceof ConditionFailed) throw new SyncHeld(0);
      throw error;
    }
  }

  /**
   * Records how the steps went and releases the lease, in one write, or in none where only times changed lately.
   * @param schedule changes with it or not at all: an account must not be paused whose steps do not say so
   * @throws {TransactionCanceled} the schedule changed since it was read
   * @throws {SyncDropped} @throws {SyncHeld} another worker wrote meanwhile
   */
  async finish(steps: Readonly<Record<string, StepState>>, schedule: Update | undefined): Promise<void> {
    const { clock, logger } = this.#ports;
    const isYoung = isWithin(this.account.statusAt, statusSeconds * 1000, clock.now());
    // The user who requested the sync wants to see that it ran.
    const isNews =
      this.#job.userRequested || !isYoung || !isSameState(this.account.steps, steps) || schedule !== undefined;
    const set = { steps, statusAt: clock.now(), servedDueAt: this.#job.dueAt };
    // Also removes the expired lease of a worker that got stuck, which must not find it should it continue.
    const changes: Changes = { set, add: { syncVersion: 1 }, remove: leaseAttributes };
    if (this.#owner === undefined) {
      if (isNews) await this.#updateUnwritten(changes, schedule);
      return;
    }
    try {
      await this.#update(changes, equals('leaseOwner', this.#owner), schedule);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      logger.warn('An account was synchronised by another worker meanwhile', { accountId: this.account.accountId });
    }
  }

  /** Releases the lease after a sync that is to be retried. */
  async release(): Promise<void> {
    if (this.#owner === undefined) return;
    try {
      await this.#update({ remove: leaseAttributes }, equals('leaseOwner', this.#owner));
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
      const { leaseUntil = 0 } = await wanted(this.#ports, this.#job);
      throw new SyncHeld(Math.max(0, leaseUntil - this.#ports.clock.now()));
    }
  }
}

const leaseAttributes = ['leaseOwner', 'leasedAt', 'leaseUntil'];

/** Whether a worker holds the account. A lease taken in the future was written before the clock was set back. @param now epoch ms */
export const isLeased = ({ leaseOwner, leasedAt = 0, leaseUntil = 0 }: StoredAccount, now: number): boolean =>
  leaseOwner !== undefined && leaseUntil > now && isPossible(leasedAt, now);

/** The account as it is now. @throws {SyncDropped} it needs no sync for this job */
const wanted = async ({ table, clock }: Ports, { userId, accountId, dueAt }: SyncJob): Promise<StoredAccount> => {
  const account = await table.get<StoredAccount>(accountKey(userId as UserId, accountId), { consistent: true });
  const isServed = (served: number) => served >= dueAt && isPossible(served, clock.now());
  if (account === undefined || account.state !== 'active' || isServed(account.servedDueAt)) {
    throw new SyncDropped('The sync is not needed any more.');
  }
  return account;
};
