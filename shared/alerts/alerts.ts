import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { Catalog } from '#shared/market/catalog';
import { directionOf, sortable } from '#shared/market/crossing-index';
import { type StoredTicker, Tickers, tickerKey } from '#shared/market/tickers';
import type { UserId } from '#shared/model/user-id';
import {
  Conflict,
  InvalidInput,
  LimitExceeded,
  NotFound,
  TransactionCanceled,
  Unavailable,
} from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, anyOf, equals, type Key, type Page, type Write } from '#shared/platform/table';
import { Users } from '#shared/users/users';
import {
  ALERTS_PER_USER_MAX,
  type Alert,
  type AlertStatus,
  type AlertUpdate,
  type NewAlert,
  type Notification,
} from './alert.ts';
import { entryOf, FeedWriter, fired, levelOf, retried } from './firing.ts';
import {
  alertCountKey,
  alertKey,
  alertOf,
  alertPrefix,
  coolsDown,
  feedKey,
  hasEnded,
  type NotificationFeed,
  notificationOf,
  notificationPrefix,
  type StoredAlert,
  type StoredNotification,
} from './stored.ts';

/** Alerts read at once where a filter leaves out some of them. */
const filteredAtOnce = 200;
/** Alerts removed in one transaction, with a level each. */
const removedAtOnce = 50;

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'config' | 'secrets' | 'logger'>;

