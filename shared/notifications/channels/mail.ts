import type { StoredNotification } from '#shared/alerts/stored';
import { escaped } from '#shared/platform/html';
import type { Mail } from '#shared/platform/ports';

/** The mail that tells of a firing. */
export const alertMail = (notification: StoredNotification, to: string): Mail => {
  const { notificationId, message, severity, firedAt, alertId } = notification;
  const at = new Date(firedAt).toISOString();
  return {
    id: notificationId,
    to,
    subject: `${severity === 'info' ? '' : `[${severity}] `}${message}`.replaceAll(/\s+/g, ' ').slice(0, 200),
    text: `${message}\n\nSeen at ${at}.\nAlert ${alertId}, notification ${notificationId}.\n`,
    html: `<p style="font-size:1.1em">${escaped(message)}</p><p style="color:#666">Seen at ${at}.<br>Alert ${alertId}, notification ${notificationId}.</p>`,
  };
};
