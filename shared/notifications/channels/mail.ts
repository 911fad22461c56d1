import { InvalidInput } from '#shared/platform/errors';
import { escaped } from '#shared/platform/html';
import type { Mail } from '#shared/platform/ports';
import type { StoredNotification } from '../notification.ts';
import { type QueuedChannel, Undeliverable } from './channel.ts';

const subjectLengthMax = 200;

/** Mails the notification, to a verified address only. */
export const mailChannel: QueuedChannel<'email'> = {
  name: 'email',
  async send(notification, { email, emailVerified }, { mailer }) {
    if (!emailVerified) throw new Undeliverable('The mail address is not verified.');
    try {
      await mailer.send(mailOf(notification, email));
    } catch (error) {
      if (error instanceof InvalidInput) throw new Undeliverable(`${error.message}.`);
      throw error;
    }
  },
};

const mailOf = (
  { notificationId, message, severity, firedAt, recordedAt, alertId }: StoredNotification,
  to: string,
): Mail => {
  const recorded = recordedAt === undefined ? '' : ` in the replay of ${new Date(recordedAt).toISOString()}`;
  const at = `${new Date(firedAt).toISOString()}${recorded}`;
  return {
    id: notificationId,
    to,
    subject: `${severity === 'info' ? '' : `[${severity}] `}${message}`
      .replaceAll(/\s+/g, ' ')
      .slice(0, subjectLengthMax),
    text: `${message}\n\nTriggered at ${at}.\nAlert ${alertId}, notification ${notificationId}.\n`,
    html: `<p style="font-size:1.1em">${escaped(message)}</p><p style="color:#666">Triggered at ${at}.<br>Alert ${alertId}, notification ${notificationId}.</p>`,
  };
};