/** The alerts of every user: stored together with the level each waits for and with their audit entries, in one transaction. */
export class Alerts {
  readonly #ports: Ports;
  readonly #catalog: Catalog;
  readonly #tickers: Tickers;
  readonly #users: Users;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#catalog = new Catalog(ports.table);
    this.#tickers = new Tickers(ports.table);
    this.#users = new Users(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Stores an alert and has its symbol watched. `above` and `below` that hold already fire in the same transaction.
   * @param userId the owner; only this user can read it back
   * @throws {InvalidInput} the venue or symbol is unknown, the time is over, or a channel is not set up
   * @throws {LimitExceeded} the owner has {@link ALERTS_PER_USER_MAX} alerts already
   */
  async add(userId: UserId, alert: NewAlert, origin: AuditOrigin): Promise<Alert> {
    await this.#checkInput(userId, alert);
    const { clock, ids } = this.#ports;
    const now = clock.now();
    const alertId = ids.next();
    const draft: StoredAlert = {
      ...alertKey(userId, alertId),
      kind: 'alert',
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
      level: null,
      createdAt: now,
      updatedAt: now,
      lastFiredAt: null,
      firedCount: 0,
    };
    const countKey = alertCountKey(userId);
    const stored = await retried(this.#ports, async () => {
      const armed = await this.#arm(draft);
      const count: Write = {
        update: countKey,
        changes: { set: { kind: 'alert-count' }, add: { alerts: 1 } },
        if: anyOf(ABSENT, { path: 'alerts', is: '<', value: ALERTS_PER_USER_MAX }),
      };
      try {
        await this.#audit.transact([count, { put: armed.alert, if: ABSENT }, ...armed.writes], {
          ...origin,
          type: 'config.alert-created',
          trail: userId,
          target: alertId,
          after: factsOf(armed.alert),
        });
      } catch (error) {
        if (error instanceof TransactionCanceled && error.failed.includes(0)) {
          throw new LimitExceeded(`You have ${ALERTS_PER_USER_MAX} alerts; delete some first.`);
        }
        throw error;
      }
      return armed.alert;
    });
    return alertOf(stored, clock);
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
    const changed = await retried(this.#ports, async () => {
      const before = await this.#stored(userId, alertId);
      if (version !== undefined && version !== before.version) {
        throw new Conflict(`The alert has version ${before.version} by now; read it again.`);
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
      const levelKept = alert.level?.pk === before.level?.pk && alert.level?.sk === before.level?.sk;
      const leave: Write[] = before.level === null || levelKept ? [] : [{ delete: placeOf(before.level) }];
      await this.#audit.transact([{ put: alert, if: equals('version', before.version) }, ...leave, ...writes], {
        ...origin,
        type: 'config.alert-changed',
        trail: userId,
        target: alertId,
        after: factsOf(alert),
      });
      return alert;
    });
    return alertOf(changed, clock);
  }

  /** Deletes an alert; its history stays. @throws {NotFound} */
  async remove(userId: UserId, alertId: string, origin: AuditOrigin): Promise<void> {
    await retried(this.#ports, async () => {
      const { level, version, pk, sk } = await this.#stored(userId, alertId);
      await this.#audit.transact(
        [
          { delete: { pk, sk }, if: equals('version', version) },
          { update: alertCountKey(userId), changes: { add: { alerts: -1 } } },
          ...(level === null ? [] : [{ delete: placeOf(level) }]),
        ],
        { ...origin, type: 'config.alert-removed', trail: userId, target: alertId },
      );
    });
  }

  /** Deletes every alert of a user who is being deleted, with the levels they wait for; that deletion has the entries. */
  async removeAll(userId: UserId): Promise<void> {
    for (;;) {
      // Those that are gone leave the page, so that the first one is always the next.
      const isDone = await retried(this.#ports, async () => {
        const { items } = await this.#ports.table.query<StoredAlert>({
          ...{ pk: alertKey(userId, 'x').pk, sk: { prefix: alertPrefix }, limit: removedAtOnce, consistent: true },
        });
        if (items.length === 0) return true;
        await this.#ports.table.transact(
          items.flatMap(({ pk, sk, version, level }): Write[] => [
            { delete: { pk, sk }, if: equals('version', version) },
            ...(level === null ? [] : [{ delete: placeOf(level) }]),
          ]),
        );
        return false;
      });
      if (isDone) return;
    }
  }

  /** The user's alerts that match, newest first. */
  async list(
    userId: UserId,
    filter: { readonly status?: AlertStatus; readonly symbol?: string },
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ items: Alert[]; cursor?: string }> {
    const matches = ({ status, condition }: Alert) =>
      (filter.status === undefined || status === filter.status) &&
      (filter.symbol === undefined || condition.symbol === filter.symbol);
    const isFiltered = filter.status !== undefined || filter.symbol !== undefined;
    const items: Alert[] = [];
    let cursor = page.cursor;
    do {
      const read = await this.#stretch(userId, isFiltered ? filteredAtOnce : page.limit, cursor);
      const alerts = read.items.map((alert) => alertOf(alert, this.#ports.clock));
      const found = [...alerts.entries()].filter(([, alert]) => matches(alert)).slice(0, page.limit - items.length);
      items.push(...found.map(([, alert]) => alert));
      // A page that ends amid what was read needs the cursor of its own end.
      const length = items.length === page.limit ? (found.at(-1)?.[0] ?? 0) + 1 : alerts.length;
      cursor = length < alerts.length ? (await this.#stretch(userId, length, cursor)).cursor : read.cursor;
    } while (cursor !== undefined && items.length < page.limit);
    return { items, ...(cursor === undefined ? {} : { cursor }) };
  }

  async #stretch(userId: UserId, limit: number, cursor: string | undefined): Promise<Page<StoredAlert>> {
    return await this.#ports.table.query<StoredAlert>({
      ...{ pk: alertKey(userId, 'x').pk, sk: { prefix: alertPrefix }, descending: true, limit },
      ...(cursor === undefined ? {} : { cursor }),
    });
  }

  /** The firings of the user's alerts, newest first. */
  async history(
    userId: UserId,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ items: Notification[]; cursor?: string }> {
    const { items, cursor } = await this.#ports.table.query<StoredNotification>({
      pk: feedKey(userId).pk,
      sk: { prefix: notificationPrefix },
      descending: true,
      ...page,
    });
    return { items: items.map(notificationOf), ...(cursor === undefined ? {} : { cursor }) };
  }

  /**
   * The alert as it waits from now on, and the writes that belong to it. Part of them is a check that the ticker is still
   * the one that was looked at, so that no move falls between looking and storing.
   */
  async #arm(alert: StoredAlert): Promise<{ readonly alert: StoredAlert; readonly writes: Write[] }> {
    const { table, clock, config } = this.#ports;
    const { venue, symbol } = alert.condition;
    const ticker = await this.#tickers.of(venue, symbol, { consistent: true });
    const key = tickerKey(venue, symbol);
    const unmoved: Write = { check: key, if: ticker === undefined ? ABSENT : equals('version', ticker.version) };
    if (!config.market.symbols.includes(symbol)) await this.#catalog.watch(venue, symbol);
    const mayFire = !hasEnded(alert, clock.now()) && !coolsDown(alert, clock.now());
    if (ticker !== undefined && mayFire && holdsAlready(alert, ticker)) {
      const feed = new FeedWriter(
        alert.userId,
        await table.get<NotificationFeed>(feedKey(alert.userId), { consistent: true }),
      );
      const { changes, writes } = fired(
        this.#ports,
        alert,
        { to: ticker.last, version: ticker.version, at: clock.now() },
        feed,
      );
      return { alert: { ...alert, ...changes }, writes: [unmoved, ...writes, ...feed.writes()] };
    }
    const level = levelOf(alert, 'fire', ticker?.version ?? 0);
    return { alert: { ...alert, level: entryOf(level) }, writes: [unmoved, { put: level }] };
  }

  async #stored(userId: UserId, alertId: string): Promise<StoredAlert> {
    const alert = await this.#ports.table.get<StoredAlert>(alertKey(userId, alertId), { consistent: true });
    if (alert === undefined) throw new NotFound('You have no alert with this id.');
    return alert;
  }

  async #checkInput(
    userId: UserId,
    alert: Partial<Pick<NewAlert, 'condition' | 'channels' | 'expiresAt'>>,
  ): Promise<void> {
    const { config, clock } = this.#ports;
    if (alert.expiresAt != null && alert.expiresAt <= clock.now()) {
      throw new InvalidInput('expiresAt', 'expiresAt lies in the past.');
    }
    if (alert.condition !== undefined) {
      const { venue, symbol } = alert.condition;
      if (!config.market.venues.includes(venue)) {
        throw new InvalidInput(
          'condition.venue',
          `Prices of ${venue} are not watched here; choose ${config.market.venues.join(' or ')}.`,
        );
      }
      if (!(await this.#catalog.has(venue, symbol))) {
        if ((await this.#catalog.readAt(venue)) === undefined) {
          throw new Unavailable(`The markets of ${venue} have not been read yet; try again in a moment.`);
        }
        throw new InvalidInput('condition.symbol', `${venue} does not trade ${symbol}.`);
      }
    }
    if (alert.channels?.includes('webhook') && (await this.#users.profile(userId)).settings.webhookUrl === null) {
      throw new InvalidInput(
        'channels',
        'Set webhookUrl with PUT /api/user/settings before you use the webhook channel.',
      );
    }
  }
}

/** An alert as the audit log has it: without what its owner wrote. */
const factsOf = ({ condition, severity, channels }: StoredAlert) => ({
  ...condition,
  ...{ severity, channels: [...channels] },
});

const placeOf = ({ pk, sk }: Key): Key => ({ pk, sk });

const holdsAlready = ({ condition }: StoredAlert, { last }: StoredTicker): boolean => {
  const { operator, value } = condition;
  if (operator !== 'above' && operator !== 'below') return false;
  const [price, level] = [sortable(last), sortable(value)];
  return directionOf(operator) === 'up' ? price >= level : price <= level;
};
