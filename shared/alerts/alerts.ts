import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { Contacts } from '#shared/identity/contacts';
import { Catalog } from '#shared/market/catalog';
import { Tickers } from '#shared/market/tickers';
import type { UserId } from '#shared/model/user-id';
import { QUEUED_CHANNELS } from '#shared/notifications/channels/channels';
import { FeedWriter } from '#shared/notifications/feed';
import { Conflict, InvalidInput, LimitExceeded, NotFound, TransactionCanceled } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, anyOf, equals, type Item, TRANSACTION_WRITES_MAX, type Write } from '#shared/platform/table';
import { ALERTS_PER_USER_MAX, type Alert, type AlertUpdate, type NewAlert } from './alert.ts';
import { armed, fired, leaveWrites, moveWrites, type Transition } from './arming.ts';
import type { AlertFacts, ConditionPorts } from './conditions/condition.ts';
import { kindOf } from './conditions/conditions.ts';
import { alertKind } from './items.ts';
import { type AlertFilter, type AlertPage, listAlerts } from './listing.ts';
import { PriceChecks } from './price-checks.ts';
import { alertCountKey, alertKey, alertOf, alertPrefix, coolsDown, hasEnded, type StoredAlert } from './stored.ts';

/** Alerts of a deleted user that are read at once. */
const removedAtOnce = 50;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'config' | 'secrets' | 'logger'>;

