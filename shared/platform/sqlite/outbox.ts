import { InvalidInput } from '#shared/platform/errors';
import type { Clock, Mail, Mailer } from '#shared/platform/ports';
import { type Database, numberOf, textOf } from './database.ts';

/** Most mails that are kept; older ones go. */
const MAILS_MAX = 1000;

/** Tokens that open something, as mails hold them in links and as text. */
const TOKEN = /\bap(?:pr|ev)_[\w-]+/g;
const blanked = '[blanked]';

const insertMail = `
  INSERT INTO mails (id, at, recipient, subject, text, html, forwarded) VALUES (?, ?, ?, ?, ?, ?, 0)
  ON CONFLICT (id) DO NOTHING`;
const dropOldMails = 'DELETE FROM mails WHERE seq <= (SELECT seq FROM mails ORDER BY seq DESC LIMIT 1 OFFSET ?)';
const selectMailsWith = 'SELECT id, text, html FROM mails WHERE at < ? AND (instr(text, ?) > 0 OR instr(html, ?) > 0)';
const selectMails = 'SELECT id, at, recipient, subject, text, html FROM mails ORDER BY seq DESC LIMIT ?';

/** A mail in the outbox, and when it was put there, epoch ms. */
export interface OutboxMail extends Mail {
  readonly at: number;
}

/** Keeps mails for a person to read, the newest {@link MAILS_MAX}, and hands them on where a mailer is given: then their tokens are blanked. */
export class SqliteOutbox implements Mailer {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #forward: Mailer | undefined;
  readonly #forwarding = new Map<string, Promise<void>>();

  constructor(database: Database, clock: Clock, forward?: Mailer) {
    this.#database = database;
    this.#clock = clock;
    this.#forward = forward;
  }

  /**
   * The same id twice is one mail. One that could not be handed on stays in the outbox, and sent again is handed on again.
   * @throws {InvalidInput} `to` or `subject` holds a line break
   */
  async send(mail: Mail): Promise<void> {
    const { id, to, subject, text, html } = mail;
    checkHeaders(mail);
    await this.#database.write(() => {
      this.#database.prepare(insertMail).run(id, this.#clock.now(), to, subject, text, html);
      this.#database.prepare(dropOldMails).run(MAILS_MAX);
    });
    if (this.#forward === undefined) return;
    const forwarding = this.#forwarding.get(id) ?? this.#handOn(this.#forward, { id, to, subject, text, html });
    this.#forwarding.set(id, forwarding);
    await forwarding.finally(() => this.#forwarding.delete(id));
  }

  /** The newest mails, newest first. */
  list(limit: number): OutboxMail[] {
    return this.#database
      .prepare(selectMails)
      .all(limit)
      .map((row) => ({
        id: textOf(row, 'id'),
        to: textOf(row, 'recipient'),
        subject: textOf(row, 'subject'),
        text: textOf(row, 'text'),
        html: textOf(row, 'html'),
        at: numberOf(row, 'at'),
      }));
  }

  /** Blanks the tokens in mails from before a time, epoch ms, when they are no longer valid. @param prefix what they begin with */
  async blankTokens(prefix: string, before: number): Promise<void> {
    const mails = this.#database.prepare(selectMailsWith).all(before, prefix, prefix);
    if (mails.length === 0) return;
    await this.#database.write(() => {
      for (const mail of mails) this.#blank(textOf(mail, 'id'), textOf(mail, 'text'), textOf(mail, 'html'));
    });
  }

  /** Within an operation. */
  #blank(id: string, text: string, html: string): void {
    const update = this.#database.prepare('UPDATE mails SET text = ?, html = ? WHERE id = ?');
    update.run(text.replace(TOKEN, blanked), html.replace(TOKEN, blanked), id);
  }

  async #handOn(forward: Mailer, mail: Mail): Promise<void> {
    const waiting = this.#database.prepare('SELECT 1 FROM mails WHERE id = ? AND forwarded = 0').get(mail.id);
    if (waiting === undefined) return;
    await forward.send(mail);
    await this.#database.write(() => {
      this.#database.prepare('UPDATE mails SET forwarded = 1 WHERE id = ?').run(mail.id);
      this.#blank(mail.id, mail.text, mail.html);
    });
  }
}

/** A line break in a header would begin another header. @throws {InvalidInput} */
export function checkHeaders({ to, subject }: Mail): void {
  for (const [path, header] of Object.entries({ to, subject })) {
    if (/[\r\n]/.test(header)) throw new InvalidInput(path, 'A line break is not allowed here');
  }
}
