import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { enqueueSecurityNotice } from '#shared/auth/security-mail-job';
import type { KeyPermissions, VenueProfile } from '#shared/exchange/account-venue';
import { type CredentialParts, Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput, LimitExceeded, NotFound, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, anyOf, equals, type Item, type Table, type Write } from '#shared/platform/table';
import { ACCOUNTS_PER_USER_MAX, type Account, type AccountUpdate, type NewAccount } from './account.ts';
import {
  accountCountKey,
  accountKey,
  accountOf,
  accountsOf,
  duePlace,
  type StoredAccount,
  type StoredSchedule,
  scheduleKey,
} from './stored.ts';
import { paperBalances, storedBalance } from './sync/balances.ts';
import { jobMessage, type SyncJob } from './sync/dispatch.ts';
import { CredentialVault } from './vault.ts';

/** Reads from a venue what a key may do, which also shows that it works. @throws {VenueError} */
export type VerifyKey = (venue: string, credentials: Credentials) => Promise<KeyPermissions>;

/** What managing accounts needs of venues, without their clients. */
export interface AccountVenuesKnown {
  readonly verify: VerifyKey;
  /** @returns undefined where there is no such venue here */
  profile(venue: string): Promise<VenueProfile | undefined>;
}

export interface AccountCount extends Item {
  readonly kind: 'account-count';
  readonly accounts: number;
}

/** A sync that the user requests is due a little later than now, so that no scheduled one of this moment serves it. */
const userRequestedMs = 1;

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'config' | 'queue' | 'logger'>;

/** @throws {NotFound} the user has no such account */
export const readAccount = async (table: Table, userId: UserId, accountId: string): Promise<StoredAccount> => {
  const account = await table.get<StoredAccount>(accountKey(userId, accountId), { consistent: true });
  if (account === undefined) throw new NotFound('You have no account with this id.');
  return account;
};

/** The exchange accounts of every user. What a user changes is stored together with its audit entry, in one transaction. */
export class Accounts {
  readonly #ports: Ports;
  readonly #venues: AccountVenuesKnown;
  readonly #vault: CredentialVault;
  readonly #audit: AuditLog;

