import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import type { UserId } from '#shared/model/user-id';
import { Conflict, NotFound, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { equals, type Write } from '#shared/platform/table';
import { readAccount } from './accounts.ts';
import {
  accountCountKey,
  accountKey,
  accountsOf,
  recordKinds,
  recordsOf,
  type StoredAccount,
  scheduleKey,
  symbolsKey,
} from './stored.ts';
import { isLeased } from './sync/sync-lease.ts';
import { CredentialVault } from './vault.ts';

/** How long a deletion waits for a running sync. */
const deletionWaitMs = 15_000;
const deletionPollMs = 250;
const deletedAtOnce = 200;
const accountsAtOnce = 5;

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'config' | 'logger'>;

/** Deletes exchange accounts with all that belongs to them. */
export class AccountRemoval {
  readonly #ports: Ports;
  readonly #vault: CredentialVault;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#vault = new CredentialVault(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Deletes an account with its key and everything that was synchronised. After an interruption it is `removing`, and is
   * deleted by deleting it again. Its audit entry is written with that state, which only the deletion ends: a repeated or concurrent
   * attempt writes none.
   * @throws {NotFound} @throws {Conflict} a sync is under way and does not end
   */
  async remove(userId: UserId, accountId: string, origin: AuditOrigin): Promise<void> {
    await this.#remove(userId, accountId, (writes) =>
      this.#audit.transact(writes, { ...origin, type: 'config.account-removed', trail: userId, target: accountId }),
    );
  }

  /**
   * Deletes every account of a user who is being deleted; that deletion has the audit entries.
   * @throws {Conflict} a sync is under way and does not end
   */
  async removeAll(userId: UserId): Promise<void> {
    for (;;) {
      // Deleted accounts leave the page, so the first one is always the next.
      const { items } = await this.#ports.table.query<StoredAccount>({
        ...accountsOf(userId),
        limit: accountsAtOnce,
      });
      if (items.length === 0) return;
      const removed = await Promise.allSettled(
        items.map(({ accountId }) => this.#remove(userId, accountId, (writes) => this.#ports.table.transact(writes))),
      );
      for (const outcome of removed) {
        if (outcome.status === 'rejected' && !(outcome.reason instanceof NotFound)) throw outcome.reason;
      }
    }
  }

  /** @param begin makes the first step, unless another deletion has */
  async #remove(userId: UserId, accountId: string, begin: (writes: readonly Write[]) => Promise<void>): Promise<void> {
    const { table } = this.#ports;
    const key = accountKey(userId, accountId);
    const { state, credentials } = await readAccount(table, userId, accountId);
    if (state === 'active') {
      try {
        await begin([
          { update: key, changes: { set: { state: 'removing' } }, if: equals('state', 'active') },
          { delete: scheduleKey(userId, accountId) },
        ]);
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        // Another deletion began at the same time and may have finished.
        await readAccount(table, userId, accountId);
      }
    }
    await this.#syncEnded(userId, accountId);
    // Read again: the key may just have been replaced.
    const stopped = await table.get<StoredAccount>(key, { consistent: true });
    const place = stopped === undefined ? credentials : stopped.credentials;
    if (place !== null) await this.#vault.remove(place);
    await this.#removeData(userId, accountId);
    try {
      await table.transact([
        { delete: key, if: equals('state', 'removing') },
        { update: accountCountKey(userId), changes: { add: { accounts: -1 } } },
      ]);
    } catch (error) {
      // Another deletion finished at the same time.
      if (!(error instanceof TransactionCanceled)) throw error;
    }
  }

  /** Waits until no worker can write to the account any more. */
  async #syncEnded(userId: UserId, accountId: string): Promise<void> {
    const { table, clock } = this.#ports;
    const until = clock.now() + deletionWaitMs;
    for (;;) {
      const account = await table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true });
      if (account === undefined || !isLeased(account, clock.now())) return;
      if (clock.now() >= until) {
        throw new Conflict('The account is being synchronised and is deleted by trying again in a minute.');
      }
      await clock.sleep(deletionPollMs);
    }
  }

  /** Deletes what was synchronised, page by page: an account may have a hundred thousand trades. */
  async #removeData(userId: UserId, accountId: string): Promise<void> {
    const { table } = this.#ports;
    for (const kind of recordKinds) {
      const query = { ...recordsOf(kind, userId, accountId), consistent: true, limit: deletedAtOnce };
      for (let isLast = false; !isLast; ) {
        const { items, cursor } = await table.query(query);
        await table.writeMany(items.map(({ pk, sk }) => ({ delete: { pk, sk } })));
        isLast = cursor === undefined;
      }
    }
    await table.delete(symbolsKey(userId, accountId));
  }
}
