import { isDeepStrictEqual } from 'node:util';
import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { inSession } from '#shared/auth/in-session';
import { enqueueSecurityNotice } from '#shared/auth/security-mail-job';
import type { Settings, SettingsUpdate, StoredSettings } from '#shared/identity/settings';
import { noSuchUser, type StoredUser, settingsOf, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, InvalidInput } from '#shared/platform/errors';
import { optimistic } from '#shared/platform/optimistic';
import type { Platform } from '#shared/platform/ports';
import { allOf, isStill } from '#shared/platform/table';

type Ports = Pick<Platform, 'table' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** The settings of users. */
export class UserSettings {
  readonly #ports: Ports;
  readonly #audit: AuditLog;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#audit = new AuditLog(ports);
  }

  /**
   * Changes the given settings and leaves the others. A new webhook address is announced by mail.
   * @throws {Conflict} `version` is given and not the stored one, or the user is being deleted
   * @throws {InvalidInput} the webhook channel without a URL
   * @throws {NotFound}
   * @throws {SessionEnded} of the request
   */
  async change(userId: UserId, { version, ...update }: SettingsUpdate, origin: AuditOrigin): Promise<Settings> {
    const apply = async (): Promise<Settings> => {
      const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
      if (user === undefined) throw noSuchUser();
      if (user.removing === true) throw new Conflict('This user is being deleted.');
      const before = settingsOf(user);
      if (version !== undefined && version !== before.version) {
        throw new Conflict(`The settings have version ${before.version} now; read them again.`);
      }
      const after = {
        ...{ ...before, ...update, riskLimits: { ...before.riskLimits, ...update.riskLimits } },
        version: before.version + 1,
      };
      checkWebhook(update, after);
      const { webhookUrl, version: settingsVersion, ...settings } = after;
      if (isDeepStrictEqual({ ...after, version: before.version }, before)) return before;
      const isUnchanged = isStill('settingsVersion', user.settingsVersion);
      const webhookChange = webhookUrl === before.webhookUrl ? {} : await this.#announceWebhook(userId, origin);
      const set = { webhookUrl, settings: settings satisfies StoredSettings, settingsVersion, ...webhookChange };
      const changes = { set };
      const still = allOf({ path: 'pk', is: 'present' }, { path: 'removing', is: '<>', value: true }, isUnchanged);
      const event: AuditEvent = {
        ...{ ...origin, type: 'config.settings-changed' as const, target: userId },
        ...{ before: factsOf(before), after: factsOf(after) },
      };
      const writes = [{ update: userKey(userId), changes, if: still }];
      await inSession(origin, writes, (all) => this.#audit.transact(all, event));
      return after;
    };
    return await optimistic(this.#ports, apply, { message: 'These settings change too often.' });
  }

  async #announceWebhook(userId: UserId, { source }: AuditOrigin): Promise<{ readonly webhookChange: string }> {
    const { clock, ids } = this.#ports;
    const webhookChange = ids.next();
    const request = { requestId: webhookChange, requestedAt: clock.now() };
    await enqueueSecurityNotice(this.#ports, { mail: 'webhook-changed', ...request, userId, source });
    return { webhookChange };
  }
}

const checkWebhook = (update: SettingsUpdate, { notificationChannels, webhookUrl }: Settings): void => {
  if (webhookUrl !== null || !notificationChannels.includes('webhook')) return;
  const at = update.notificationChannels === undefined ? 'webhookUrl' : 'notificationChannels';
  throw new InvalidInput(at, 'The webhook channel needs a webhookUrl.');
};

/** Settings for the audit log: flat, and only the host of the webhook URL. */
const factsOf = ({ webhookUrl, quietHours, riskLimits, ...settings }: Settings) => ({
  ...settings,
  ...riskLimits,
  quietHours: quietHours && `${quietHours.from}-${quietHours.to}`,
  webhookHost: webhookUrl === null ? null : new URL(webhookUrl).hostname,
});