/** The alerts of every user, each stored in one transaction with the levels where it waits and with its audit entry. */
export class Alerts {
  readonly #ports: Ports;
  readonly #conditionPorts: ConditionPorts;
  readonly #contacts: Contacts;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    const { table, config } = ports;
    this.#ports = ports;
    this.#conditionPorts = { config, catalog: new Catalog(table), tickers: new Tickers(table) };
    this.#contacts = new Contacts(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Stores an alert and has its symbol watched. One whose condition holds already fires in the same transaction, unless
   * the condition needs a move. On a stale price it doesn't: it is evaluated at the next move instead.
   * @param userId the owner; only this user can read it back
   * @throws {InvalidInput} the venue or symbol is unknown, `expiresAt` is over, or a channel is not set up
   * @throws {LimitExceeded} the owner has {@link ALERTS_PER_USER_MAX} alerts already
   */
  async add(userId: UserId, alert: NewAlert, origin: AuditOrigin): Promise<Alert> {
    await this.#checkInput(userId, alert);
    const { clock, ids } = this.#ports;
    const now = clock.now();
    const alertId = ids.next();
    const draft: StoredAlert = {
      ...alertKey(userId, alertId),
      ...alertKind.stamp,
      userId,
      alertId,
      version: 1,
      name: alert.name ?? null,
      condition: alert.condition,
      channels: alert.channels,
      severity: alert.severity,
      repeat: alert.repeat,
      cooldownSeconds: alert.cooldownSeconds,
      endsAt: alert.expiresAt,
      status: 'active',
      waits: [],
      createdAt: now,
      updatedAt: now,
      lastFiredAt: null,
      firedCount: 0,
    };
    const count: Write = {
      update: alertCountKey(userId),
      changes: { set: { kind: 'alert-count' }, add: { alerts: 1 } },
      if: anyOf(ABSENT, { path: 'alerts', is: '<', value: ALERTS_PER_USER_MAX }),
    };
    const stored = await optimistic(this.#ports, async () => {
      const { alert: waiting, writes } = await this.#arm(draft);
      try {
        await this.#audit.transact([count, { put: waiting, if: ABSENT }, ...writes], {
          ...origin,
          type: 'config.alert-created',
          trail: userId,
          target: alertId,
          after: factsOf(waiting),
        });
      } catch (error) {
        if (error instanceof TransactionCanceled && error.failed.includes(0)) {
          throw new LimitExceeded(
            `You have ${ALERTS_PER_USER_MAX} alerts, the most a user may have; delete one first.`,
          );
        }
        throw error;
      }
      return waiting;
    });
    return await this.#shown(stored);
  }

  /**
   * Changes an alert. A new condition, repeat or expiry arms it again; other fields leave it as it is.
   * @throws {NotFound} @throws {Conflict} `version` is given and not the stored one @throws {InvalidInput}
   */
  async change(
    userId: UserId,
    { alertId, version, expiresAt, ...fields }: AlertUpdate,
    origin: AuditOrigin,
  ): Promise<Alert> {
    const { clock } = this.#ports;
    const changed = await optimistic(this.#ports, async () => {
      const before = await this.#stored(userId, alertId);
      if (version !== undefined && version !== before.version) {
        throw new Conflict(`The alert is at version ${before.version}; read it again.`);
      }
      const draft: StoredAlert = {
        ...before,
        ...fields,
        endsAt: expiresAt === undefined ? before.endsAt : expiresAt,
        version: before.version + 1,
        updatedAt: clock.now(),
      };
      await this.#checkInput(userId, {
        ...(fields.condition === undefined ? {} : { condition: fields.condition }),
        ...(fields.channels === undefined ? {} : { channels: fields.channels }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      const isArmedAgain = [fields.condition, fields.repeat, expiresAt].some((field) => field !== undefined);
      const { alert, writes } = isArmedAgain
        ? await this.#arm({ ...draft, status: 'active' })
        : { alert: draft, writes: [] };
      await this.#audit.transact([{ put: alert, if: equals('version', before.version) }, ...writes], {
        ...origin,
        type: 'config.alert-changed',
        trail: userId,
        target: alertId,
        after: factsOf(alert),
      });
      return alert;
    });
    return await this.#shown(changed);
  }

  /** Deletes an alert; its notifications stay. @throws {NotFound} */
  async remove(userId: UserId, alertId: string, origin: AuditOrigin): Promise<void> {
    await optimistic(this.#ports, async () => {
      const alert = await this.#stored(userId, alertId);
      const count: Write = { update: alertCountKey(userId), changes: { add: { alerts: -1 } } };
      await this.#audit.transact([...removalOf(alert), count], {
        ...{ ...origin, type: 'config.alert-removed', trail: userId, target: alertId },
      });
    });
  }

  /** Deletes every alert of a user who is being deleted; the audit log has an entry of that deletion. */
  async removeAll(userId: UserId): Promise<void> {
    const { table } = this.#ports;
    const query = { pk: alertKey(userId, 'x').pk, sk: { prefix: alertPrefix }, limit: removedAtOnce, consistent: true };
    const removeFirst = async (): Promise<boolean> => {
      const { items } = await table.query<Item>(query);
      const writes: Write[] = [];
      for (const removal of items.map((item) => removalOf(alertKind.read(item)))) {
        if (writes.length > 0 && writes.length + removal.length > TRANSACTION_WRITES_MAX) break;
        writes.push(...removal);
      }
      if (writes.length > 0) await table.transact(writes);
      return writes.length > 0;
    };
    while (await optimistic(this.#ports, removeFirst));
  }

  /** One alert. @throws {NotFound} the user has no such alert */
  async get(userId: UserId, alertId: string): Promise<Alert> {
    return await this.#shown(await this.#stored(userId, alertId));
  }

  /** The user's alerts that match, newest first. */
  async list(
    userId: UserId,
    filter: AlertFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<AlertPage> {
    return await listAlerts(this.#ports, userId, filter, page);
  }

  /**
   * The alert as it waits from now on, and the writes that belong to it. Among them are checks that its series have not
   * moved since they were read, so that no move falls between reading and storing.
   */
  async #arm(draft: StoredAlert): Promise<{ readonly alert: StoredAlert; readonly writes: Write[] }> {
    const { clock } = this.#ports;
    const { condition } = draft;
    const kind = kindOf(condition);
    const { readings, unmoved } = await kind.observe(condition, this.#conditionPorts);
    const { value } = readings[0];
    const mayFire = !hasEnded(draft, clock.now()) && !coolsDown(draft, clock.now());
    const holds = mayFire && value !== undefined && kind.evaluate(condition, readings) === true;
    const isCurrent = holds && (await new PriceChecks(this.#ports).of(condition)) === undefined;
    const transition: Transition = isCurrent
      ? fired(draft, { value, at: clock.now(), readings })
      : armed(draft, readings, holds ? 'recheck' : 'fire');
    const { alert, entries, notification } = transition;
    const writes = [...unmoved, ...moveWrites(draft.waits, entries)];
    if (notification === undefined) return { alert, writes };
    const feed = await FeedWriter.open(this.#ports, draft.userId);
    feed.add(notification);
    return { alert, writes: [...writes, ...feed.writes()] };
  }

  async #shown(stored: StoredAlert): Promise<Alert> {
    const { clock } = this.#ports;
    return alertOf(stored, clock, await new PriceChecks(this.#ports).ofAlert(stored));
  }

  async #stored(userId: UserId, alertId: string): Promise<StoredAlert> {
    const item = await this.#ports.table.get<Item>(alertKey(userId, alertId), { consistent: true });
    if (item === undefined) throw new NotFound('You have no alert with this id.');
    return alertKind.read(item);
  }

  async #checkInput(
    userId: UserId,
    { condition, channels = [], expiresAt }: Partial<Pick<NewAlert, 'condition' | 'channels' | 'expiresAt'>>,
  ): Promise<void> {
    if (expiresAt != null && expiresAt <= this.#ports.clock.now()) {
      throw new InvalidInput('expiresAt', 'expiresAt is in the past.');
    }
    if (condition !== undefined) {
      await kindOf(condition).validate(condition, 'condition', this.#conditionPorts);
    }
    for (const channel of QUEUED_CHANNELS) {
      if (channel.validate === undefined || !channels.includes(channel.name)) continue;
      const problem = channel.validate(await this.#contacts.of(userId));
      if (problem !== undefined) throw new InvalidInput('channels', problem);
    }
  }
}

const removalOf = ({ pk, sk, version, waits }: StoredAlert): Write[] => [
  { delete: { pk, sk }, if: equals('version', version) },
  ...leaveWrites(waits),
];

/** An alert as the audit log has it: without what its owner wrote. */
const factsOf = ({ condition, severity, channels }: StoredAlert): AlertFacts => ({
  ...kindOf(condition).audit(condition),
  ...{ severity, channels: [...channels] },
});
