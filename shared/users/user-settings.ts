import { isDeepStrictEqual } from 'node:util';
import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import type { Settings, SettingsUpdate, StoredSettings } from '#shared/identity/settings';
import { type StoredUser, settingsOf, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { allOf, isStill } from '#shared/platform/table';
import { noSuchUser } from './users.ts';

const attemptsMax = 10;

/** The settings of users. */
export class UserSettings {
  readonly #table: Platform['table'];
  readonly #audit: AuditLog;

  constructor(ports: Pick<Platform, 'table' | 'clock' | 'random' | 'logger'>) {
    this.#table = ports.table;
    this.#audit = new AuditLog(ports);
  }

  /**
   * Changes what is given and leaves the rest.
   * @throws {Conflict} `version` is given and not the stored one, or the user is being deleted
   * @throws {InvalidInput} webhooks without an address @throws {NotFound}
   */
  async change(userId: UserId, { version, ...update }: SettingsUpdate, origin: AuditOrigin): Promise<Settings> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const user = await this.#table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined) throw noSuchUser();
      if (user.removing === true) throw new Conflict('This user is being deleted.');
      const before = settingsOf(user);
      if (version !== undefined && version !== before.version) {
        throw new Conflict(`The settings have version ${before.version} by now; read them again.`);
      }
      const after = {
        ...{ ...before, ...update, riskLimits: { ...before.riskLimits, ...update.riskLimits } },
        version: before.version + 1,
      };
      checkWebhook(update, after);
      const { webhookUrl, version: settingsVersion, ...settings } = after;
      if (isDeepStrictEqual({ ...after, version: before.version }, before)) return before;
      const isUnchanged = isStill('settingsVersion', user.settingsVersion);
      const changes = { set: { webhookUrl, settings: settings satisfies StoredSettings, settingsVersion } };
      const still = allOf({ path: 'pk', is: 'present' }, { path: 'removing', is: '<>', value: true }, isUnchanged);
      const event: AuditEvent = {
        ...{ ...origin, type: 'config.settings-changed' as const, target: userId },
        ...{ before: factsOf(before), after: factsOf(after) },
      };
      try {
        await this.#audit.transact([{ update: userKey(userId), changes, if: still }], event);
        return after;
      } catch (error) {
        // Somebody else changed them meanwhile.
        if (!(error instanceof TransactionCanceled)) throw error;
      }
    }
    throw new Unavailable('These settings change too often.');
  }
}

const checkWebhook = (update: SettingsUpdate, { notificationChannels, webhookUrl }: Settings): void => {
  if (webhookUrl !== null || !notificationChannels.includes('webhook')) return;
  const at = update.notificationChannels === undefined ? 'webhookUrl' : 'notificationChannels';
  throw new InvalidInput(at, 'The webhook channel needs a webhookUrl.');
};

/** Settings as the audit log has them: flat, and of an address the host alone. */
const factsOf = ({ webhookUrl, quietHours, riskLimits, ...settings }: Settings) => ({
  ...settings,
  ...riskLimits,
  quietHours: quietHours && `${quietHours.from}-${quietHours.to}`,
  webhookHost: webhookUrl === null ? null : new URL(webhookUrl).hostname,
});
