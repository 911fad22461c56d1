import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Mail, Mailer } from '#shared/platform/ports';

export interface OpenMailer {
  readonly mailer: Mailer;
  /** What was sent since it was opened, in any order. An adapter that can't see the id of a mail makes one up. */
  sent(): Promise<Mail[]>;
  close(): Promise<void>;
}

/** What every adapter of the Mailer port promises. */
export function mailerContract(name: string, open: () => Promise<OpenMailer>): void {
  describe(`mailer: ${name}`, () => {
    let opened: OpenMailer;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const mail = (changes: Partial<Mail> = {}): Mail => ({
      id: randomUUID(),
      to: 'trader@example.com',
      subject: 'BTC/USDT is above 70000',
      text: 'BTC/USDT is above 70000.',
      html: '<p>BTC/USDT is above <b>70000</b>.</p>',
      ...changes,
    });
    const arrived = async () =>
      (await opened.sent()).map(({ to, subject, text, html }) => ({
        to,
        subject,
        text: text.trim(),
        html: html.trim(),
      }));
    const contentOf = ({ to, subject, text, html }: Mail) => ({ to, subject, text, html });

    it('sends text and HTML', async () => {
      const one = mail();
      await opened.mailer.send(one);
      await expect.poll(arrived).toEqual([contentOf(one)]);
    });

    it('keeps letters of any script', async () => {
      const one = mail({ subject: 'Zürich ↗ 比特币 🚀', text: 'Grüße 🚀', html: '<p>Grüße 🚀</p>' });
      await opened.mailer.send(one);
      await expect.poll(arrived).toEqual([contentOf(one)]);
    });

    it('sends each of several mails', async () => {
      const mails = [mail({ to: 'a@example.com' }), mail({ to: 'b@example.com' }), mail({ to: 'c@example.com' })];
      await Promise.all(mails.map((one) => opened.mailer.send(one)));
      await expect.poll(async () => (await arrived()).map(({ to }) => to).sort()).toEqual(mails.map(({ to }) => to));
    });

    it.each<[string, Partial<Mail>]>([
      ['the subject', { subject: 'Alert\r\nBcc: other@example.com' }],
      ['the subject, as a line feed alone', { subject: 'Alert\nBcc: other@example.com' }],
      ['the recipient', { to: 'trader@example.com\r\nBcc: other@example.com' }],
    ])('refuses a line break in %s', async (_where, changes) => {
      await expect(opened.mailer.send(mail(changes))).rejects.toMatchObject({ code: 'invalid-input' });
      expect(await arrived()).toEqual([]);
    });
  });
}
