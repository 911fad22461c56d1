import { describe, expect, it, onTestFinished } from 'vitest';
import { TimedOut, Unavailable } from '#shared/platform/errors';
import { SmtpMailer } from '#shared/platform/machine/smtp';
import type { Mail, Mailer } from '#shared/platform/ports';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteOutbox } from '#shared/platform/sqlite/outbox';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { startSmtpServer } from './smtp-server.ts';

const start = Date.UTC(2026, 0, 1);
const mail = (changes: Partial<Mail> = {}): Mail => ({
  id: 'notification#1/email',
  to: 'trader@example.com',
  subject: 'Alert',
  text: 'BTC is above 70000.',
  html: '<p>BTC is above 70000.</p>',
  ...changes,
});

const openOutbox = (forward?: Mailer): SqliteOutbox => {
  const database = openMemoryDatabase();
  onTestFinished(() => database.close());
  return new SqliteOutbox(database, new VirtualClock(start), forward);
};

const smtp = async (answers: Readonly<Record<string, string | null>> = {}, credentials = '') => {
  const server = await startSmtpServer(answers);
  onTestFinished(() => server.close());
  const url = server.url.replace('smtp://', `smtp://${credentials}`);
  return { server, mailer: new SmtpMailer({ url, from: 'AlphaPulse <alerts@alphapulse.example>', timeoutMs: 200 }) };
};

/** A mail server that is down for the first `failures` mails. */
const recovering = (failures: number) => {
  const delivered: string[] = [];
  let attempts = 0;
  const send = async ({ id }: Mail) => {
    if (++attempts <= failures) throw new Unavailable('down');
    delivered.push(id);
  };
  return { delivered, send };
};

describe('SqliteOutbox', () => {
  it('lists the newest mails first, with their time', async () => {
    const outbox = openOutbox();
    for (const id of ['1', '2', '3']) await outbox.send(mail({ id }));
    expect(outbox.list(2)).toEqual([
      { ...mail({ id: '3' }), at: start },
      { ...mail({ id: '2' }), at: start },
    ]);
  });

  it('blanks the tokens of mails that are older than they are valid, and those alone', async () => {
    const outbox = openOutbox();
    const [reset, verification] = [`appr_${'r'.repeat(40)}`, `apev_${'v-_'.repeat(14)}`];
    await outbox.send(mail({ id: '1', text: `Reset: ${reset}.`, html: `<a href="x?token=${reset}">Reset</a>` }));
    await outbox.send(mail({ id: '2', text: `Confirm: ${verification}.` }));
    await outbox.blankTokens('appr_', start);
    expect(outbox.list(2)[1]?.text).toBe(`Reset: ${reset}.`);
    await outbox.blankTokens('appr_', start + 1);
    expect(outbox.list(2)).toMatchObject([
      { text: `Confirm: ${verification}.` },
      { text: 'Reset: [blanked].', html: '<a href="x?token=[blanked]">Reset</a>' },
    ]);
  });

  it('blanks the tokens of a mail once it is handed on', async () => {
    const token = `appr_${'r'.repeat(40)}`;
    const sent: string[] = [];
    const outbox = openOutbox({ send: async ({ text }) => void sent.push(text) });
    await outbox.send(mail({ text: `Reset: ${token}` }));
    expect([sent, outbox.list(1)[0]?.text]).toEqual([[`Reset: ${token}`], 'Reset: [blanked]']);
  });

  it('takes the same id twice as one mail', async () => {
    const outbox = openOutbox();
    await outbox.send(mail());
    await outbox.send(mail({ subject: 'again' }));
    expect(outbox.list(10).map(({ subject }) => subject)).toEqual(['Alert']);
  });

  it('keeps the newest 1000', async () => {
    const outbox = openOutbox();
    await Promise.all(Array.from({ length: 1010 }, (_, n) => outbox.send(mail({ id: `${n}` }))));
    const kept = outbox.list(2000).map(({ id }) => id);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, '1009', '10']);
  });

  it('hands a mail on once, however often and however fast it is sent', async () => {
    const forward = recovering(0);
    const outbox = openOutbox(forward);
    await Promise.all([outbox.send(mail()), outbox.send(mail())]);
    await outbox.send(mail());
    expect(forward.delivered).toEqual([mail().id]);
  });

  it('keeps a mail that could not be handed on, and hands it on when it is sent again', async () => {
    const forward = recovering(1);
    const outbox = openOutbox(forward);
    await expect(outbox.send(mail())).rejects.toThrow(Unavailable);
    expect([outbox.list(10).length, forward.delivered]).toEqual([1, []]);
    await outbox.send(mail());
    expect([outbox.list(10).length, forward.delivered]).toEqual([1, [mail().id]]);
  });
});

describe('SmtpMailer', () => {
  it('sends both parts to the recipient alone', async () => {
    const { server, mailer } = await smtp();
    await mailer.send(mail());
    const [{ recipients, source } = { recipients: [], source: '' }] = server.mails;
    expect(recipients).toEqual(['trader@example.com']);
    expect(source).toContain('Subject: Alert');
    expect(source).toContain('From: AlphaPulse <alerts@alphapulse.example>');
    expect(source).toContain('BTC is above 70000.');
    expect(source).toContain('<p>BTC is above 70000.</p>');
  });

  it('gives a mail the same Message-ID each time, and another one another', async () => {
    const { server, mailer } = await smtp();
    for (const id of ['a <b>\u0000#1', 'a <b>\u0000#1', 'c']) await mailer.send(mail({ id }));
    const [first, again, other] = server.mails.map(({ source }) => /^Message-ID: (.*)$/m.exec(source)?.[1]);
    expect(first).toMatch(/^<[0-9a-f]{40}@alphapulse\.example>\s*$/);
    expect([again === first, other === first]).toEqual([true, false]);
  });

  it.each(['a@example.com, b@example.com', 'a@example.com>\u0000,<b@example.com'])(
    'never sends to more than one: %j',
    async (to) => {
      const { server, mailer } = await smtp();
      await mailer.send(mail({ to })).catch(() => undefined);
      expect(server.mails.flatMap(({ recipients }) => recipients).length).toBeLessThanOrEqual(1);
    },
  );

  it('refuses line breaks in headers', async () => {
    const { server, mailer } = await smtp();
    await expect(mailer.send(mail({ subject: 'a\nBcc: x@example.com' }))).rejects.toMatchObject({ path: 'subject' });
    await expect(mailer.send(mail({ to: 'a@example.com\r\nRCPT TO:<x@example.com>' }))).rejects.toMatchObject({
      path: 'to',
    });
    expect(server.mails).toEqual([]);
  });

  it('is unavailable when nothing listens', async () => {
    const { server, mailer } = await smtp();
    await server.close();
    await expect(mailer.send(mail())).rejects.toThrow(Unavailable);
  });

  it('is unavailable when the server refuses the mail', async () => {
    const { mailer } = await smtp({ RCPT: '450 try later' });
    await expect(mailer.send(mail())).rejects.toThrow(/450/);
  });

  it('tells no password when the login fails', async () => {
    const { mailer } = await smtp({ EHLO: '250 AUTH PLAIN', AUTH: '535 no, not hunter2' }, 'user:hunter2@');
    const error: unknown = await mailer.send(mail()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Unavailable);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter2');
  });

  it.each(['GREETING', 'EHLO', 'RCPT', 'ACCEPT'])('times out when the server is silent at %s', async (command) => {
    const { mailer } = await smtp({ [command]: null });
    await expect(mailer.send(mail())).rejects.toThrow(TimedOut);
  });
});
