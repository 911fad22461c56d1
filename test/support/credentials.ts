/** What a person holds besides their password: an authenticator app and a mailbox. */
import { TOTP } from 'otpauth';

/** What an authenticator app shows for a secret. @param now epoch ms */
export const codeAt = (secret: string, now: number): string => new TOTP({ secret }).generate({ timestamp: now });

/** The token of this kind in the newest mail that has one. @param mails newest first */
export const tokenIn = (mails: readonly { readonly text: string }[], prefix: string): string => {
  const pattern = new RegExp(`^${prefix}_[\\w-]{64}$`, 'm');
  const [token] = mails.flatMap(({ text }) => pattern.exec(text) ?? []);
  if (token === undefined) throw new Error(`No mail has a token ${prefix}_…`);
  return token;
};
