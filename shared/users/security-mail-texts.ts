import { escaped } from '#shared/platform/html';
import type { Mail } from '#shared/platform/ports';
import type { SecurityNotice } from './security-mail-job.ts';

/** The mail with the token that sets a new password. @param orderId identifies the mail @param appUrl of the web app, where there is one */
export const resetMail = (
  orderId: string,
  to: string,
  token: string,
  goodMinutes: number,
  appUrl: string | undefined,
): Mail =>
  mailOf(orderId, to, 'Set a new password', [
    'Somebody asked to set a new password for your AlphaPulse account. If it was not you, ignore this mail: nothing has changed.',
    ...whatToDo('reset-password', 'POST /api/user/password/reset {"token": "…", "newPassword": "…"}', token, appUrl),
    `It is good once, within ${goodMinutes} minutes of the request. A second factor is still asked for at the next login.`,
  ]);

/** The mail with the token that proves that its reader owns the address. */
export const verificationMail = (
  orderId: string,
  to: string,
  token: string,
  goodMinutes: number,
  appUrl: string | undefined,
): Mail =>
  mailOf(orderId, to, 'Confirm your mail address', [
    'This address was entered for an AlphaPulse account. If it was not by you, ignore this mail: no alerts are mailed to it.',
    ...whatToDo('verify-email', 'POST /api/user/email/verify {"token": "…"}', token, appUrl),
    `It is good once, within ${goodMinutes / 60} hours.`,
  ]);

const changed: Readonly<Record<SecurityNotice['mail'], string>> = {
  'password-changed': 'The password of your AlphaPulse account was changed',
  'totp-enabled': 'A second factor was added to your AlphaPulse account',
  'totp-disabled': 'The second factor of your AlphaPulse account was removed',
};

/** The mail that tells of a change of credentials. */
export const noticeMail = ({ mail, orderId, at, source }: SecurityNotice, to: string): Mail =>
  mailOf(orderId, to, changed[mail], [
    `${changed[mail]}, at ${new Date(at).toISOString()} from ${source.address}.`,
    'If it was not you, set a new password at once (POST /api/user/password/reset-request), and tell whoever runs this installation.',
  ]);

/** What follows the # is not sent to the web server, so that it stands in no log there. */
const whatToDo = (page: string, request: string, token: string, appUrl: string | undefined): readonly string[] =>
  appUrl === undefined
    ? [`Send this token with ${request}:`, token]
    : [
        'Open this address:',
        `${appUrl.replace(/\/$/, '')}/${page}#token=${token}`,
        `Or send this token with ${request}:`,
        token,
      ];

const mailOf = (id: string, to: string, subject: string, paragraphs: readonly string[]): Mail => ({
  id,
  to,
  subject,
  text: `${paragraphs.join('\n\n')}\n`,
  html: paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join(''),
});
