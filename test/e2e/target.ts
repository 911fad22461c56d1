/** The system that the suite uses, as a stranger does: by its addresses alone. */
import { inject, it } from 'vitest';
import * as z from 'zod';
import { call, type HttpReply } from '../support/client.ts';
import { until } from '../support/until.ts';

/** Where the system and the world around it are reached. */
export interface Target {
  readonly runtime: 'local' | 'aws';
  readonly emulator: 'ministack' | null;
  readonly url: string;
  readonly socketUrl: string;
  /** Lists the mails that were sent, as JSON; on one machine with the token of its outbox. */
  readonly mailsUrl: string;
  /** Takes prices of the venue double, see {@link setPrice}. */
  readonly venueUrl: string;
  /** The longest that a change at the venue may need to reach a user, ms. */
  readonly patienceMs: number;
}

declare module 'vitest' {
  interface ProvidedContext {
    target: Target;
  }
}

export const target: Target = inject('target');

type Where = NonNullable<Target['emulator']> | Target['runtime'];
const isThere = (where: Where): boolean => where === target.emulator || where === target.runtime;

/** `it`, but for a test that can't pass there; its name then says why. */
export const limitOf = (where: Where, reason: string) => (name: string, test: () => Promise<void>) =>
  isThere(where) ? it.skip(`${name} [not on ${where}: ${reason}]`, test) : it(name, test);

/** `it`, for what is promised there alone. */
export const only = (where: Where) => it.runIf(isThere(where));

/** Waits for something that begins with a change at the venue. */
export const eventually = <T>(what: string, look: Parameters<typeof until<T>>[1]): Promise<T> =>
  until(what, look, target.patienceMs);

/** Sends a request without credentials. */
export const send = (method: string, path: string, body?: string, contentType?: string): Promise<HttpReply> =>
  call(target.url + path, {
    method,
    ...(body === undefined ? {} : { body }),
    ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
  });

/** Moves a price at the venue. */
export const setPrice = async (symbol: string, price: string): Promise<void> => {
  const { ok } = await fetch(target.venueUrl, { method: 'PUT', body: JSON.stringify({ symbol, price }) });
  if (!ok) throw new Error(`The venue double refuses ${symbol} at ${price}`);
};

export interface SentMail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

const Outbox = z.object({ items: z.array(z.object({ to: z.string(), subject: z.string(), text: z.string() })) });

/** The mails of MiniStack, by account, region and sender. */
const SesMails = z.object({
  messages: z.record(
    z.string(),
    z.array(z.object({ To: z.array(z.string()), Subject: z.string(), BodyText: z.string() })),
  ),
});

/** The mails that were sent to an address so far. */
export const mailsTo = async (address: string): Promise<SentMail[]> => {
  const { body } = await call(target.mailsUrl, { headers: { accept: 'application/json' } });
  const mails: SentMail[] =
    target.emulator === 'ministack'
      ? Object.values(SesMails.parse(body).messages)
          .flat()
          .map(({ To: to, Subject: subject, BodyText: text }) => ({ to, subject, text }))
      : Outbox.parse(body).items.map(({ to, ...mail }) => ({ to: [to], ...mail }));
  return mails.filter(({ to }) => to.includes(address));
};
