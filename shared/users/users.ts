import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { checkNewPassword } from '#shared/auth/password-policy';
import { hashPassword } from '#shared/auth/passwords';
import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import { settingsOf } from '#shared/identity/settings';
import {
  type AdminCount,
  adminCountKey,
  type EmailOwner,
  emailKey,
  firstUserKey,
  isEmailVerified,
  listedAt,
  type StoredUser,
  userKey,
} from '#shared/identity/stored-user';
import type { NewUser, Profile } from '#shared/identity/user';
import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { Conflict, DomainError, NotFound, TransactionCanceled } from '#shared/platform/errors';
import type { Config, Platform } from '#shared/platform/ports';
import { ABSENT } from '#shared/platform/table';

/** This installation has its first user and takes no others by itself. */
export class RegistrationClosed extends DomainError {
  readonly code = 'registration-closed';
  override readonly name = 'RegistrationClosed';
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'config' | 'logger'>;

/** The users of this installation. */
export class Users {
  readonly #platform: Ports;

  constructor(platform: Ports) {
    this.#platform = platform;
  }

  /** Whether nobody has registered yet. */
  async isEmpty(): Promise<boolean> {
    return (await this.#platform.table.get(firstUserKey, { consistent: true })) === undefined;
  }

  /**
   * Creates a user; the first one of the installation is admin, the others are traders.
   * @throws {InvalidInput} the password is too easy to guess
   * @throws {Conflict} the mail address has an owner already
   * @throws {RegistrationClosed} there is a first user, and the configuration takes no others
   */
  async register(user: NewUser, origin: Partial<AuditOrigin> = {}): Promise<Profile> {
    const { clock, ids, random, config } = this.#platform;
    checkNewPassword(user.password, user, 'password');
    const audit = new AuditLog(this.#platform);
    const isFirst = await this.isEmpty();
    if (!isFirst) this.#checkOpen();
    const passwordHash = await hashPassword(user.password, random);
    const userId = ids.next() as UserId;
    const stored = (role: Role): StoredUser => ({
      ...userKey(userId),
      ...listedAt(userId),
      kind: 'user',
      userId,
      email: user.email,
      name: user.name ?? null,
      role,
      passwordHash,
      createdAt: clock.now(),
      webhookUrl: null,
      version: 1,
    });
    const owner: EmailOwner = { ...emailKey(user.email), kind: 'email', userId };
    const writes = (role: Role) => [
      { put: owner, if: ABSENT },
      { put: stored(role), if: ABSENT },
    ];
    const event = (registeredAs: Role): AuditEvent => ({
      ...{ actor: { kind: 'system' }, ...origin, type: 'auth.registered', trail: userId, target: userId },
      after: { role: registeredAs },
    });
    if (isFirst) {
      const count: AdminCount = { ...adminCountKey, kind: 'admin-count', admins: 1 };
      try {
        const first = [{ put: { ...firstUserKey, kind: 'first-user', userId }, if: ABSENT }, { put: count }];
        await audit.transact([...writes('admin'), ...first], event('admin'));
        return profileOf(stored('admin'), config);
      } catch (error) {
        if (!(error instanceof TransactionCanceled)) throw error;
        // Somebody else was first meanwhile.
        this.#checkOpen();
      }
    }
    try {
      await audit.transact(writes('trader'), event('trader'));
      return profileOf(stored('trader'), config);
    } catch (error) {
      if (error instanceof TransactionCanceled) throw new Conflict('This mail address is registered already.');
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#platform.config.users.registration === 'open') return;
    throw new RegistrationClosed('This installation takes no more users by itself; ask its admin.');
  }

  /** @throws {NotFound} */
  async profile(userId: UserId): Promise<Profile> {
    const user = await this.#platform.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw noSuchUser();
    return profileOf(user, this.#platform.config);
  }

  /** The secret that signs the webhooks of a user: derived, so that none needs to be stored. */
  async webhookSecret(userId: UserId): Promise<string> {
    const { secrets, random } = this.#platform;
    const material = await keyMaterial(secrets, random, 'webhook-signing');
    return `whsec_${derivedKey(material, `webhook/${userId}`).toString('base64url')}`;
  }
}

export const noSuchUser = () => new NotFound('This user does not exist any more.');

/** A user as they see themselves. */
export const profileOf = (user: StoredUser, config: Config): Profile => ({
  userId: user.userId,
  email: user.email,
  emailVerified: isEmailVerified(user, config),
  name: user.name,
  role: user.role,
  totpEnabled: user.totpEnabled ?? false,
  createdAt: user.createdAt,
  settings: settingsOf(user),
});
