import type { Change, Item, Key } from '#shared/platform/table';
import { type Database, numberOf, optionalTextOf, textOf } from './database.ts';
import { CHANGES_TOPIC } from './table.ts';

const TRIM_CHANGES_MAX = 1000;

const selectChanges = 'SELECT seq, at, pk, sk, before, after FROM changes WHERE seq > ? ORDER BY seq LIMIT ?';
const selectEnd = `SELECT coalesce(max(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'changes'`;
const selectPosition = 'SELECT seq FROM consumers WHERE name = ?';

/**
 * The change stream of the table, kept until all of its consumers have passed it. A consumer that is seen for the first
 * time starts at the present end; a known one continues where it stopped.
 */
export class ChangeLog {
  readonly #database: Database;
  /** The durable position of each consumer: the sequence of the last change it has dealt with. */
  readonly #positions = new Map<string, number>();

  constructor(database: Database, consumers: readonly string[]) {
    this.#database = database;
    for (const name of consumers) {
      database.prepare('INSERT OR IGNORE INTO consumers (name, seq) VALUES (?, ?)').run(name, this.#end());
      this.#positions.set(name, numberOf(database.prepare(selectPosition).get(name), 'seq'));
    }
  }

  /** The changes after the consumer's position, oldest first. They come again until {@link advance}. */
  async read(consumer: string, limit: number): Promise<Change[]> {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError('The limit must be at least 1');
    return this.#database.prepare(selectChanges).all(this.#position(consumer), limit).map(changeOf);
  }

  /**
   * The consumer has dealt with everything up to the change of this sequence. Never leads back.
   * @throws {RangeError} there is no such change yet
   */
  async advance(consumer: string, sequence: string): Promise<void> {
    const position = Number(sequence);
    if (position <= this.#position(consumer)) return;
    if (!Number.isInteger(position) || position > this.#end())
      throw new RangeError(`No change has the sequence ${sequence}`);
    await this.#database.write(() => {
      this.#database.prepare('UPDATE consumers SET seq = max(seq, ?) WHERE name = ?').run(position, consumer);
      // After a power cut the last changes may come again, which every consumer allows for.
    }, 'process');
    this.#positions.set(consumer, Math.max(position, this.#position(consumer)));
  }

  /** How many changes the consumer has not dealt with, and when the oldest of them was made, epoch ms. */
  lag(consumer: string): { readonly count: number; readonly oldestAt?: number } {
    const position = this.#position(consumer);
    const oldest = this.#database.prepare('SELECT at FROM changes WHERE seq > ? ORDER BY seq LIMIT 1').get(position);
    if (oldest === undefined) return { count: 0 };
    return { count: this.#end() - position, oldestAt: numberOf(oldest, 'at') };
  }

  /** Calls the listener after each commit that brought changes. @returns ends the listening */
  onChange(listener: () => void): () => void {
    return this.#database.onCommit(CHANGES_TOPIC, listener);
  }

  /** Removes what every consumer has dealt with. @returns how many changes were removed */
  async trim(): Promise<number> {
    const passed = Math.min(this.#end(), ...this.#positions.values());
    const trimOldest = `
      DELETE FROM changes WHERE seq <= ? AND seq < (SELECT min(seq) FROM changes) + ${TRIM_CHANGES_MAX}`;
    let removed = 0;
    for (;;) {
      const { changes } = await this.#database.write(() => this.#database.prepare(trimOldest).run(passed), 'process');
      if (changes === 0) return removed;
      removed += Number(changes);
    }
  }

  #position(consumer: string): number {
    const position = this.#positions.get(consumer);
    if (position === undefined) throw new RangeError(`${consumer} is not a consumer of this change log`);
    return position;
  }

  #end(): number {
    return numberOf(this.#database.prepare(selectEnd).get(), 'seq');
  }
}

function changeOf(row: Parameters<typeof textOf>[0]): Change {
  const key: Key = { pk: textOf(row, 'pk'), sk: textOf(row, 'sk') };
  const before = imageOf(optionalTextOf(row, 'before'));
  const after = imageOf(optionalTextOf(row, 'after'));
  return {
    event: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    key,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    at: numberOf(row, 'at'),
    sequence: String(numberOf(row, 'seq')),
  };
}

const imageOf = (json: string | undefined): Item | undefined => (json === undefined ? undefined : JSON.parse(json));
