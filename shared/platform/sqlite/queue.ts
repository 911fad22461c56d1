import { InvalidInput } from '#shared/platform/errors';
import {
  type Clock,
  type Ids,
  MESSAGE_BYTES_MAX,
  type Message,
  type Queue,
  type QueueDepth,
  type ReceivedMessage,
} from '#shared/platform/ports';
import { type Database, numberOf, textOf } from './database.ts';

/** Limits of SQS. */
const RECEIVE_MESSAGES_MAX = 10;
const delaySecondsMax = 900;
const visibilitySecondsMax = 43_200;
const DEFAULT_MAX_RECEIVES = 5;
const DEAD_SUFFIX = '-dead';

const sendMessage = `
  INSERT INTO messages (id, queue, body, sent_at, visible_at, receive_count) VALUES (?, ?, ?, ?, ?, 0)`;
const selectVisible = `
  SELECT id, body, sent_at, receive_count FROM messages WHERE queue = ? AND visible_at <= ?
  ORDER BY visible_at, id LIMIT ?`;
const takeMessage = 'UPDATE messages SET receive_count = ?, visible_at = ? WHERE id = ?';
const buryMessage = 'UPDATE messages SET queue = ?, receive_count = 0, visible_at = ? WHERE id = ?';
const removeMessage = 'DELETE FROM messages WHERE queue = ? AND id = ? AND receive_count = ?';
const releaseMessage = 'UPDATE messages SET visible_at = ? WHERE queue = ? AND id = ? AND receive_count = ?';
const reclaimMessages = 'UPDATE messages SET visible_at = ? WHERE queue = ? AND receive_count > 0 AND visible_at > ?';
const selectDepth = `
  SELECT count(*) FILTER (WHERE visible_at <= $now) AS waiting,
    count(*) FILTER (WHERE visible_at > $now AND receive_count = 0) AS delayed,
    count(*) FILTER (WHERE visible_at > $now AND receive_count > 0) AS in_flight
  FROM messages WHERE queue = $queue`;
const selectNextVisible = 'SELECT visible_at FROM messages WHERE queue = ? ORDER BY visible_at LIMIT 1';

export interface QueueOptions {
  readonly database: Database;
  readonly name: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** How often a message is received before it becomes a dead letter; dead letters stay however often they are received. Default 5. */
  readonly maxReceives?: number;
}

/**
 * A queue in the embedded store. A message that was sent survives a power cut; that it was received or removed survives
 * the process, so that after a power cut it may be delivered once more.
 */
export class SqliteQueue implements Queue {
  readonly #database: Database;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #maxReceives: number;

  constructor({ database, name, clock, ids, maxReceives = DEFAULT_MAX_RECEIVES }: QueueOptions) {
    this.#database = database;
    this.#name = name;
    this.#clock = clock;
    this.#ids = ids;
    this.#maxReceives = name.endsWith(DEAD_SUFFIX) ? Number.POSITIVE_INFINITY : maxReceives;
  }