  constructor(ports: Ports, venues: AccountVenuesKnown) {
    this.#ports = ports;
    this.#venues = venues;
    this.#vault = new CredentialVault(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Connects an account and starts its first sync. The key of a live account is checked at the venue before it is stored.
   * @throws {InvalidInput} the venue does not accept the key, the key can withdraw, or parts are missing
   * @throws {VenueError} the venue can't be reached now
   * @throws {LimitExceeded} the user has {@link ACCOUNTS_PER_USER_MAX} accounts already
   */
  async add(userId: UserId, account: NewAccount, origin: AuditOrigin): Promise<Account> {
    const { table, clock, ids, config } = this.#ports;
    this.#checkPeriod(account.syncSeconds);
    const key = await this.#keyOf(account);
    const count = await table.get<AccountCount>(accountCountKey(userId), { consistent: true });
    if ((count?.accounts ?? 0) >= ACCOUNTS_PER_USER_MAX) throw tooMany();
    const permissions = key === undefined ? undefined : await this.#permissionsOf(account.venue, key);
    const accountId = ids.next();
    const keyChange = key === undefined ? undefined : await this.#announceKey(userId, accountId, origin);
    const place = key === undefined ? null : await this.#vault.put({ userId, accountId }, key);
    const now = clock.now();
    const stored: StoredAccount = {
      ...accountKey(userId, accountId),
      kind: 'account',
      userId,
      accountId,
      version: 1,
      venue: account.venue,
      label: account.label,
      mode: account.mode,
      readOnly: permissions !== undefined && !permissions.canTrade,
      canWithdraw: permissions === undefined ? false : permissions.canWithdraw,
      syncSeconds: account.syncSeconds ?? null,
      state: 'active',
      credentials: place,
      ...(keyChange !== undefined && { keyChange }),
      paper: account.mode === 'paper' ? (account.paper?.balances ?? paperDefault) : null,
      createdAt: now,
      updatedAt: now,
      steps: {},
      statusAt: 0,
      servedDueAt: 0,
      syncVersion: 0,
    };
    const schedule: StoredSchedule = {
      ...scheduleKey(userId, accountId),
      ...duePlace(accountId, now),
      kind: 'account-schedule',
      userId,
      accountId,
      version: 1,
      dueAt: now,
      syncSeconds: stored.syncSeconds,
    };
    const isLive = account.mode === 'live';
    const asOf = { fetchedAt: now, source: account.mode };
    const added = accountOf(stored, config);
    const writes: Write[] = [
      countedUp(userId),
      { put: stored, if: ABSENT },
      // A paper account has no venue to read.
      ...(isLive ? [{ put: schedule }] : []),
      ...paperBalances(stored).map((balance): Write => ({ put: storedBalance(stored, { ...balance, ...asOf }) })),
    ];
    try {
      await this.#audit.transact(writes, {
        ...{ ...origin, type: 'config.account-added', trail: userId, target: accountId },
        after: added,
      });
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      // Nothing refers to the credentials; if this fails, the vault drops them later.
      if (place !== null) await this.#vault.remove(place).catch(() => {});
      throw error.failed.includes(0) ? tooMany() : error;
    }
    if (isLive) await this.#enqueue({ userId, accountId, dueAt: now, userRequested: false });
    return added;
  }

  /**
   * Changes label and schedule, or replaces the key, which is checked at the venue first.
   * @throws {NotFound} @throws {Conflict} `version` is given and not the stored one @throws {InvalidInput}
   */
  async change(
    userId: UserId,
    accountId: string,
    { version, label, syncSeconds, credentials }: AccountUpdate,
    origin: AuditOrigin,
  ): Promise<Account> {
    const { clock, config } = this.#ports;
    this.#checkPeriod(syncSeconds);
    const before = await this.#active(userId, accountId);
    if (version !== undefined && version !== before.version) throw changedConcurrently();
    const { venue, mode } = before;
    const key = credentials === undefined ? undefined : await this.#keyOf({ venue, mode, credentials });
    const permissions = key === undefined ? undefined : await this.#permissionsOf(venue, key);
    const keyChange = key === undefined ? undefined : await this.#announceKey(userId, accountId, origin);
    const place = key === undefined ? undefined : await this.#vault.put({ userId, accountId }, key);
    const now = clock.now();
    const renewed =
      permissions === undefined || place === undefined || keyChange === undefined
        ? {}
        : {
            ...{ credentials: place, readOnly: !permissions.canTrade, canWithdraw: permissions.canWithdraw },
            keyChange,
          };
    const set = {
      ...(label === undefined ? {} : { label }),
      ...(syncSeconds === undefined ? {} : { syncSeconds }),
      ...renewed,
      updatedAt: now,
    };
    const isDueNow = mode === 'live' && (syncSeconds !== undefined || place !== undefined);
    const schedule: Write = {
      update: scheduleKey(userId, accountId),
      changes: {
        // If the job below is lost, the dispatcher enqueues it.
        set: {
          ...duePlace(accountId, now),
          dueAt: now,
          userRequested: true,
          syncSeconds: syncSeconds ?? before.syncSeconds,
        },
        add: { version: 1 },
      },
    };
    const account: Write = {
      update: accountKey(userId, accountId),
      changes: { set, add: { version: 1 } },
      if: { all: [equals('version', before.version), equals('state', 'active')] },
    };
    const changed = accountOf({ ...before, ...set, version: before.version + 1 }, config);
    try {
      await this.#audit.transact([account, ...(isDueNow ? [schedule] : [])], {
        ...{ ...origin, type: 'config.account-changed', trail: userId, target: accountId },
        after: { ...changed, credentialsReplaced: place !== undefined },
      });
    } catch (error) {
      if (!(error instanceof TransactionCanceled)) throw error;
      if (place !== undefined) await this.#vault.remove(place).catch(() => {});
      throw changedConcurrently();
    }
    // The new key is now in use; if this fails, the vault drops the old one later.
    if (place !== undefined && before.credentials !== null) await this.#forget(before.credentials);
    if (isDueNow) await this.#enqueue({ userId, accountId, dueAt: now + userRequestedMs, userRequested: true });
    return changed;
  }

  /** Starts a sync of an account, paused steps included; a paper account needs none. @throws {NotFound} */
  async syncNow(userId: UserId, accountId: string): Promise<void> {
    const { mode } = await this.#active(userId, accountId);
    if (mode === 'paper') return;
    await this.#enqueue({ userId, accountId, dueAt: this.#ports.clock.now() + userRequestedMs, userRequested: true });
  }

  /** The user's accounts, oldest first. */
  async list(
    userId: UserId,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ items: Account[]; cursor?: string }> {
    const { table, config } = this.#ports;
    const { items, cursor } = await table.query<StoredAccount>({
      ...accountsOf(userId),
      ...page,
    });
    return {
      items: items.map((stored) => accountOf(stored, config)),
      ...(cursor === undefined ? {} : { cursor }),
    };
  }

  async #active(userId: UserId, accountId: string): Promise<StoredAccount> {
    const account = await readAccount(this.#ports.table, userId, accountId);
    if (account.state !== 'active') throw new Conflict('The account is being deleted; delete it again to finish that.');
    return account;
  }

  /** Enqueues the mail about a key that is about to be stored. @returns the id of the change */
  async #announceKey(userId: UserId, accountId: string, { source }: AuditOrigin): Promise<string> {
    const { clock, ids } = this.#ports;
    const requestId = ids.next();
    const change = { requestId, requestedAt: clock.now(), userId, accountId, source };
    await enqueueSecurityNotice(this.#ports, { mail: 'exchange-key-added', ...change });
    return requestId;
  }

  async #enqueue(job: SyncJob): Promise<void> {
    await this.#ports.queue('account-sync').send([jobMessage(job)]);
  }

  #checkPeriod(syncSeconds: number | undefined): void {
    const { syncSeconds: accountSyncSeconds } = this.#ports.config.accounts;
    if (syncSeconds !== undefined && syncSeconds < accountSyncSeconds) {
      throw new InvalidInput('syncSeconds', `Accounts are synchronised every ${accountSyncSeconds} s at most here.`);
    }
  }

  /** The key of a live account, with all the parts that its venue requires; none of a paper account. */
  async #keyOf({
    venue,
    mode,
    credentials,
    paper,
  }: {
    readonly venue: string;
    readonly mode: NewAccount['mode'];
    readonly credentials?: CredentialParts;
    readonly paper?: NewAccount['paper'];
  }): Promise<Credentials | undefined> {
    const isWatched = this.#ports.config.market.venues.includes(venue);
    if (mode === 'paper') {
      if (credentials !== undefined) throw new InvalidInput('credentials', 'A paper account has no credentials.');
      if (!isWatched) {
        throw new InvalidInput('venue', `Prices of ${venue} are not watched here, and a paper account lives by them.`);
      }
      return undefined;
    }
    if (paper !== undefined) throw new InvalidInput('paper', 'A live account has its balances from its venue.');
    const profile = await this.#venues.profile(venue);
    if (profile === undefined || !profile.supports.balances) {
      throw new InvalidInput('venue', `Live accounts of ${venue} can not be connected; see GET /api/exchange/venues.`);
    }
    if (credentials === undefined) throw new InvalidInput('credentials', 'A live account needs credentials.');
    const missing = profile.credentials.find((part) => credentials[part] === undefined);
    if (missing !== undefined) throw new InvalidInput(`credentials.${missing}`, `A key of ${venue} has this part.`);
    return new Credentials(credentials);
  }

  /** @throws {InvalidInput} the key is not accepted, or can withdraw */
  async #permissionsOf(venue: string, credentials: Credentials): Promise<KeyPermissions> {
    const permissions = await this.#venues.verify(venue, credentials).catch((error: unknown) => {
      if (!(error instanceof VenueError)) throw error;
      const message = credentials.hide(error.message);
      if (error.failure === 'authentication' || error.failure === 'permission') {
        throw new InvalidInput('credentials', message);
      }
      const { failure, retryAfterMs } = error;
      throw new VenueError(venue, failure, message, retryAfterMs === undefined ? {} : { retryAfterMs });
    });
    if (permissions.canWithdraw === true) {
      throw new InvalidInput(
        'credentials',
        `This key can withdraw from ${venue}. Nothing here ever needs that: make one that can not.`,
      );
    }
    return permissions;
  }

  async #forget(place: NonNullable<StoredAccount['credentials']>): Promise<void> {
    await this.#vault.remove(place).catch((error: unknown) => {
      this.#ports.logger.warn('A replaced key stays in the vault for now', { error: error as Error });
    });
  }
}

/** Initial balances of a paper account, where the request names none. */
const paperDefault: Readonly<Record<string, string>> = { USDT: '10000' };

const countedUp = (userId: UserId): Write => ({
  update: accountCountKey(userId),
  changes: { set: { kind: 'account-count' }, add: { accounts: 1 } },
  if: anyOf(ABSENT, { path: 'accounts', is: '<', value: ACCOUNTS_PER_USER_MAX }),
});

const changedConcurrently = () => new Conflict('The account was changed in the meantime; read it again.');
const tooMany = () => new LimitExceeded(`You have ${ACCOUNTS_PER_USER_MAX} accounts; delete some first.`);
