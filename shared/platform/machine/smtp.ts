import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { TimedOut, Unavailable } from '#shared/platform/errors';
import type { Mail, Mailer } from '#shared/platform/ports';
import { checkHeaders } from '#shared/platform/sqlite/outbox';

const DEFAULT_TIMEOUT_MS = 10_000;

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly url: string;
  /** The sender. */
  readonly from: string;
  /** Longest time to connect, to be greeted, and to wait for an answer. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Sends mails through an SMTP server. A mail sent again has the same Message-ID, by which mailboxes recognise it. */
export class SmtpMailer implements Mailer {
  readonly #transport: ReturnType<typeof createTransport>;
  readonly #from: string;

  constructor({ url, from, timeoutMs = DEFAULT_TIMEOUT_MS }: SmtpOptions) {
    this.#from = from;
    this.#transport = createTransport({
      url,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * @throws {InvalidInput} `to` or `subject` holds a line break
   * @throws {Unavailable} no connection, or the server refuses the mail or the login
   * @throws {TimedOut} the mail may have been taken all the same
   */
  async send(mail: Mail): Promise<void> {
    checkHeaders(mail);
    const { id, to, subject, text, html } = mail;
    try {
      // An address object is taken as it is: a list of addresses in `to` is not taken apart into several.
      await this.#transport.sendMail({
        messageId: messageIdOf(id, this.#from),
        from: this.#from,
        to: { name: '', address: to },
        subject,
        text,
        html,
      });
    } catch (error) {
      throw failureOf(error);
    }
  }
}

/** Ids may hold what a Message-ID can't (RFC 5322, section 3.6.4): their hash is used instead. */
function messageIdOf(id: string, from: string): string {
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost';
  return `<${createHash('sha256').update(id).digest('hex').slice(0, 40)}@${domain}>`;
}

/** The server's own words stay away: they may quote the login. */
function failureOf(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const answer = error instanceof Error && 'responseCode' in error ? ` ${String(error.responseCode)}` : '';
  if (code === 'ETIMEDOUT') return new TimedOut('The mail server did not answer in time');
  return new Unavailable(`The mail server did not take the mail (${code}${answer})`);
}
