import type { SecurityNotice } from '#shared/auth/security-mail-job';
import { escaped } from '#shared/platform/html';
import type { Mail } from '#shared/platform/ports';

/**
 * The mail with the token for setting a new password.
 * @param id identifies the mail
 * @param appUrl of the web app, if there is one
 */
export const resetMail = (
  id: string,
  to: string,
  token: string,
  validMinutes: number,
  appUrl: string | undefined,
): Mail =>
  mailOf(id, to, 'Set a new password', [
    'Somebody requested a new password for your AlphaPulse account. If it was not you, ignore this email: nothing has changed.',
    ...instructions(
      'reset-password',
      'POST /api/user/password/reset {"token": "…", "newPassword": "…"}',
      token,
      appUrl,
    ),
    `The token can be used once, within ${validMinutes} minutes of the request. If you have a second factor, your next login still requires it.`,
  ]);

/** The mail with the token that verifies the address. Parameters as for {@link resetMail}. */
export const verificationMail = (
  id: string,
  to: string,
  token: string,
  validMinutes: number,
  appUrl: string | undefined,
): Mail =>
  mailOf(id, to, 'Confirm your email address', [
    'This address was entered for an AlphaPulse account. If it was not you, ignore this email: no alerts will be sent here.',
    ...instructions('verify-email', 'POST /api/user/email/verify {"token": "…"}', token, appUrl),
    `The token can be used once, within ${validMinutes / 60} hours.`,
  ]);

const changes: Readonly<Record<SecurityNotice['mail'], string>> = {
  'password-changed': 'The password of your AlphaPulse account was changed',
  'totp-enabled': 'A second factor was added to your AlphaPulse account',
  'totp-disabled': 'The second factor of your AlphaPulse account was removed',
  'api-key-created': 'An API key was created for your AlphaPulse account',
  'role-changed': 'The role of your AlphaPulse account was changed',
  'webhook-changed': 'The webhook address of your AlphaPulse account was changed',
  'exchange-key-added': 'A key of an exchange was stored in your AlphaPulse account',
};

/** The notice of a change. Where an admin comes from is not the user's business. */
export const noticeMail = ({ mail, requestId, requestedAt, source }: SecurityNotice, to: string): Mail =>
  mailOf(requestId, to, changes[mail], [
    `${changes[mail]} at ${new Date(requestedAt).toISOString()} ${mail === 'role-changed' ? 'by an admin' : `from ${source.address}`}.`,
    'If this was not you, set a new password immediately (POST /api/user/password/reset-request) and contact the operator of this installation.',
  ]);

/** The part of a URL after the # is not sent to the web server, so the token does not appear in its logs. */
const instructions = (page: string, request: string, token: string, appUrl: string | undefined): readonly string[] =>
  appUrl === undefined
    ? [`Send this token with ${request}:`, token]
    : [
        'Open this link:',
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
