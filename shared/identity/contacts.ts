import { derivedKey, keyMaterial } from '#shared/crypto/keys';
import type { UserId } from '#shared/model/user-id';
import { NotFound } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { isEmailVerified, type StoredUser, userKey } from './stored-user.ts';

/** How a user can be reached outside the app. */
export interface Contact {
  readonly userId: UserId;
  readonly email: string;
  /** Whether the address may be written to: its owner proved to read it, or mails stay on this machine. */
  readonly emailVerified: boolean;
  readonly webhookUrl: string | null;
}

/** The contact details of users. */
export class Contacts {
  readonly #ports: Pick<Platform, 'table' | 'config' | 'secrets' | 'random'>;

  constructor(ports: Pick<Platform, 'table' | 'config' | 'secrets' | 'random'>) {
    this.#ports = ports;
  }

  /** @throws {NotFound} */
  async of(userId: UserId): Promise<Contact> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw new NotFound('This user does not exist any more.');
    const { email, webhookUrl } = user;
    return { userId, email, emailVerified: isEmailVerified(user, this.#ports.config), webhookUrl };
  }

  /** The secret that signs the user's webhooks: derived from key material, so that none has to be stored. */
  async webhookSecret(userId: UserId): Promise<string> {
    const { secrets, random } = this.#ports;
    const material = await keyMaterial(secrets, random, 'webhook-signing');
    return `whsec_${derivedKey(material, `webhook/${userId}`).toString('base64url')}`;
  }
}
