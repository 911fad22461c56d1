import { SESClient, type SESClientConfig, SendEmailCommand } from '@aws-sdk/client-ses';
import { InvalidInput, Unavailable } from '../errors.ts';
import type { Mail, Mailer } from '../ports.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { failureOf, nameOf } from './failures.ts';

const Charset = 'UTF-8';

/** Sending is switched off for now, by the account's owner or by AWS. */
const pausedNames = new Set(['AccountSendingPausedException', 'ConfigurationSetSendingPausedException']);

/** Nothing but a change of the deployment or of SES helps. */
const refusedSenderNames = new Set(['AccessDenied', 'AccessDeniedException', 'MailFromDomainNotVerifiedException']);

const requestTimeoutMs = 10_000;

/**
 * SES takes seconds at times, and a mail that it took without answering in time would be sent twice by another attempt: the
 * queue retries instead, which knows how often it did.
 */
export const SES_OPTIONS = {
  maxAttempts: 1,
  requestHandler: {
    ...CLIENT_OPTIONS.requestHandler,
    requestTimeout: requestTimeoutMs,
    socketTimeout: requestTimeoutMs,
  },
} as const;

export const sesClient = (own: SESClientConfig = {}) => new SESClient({ ...SES_OPTIONS, ...own });

/** Mail through SES. SES does not deduplicate: a mail sent again is delivered again. */
export class SesMailer implements Mailer {
  readonly #client: SESClient;
  readonly #from: string;
  readonly #configurationSet: string | undefined;

  constructor(options: {
    readonly client: SESClient;
    readonly from: string;
    readonly configurationSet?: string | undefined;
  }) {
    this.#client = options.client;
    this.#from = options.from;
    this.#configurationSet = options.configurationSet;
  }

  /**
   * @throws {InvalidInput} `to` or `subject` holds a line break, or SES refuses the mail for good: its recipient, which in
   *   the SES sandbox must be verified, or the sender
   * @throws {Unavailable | TimedOut}
   */
  async send({ to, subject, text, html }: Mail): Promise<void> {
    for (const [path, header] of Object.entries({ to, subject })) {
      if (/[\r\n]/.test(header)) throw new InvalidInput(path, 'A line break is not allowed here');
    }
    const command = new SendEmailCommand({
      Source: this.#from,
      Destination: { ToAddresses: [to] },
      Message: {
        Subject: { Data: subject, Charset },
        Body: { Text: { Data: text, Charset }, Html: { Data: html, Charset } },
      },
      ConfigurationSetName: this.#configurationSet,
    });
    await this.#client.send(command).catch(refuse);
  }
}

const refuse = (error: unknown): never => {
  const name = nameOf(error);
  if (name === 'MessageRejected') throw new InvalidInput('to', 'The mail service refuses the mail');
  if (refusedSenderNames.has(name)) {
    throw new InvalidInput('from', 'The mail service does not let this installation send from its address');
  }
  if (pausedNames.has(name)) throw new Unavailable('Sending mail is switched off', { cause: error });
  throw failureOf('The mail service', error);
};
