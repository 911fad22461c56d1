import type { Contact, Contacts } from '#shared/identity/contacts';
import type { NotificationChannel } from '#shared/model/channels';
import { DomainError } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import type { StoredNotification } from '../notification.ts';

/** What a channel sends with. */
export interface ChannelPorts extends Pick<Platform, 'config' | 'mailer' | 'network' | 'clock'> {
  readonly contacts: Contacts;
}

/** A channel whose deliveries go through the queue; WebSockets are served from the stream. */
export interface QueuedChannel<Name extends NotificationChannel = NotificationChannel> {
  readonly name: Name;
  /**
   * What the user still has to set up before they may choose the channel, as a sentence for them; undefined when there
   * is nothing. A channel without this check can always be chosen.
   */
  validate?(contact: Contact): string | undefined;
  /**
   * Sends the notification once.
   * @throws {Undeliverable} a retry can't help
   * @throws {Unavailable | TimedOut} to be retried; the message is shown to the user
   */
  send(notification: StoredNotification, contact: Contact, ports: ChannelPorts): Promise<void>;
}

/** A retry can't help: the user has to act first. */
export class Undeliverable extends DomainError {
  readonly code = 'undeliverable';
  override readonly name = 'Undeliverable';
}