  /** @throws {InvalidInput} a body is empty or too large */
  async send(messages: readonly Message[]): Promise<void> {
    for (const { body, delaySeconds = 0 } of messages) {
      if (body === '') throw new InvalidInput('body', 'The message is empty');
      if (Buffer.byteLength(body) > MESSAGE_BYTES_MAX) throw new InvalidInput('body', 'The message is too large');
      checkSeconds(delaySeconds, delaySecondsMax);
    }
    const copies = messages.map(({ body, delaySeconds = 0 }) => ({ body, delaySeconds }));
    if (copies.length === 0) return;
    await this.#database.write(() => {
      const now = this.#clock.now();
      for (const { body, delaySeconds } of copies) {
        const visibleAt = now + delaySeconds * 1000;
        this.#database.prepare(sendMessage).run(this.#ids.next(), this.#name, body, now, visibleAt);
      }
      this.#database.announce(topicOf(this.#name));
    });
  }

  async receive(max: number, visibilitySeconds: number): Promise<ReceivedMessage[]> {
    if (!Number.isInteger(max) || max < 1 || max > RECEIVE_MESSAGES_MAX) {
      throw new RangeError(`1..${RECEIVE_MESSAGES_MAX} messages can be received at once`);
    }
    checkSeconds(visibilitySeconds, visibilitySecondsMax);
    return this.#database.write(() => this.#take(max, visibilitySeconds), 'process');
  }

  async remove(receipt: string): Promise<void> {
    const { id, receiveCount } = partsOf(receipt);
    await this.#database.write(() => {
      this.#database.prepare(removeMessage).run(this.#name, id, receiveCount);
    }, 'process');
  }

  async release(receipt: string, seconds: number): Promise<void> {
    checkSeconds(seconds, visibilitySecondsMax);
    const { id, receiveCount } = partsOf(receipt);
    await this.#database.write(() => {
      const visibleAt = this.#clock.now() + seconds * 1000;
      this.#database.prepare(releaseMessage).run(visibleAt, this.#name, id, receiveCount);
      this.#database.announce(topicOf(this.#name));
    }, 'process');
  }

  /**
   * Makes every message that was received visible again, for a process that starts: their receivers ended with the
   * process before. One that waits for another try comes sooner.
   */
  async reclaim(): Promise<void> {
    await this.#database.write(() => {
      const now = this.#clock.now();
      this.#database.prepare(reclaimMessages).run(now, this.#name, now);
      this.#database.announce(topicOf(this.#name));
    }, 'process');
  }

  async depth(): Promise<QueueDepth> {
    const row = this.#database.prepare(selectDepth).get({ now: this.#clock.now(), queue: this.#name });
    const numbered = (name: string) => numberOf(row, name);
    return { waiting: numbered('waiting'), delayed: numbered('delayed'), inFlight: numbered('in_flight') };
  }

  /** When the next message is or becomes visible, epoch ms; undefined while there is none. */
  nextVisibleAt(): number | undefined {
    const row = this.#database.prepare(selectNextVisible).get(this.#name);
    return row === undefined ? undefined : numberOf(row, 'visible_at');
  }

  /** Calls the listener once messages were sent or released, so {@link nextVisibleAt} may be earlier. @returns ends the listening */
  onSend(listener: () => void): () => void {
    return this.#database.onCommit(topicOf(this.#name), listener);
  }

  #take(max: number, visibilitySeconds: number): ReceivedMessage[] {
    const now = this.#clock.now();
    const taken: ReceivedMessage[] = [];
    while (taken.length === 0) {
      const visible = this.#database.prepare(selectVisible).all(this.#name, now, max);
      if (visible.length === 0) break;
      for (const row of visible) {
        const id = textOf(row, 'id');
        const receiveCount = numberOf(row, 'receive_count') + 1;
        if (receiveCount > this.#maxReceives) this.#bury(id, now);
        else {
          this.#database.prepare(takeMessage).run(receiveCount, now + visibilitySeconds * 1000, id);
          const receipt = `${id}/${receiveCount}`;
          taken.push({ id, body: textOf(row, 'body'), receipt, receiveCount, sentAt: numberOf(row, 'sent_at') });
        }
      }
    }
    return taken;
  }

  #bury(id: string, now: number): void {
    const dead = this.#name + DEAD_SUFFIX;
    this.#database.prepare(buryMessage).run(dead, now, id);
    this.#database.announce(topicOf(dead));
  }
}

const topicOf = (queue: string): string => `queue ${queue}`;

/** A receipt is the message and which time it was received; receiving it again ends the receipts before. */
function partsOf(receipt: string): { id: string; receiveCount: number } {
  const [id = '', receiveCount = ''] = receipt.split('/');
  return { id, receiveCount: Number(receiveCount) };
}

function checkSeconds(seconds: number, max: number): void {
  if (!(seconds >= 0 && seconds <= max)) throw new RangeError(`Seconds must be 0..${max}`);
}
