import { AuditLog } from '#shared/audit/audit-log';
import type { AuditEvent, AuditOrigin } from '#shared/audit/entry';
import { checkNewPassword } from '#shared/auth/password-policy';
import { hashPassword } from '#shared/auth/passwords';
import { Contacts } from '#shared/identity/contacts';
import { profileOf } from '#shared/identity/profile';
import {
  type AdminCount,
  adminCountKey,
  type EmailOwner,
  emailKey,
  firstUserKey,
  listedAt,
  noSuchUser,
  type StoredUser,
  userKey,
} from '#shared/identity/stored-user';
import type { NewUser, Profile } from '#shared/identity/user';
import type { Role } from '#shared/model/scopes';
import type { UserId } from '#shared/model/user-id';
import { Conflict, DomainError, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT } from '#shared/platform/table';
import { checkBootstrapCode } from './bootstrap-code.ts';

/** The installation has its first user, and its configuration does not let others register. */
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
   * Creates a user; the first one of the installation is an admin, the others are traders.
   * @throws {InvalidInput} the password is too easy to guess, or the first user's bootstrap code is missing or wrong
   * @throws {Conflict} the mail address has an owner already
   * @throws {RegistrationClosed} there is a first user, and the configuration does not let others register
   */
  async register(user: NewUser, origin: Partial<AuditOrigin> = {}): Promise<Profile> {
    const { clock, ids, random, config } = this.#platform;
    const isFirst = await this.isEmpty();
    if (isFirst) checkBootstrapCode(config.users, user.bootstrapCode);
    await checkNewPassword(user.password, user, 'password');
    const audit = new AuditLog(this.#platform);
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
        // Another user was first.
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
    throw new RegistrationClosed('Registration is closed; ask the admin of this installation.');
  }

  /** @throws {NotFound} */
  async profile(userId: UserId): Promise<Profile> {
    const user = await this.#platform.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw noSuchUser();
    return profileOf(user, this.#platform.config);
  }

  /** The secret that signs a user's webhooks: derived, so that it need not be stored. */
  async webhookSecret(userId: UserId): Promise<string> {
    return await new Contacts(this.#platform).webhookSecret(userId);
  }
}
