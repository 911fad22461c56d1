import { isDeepStrictEqual } from 'node:util';
import { ConditionFailed, TransactionCanceled } from '#shared/platform/errors';
import { applyChanges, checkedChanges } from '#shared/platform/items/changes';
import { checkCondition, holds } from '#shared/platform/items/condition';
import { cursorOf, positionAttributes } from '#shared/platform/items/cursor';
import { checkedKey, type StoredItem, storedItem } from '#shared/platform/items/item';
import type { Clock } from '#shared/platform/ports';
import {
  type Changes,
  checkQueryLimit,
  type Delete,
  type Item,
  type Key,
  type Page,
  type Put,
  QUERY_ITEMS_MAX,
  type Query,
  type Table,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_WRITES_MAX,
  type Write,
  type WriteCondition,
} from '#shared/platform/table';
import { type Database, textOf } from './database.ts';
import { selection } from './key-range.ts';

/** Topic of {@link Database.onCommit}: the change log has grown. */
export const CHANGES_TOPIC = 'changes';

/** DynamoDB ends a page here. */
const PAGE_BYTES_MAX = 1024 * 1024;
const SWEEP_ITEMS_MAX = 1000;

const selectItem = 'SELECT item FROM items WHERE pk = ? AND sk = ?';
const storeItem = `
  INSERT INTO items (pk, sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk, expires_at, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (pk, sk) DO UPDATE SET gsi1pk = excluded.gsi1pk, gsi1sk = excluded.gsi1sk, gsi2pk = excluded.gsi2pk,
    gsi2sk = excluded.gsi2sk, expires_at = excluded.expires_at, item = excluded.item`;
const deleteItem = 'DELETE FROM items WHERE pk = ? AND sk = ?';
const logChange = 'INSERT INTO changes (at, pk, sk, before, after) VALUES (?, ?, ?, ?, ?)';
const selectExpired = 'SELECT pk, sk, item FROM items WHERE expires_at < ? ORDER BY expires_at LIMIT ?';

/** One write, checked. Items come and go as their JSON. */
interface Step<T> extends Key {
  readonly condition: WriteCondition | undefined;
  /** What the write makes of the item that is stored. */
  after(stored: string | undefined): StoredItem | 'removed' | 'unchanged';
  result(stored: string | undefined, after: StoredItem | 'removed' | 'unchanged'): T;
}

/** The table in the embedded store. Every change is logged in the same commit. */
export class SqliteTable implements Table {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async get<T extends Item>(key: Key): Promise<T | undefined> {
    const { pk, sk } = checkedKey(key);
    return parsed<T>(this.#stored(pk, sk));
  }

  async getMany<T extends Item>(keys: readonly Key[]): Promise<T[]> {
    return keys.map(checkedKey).flatMap(({ pk, sk }) => parsed<T>(this.#stored(pk, sk)) ?? []);
  }

  async query<T extends Item>(query: Query): Promise<Page<T>> {
    const limit = query.limit ?? QUERY_ITEMS_MAX;
    checkQueryLimit(limit);
    // One more row than the limit shows whether there is another page.
    const { sql, parameters } = selection(query, limit + 1);
    const items: T[] = [];
    let bytes = 0;
    for (const row of this.#database.prepare(sql).iterate(...parameters)) {
      const json = textOf(row, 'item');
      bytes += Buffer.byteLength(json);
      const last = items.at(-1);
      if (last !== undefined && (items.length === limit || bytes > PAGE_BYTES_MAX)) {
        return { items, cursor: cursorOf(positionAttributes(query).map((name) => last[name] ?? '')) };
      }
      items.push(JSON.parse(json));
    }
    return { items };
  }

  async put(item: Item, condition?: WriteCondition): Promise<void> {
    const step = putting(item, condition);
    await this.#database.write(() => this.#make(step));
  }

  async update<T extends Item>(key: Key, changes: Changes, condition?: WriteCondition): Promise<T> {
    const step = updating<T>(key, changes, condition);
    return this.#database.write(() => this.#make(step));
  }

  async delete<T extends Item>(key: Key, condition?: WriteCondition): Promise<T | undefined> {
    const step = deleting<T>(key, condition);
    return this.#database.write(() => this.#make(step));
  }

  async writeMany(writes: readonly (Put | Delete)[]): Promise<number[]> {
    const steps = writes.map((write) =>
      'put' in write ? putting(write.put, write.if) : deleting(write.delete, write.if),
    );
    if (steps.length === 0) return [];
    return this.#database.write(() => {
      const failed: number[] = [];
      for (const [position, step] of steps.entries()) {
        const stored = this.#stored(step.pk, step.sk);
        if (allows(step, stored)) this.#apply(step, stored);
        else failed.push(position);
      }
      return failed;
    }, 'process');
  }

  async transact(writes: readonly Write[]): Promise<void> {
    const steps = writes.map(stepOf);
    if (steps.length < 1 || steps.length > TRANSACTION_WRITES_MAX) {
      throw new RangeError(`A transaction has 1..${TRANSACTION_WRITES_MAX} writes`);
    }
    if (new Set(steps.map(({ pk, sk }) => JSON.stringify([pk, sk]))).size < steps.length) {
      throw new TypeError('A transaction writes a key twice');
    }
    if (Buffer.byteLength(JSON.stringify(writes)) > TRANSACTION_BYTES_MAX) {
      throw new RangeError(`A transaction writes at most ${TRANSACTION_BYTES_MAX} bytes`);
    }
    await this.#database.write(() => {
      // Each key is written once, so that what is stored under it now still is when its turn comes.
      const found = steps.map((step) => ({ step, stored: this.#stored(step.pk, step.sk) }));
      const failed = found.flatMap(({ step, stored }, position) => (allows(step, stored) ? [] : position));
      if (failed.length > 0) throw new TransactionCanceled(failed);
      for (const { step, stored } of found) this.#apply(step, stored);
    });
  }

  /**
   * Removes items that have expired, a bounded number; the removals are logged as changes.
   * @param now epoch ms
   * @returns how many were removed; call again while there are any
   */
  sweep(now: number = this.#clock.now()): Promise<number> {
    return this.#database.write(() => {
      const expired = this.#database.prepare(selectExpired).all(now / 1000, SWEEP_ITEMS_MAX);
      for (const row of expired) this.#remove(textOf(row, 'pk'), textOf(row, 'sk'), textOf(row, 'item'));
      return expired.length;
    }, 'process');
  }

  #make<T>(step: Step<T>): T {
    const stored = this.#stored(step.pk, step.sk);
    if (!allows(step, stored)) throw new ConditionFailed('The item is not as expected');
    return this.#apply(step, stored);
  }

  #apply<T>(step: Step<T>, stored: string | undefined): T {
    const { pk, sk } = step;
    const after = step.after(stored);
    if (after === 'removed') {
      if (stored !== undefined) this.#remove(pk, sk, stored);
    } else if (after !== 'unchanged') this.#store(after, stored);
    return step.result(stored, after);
  }

  #store(item: StoredItem, stored: string | undefined): void {
    if (stored !== undefined && isSame(stored, item.json)) return;
    const { pk, sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk, expiresAt, json } = item;
    this.#database.prepare(storeItem).run(pk, sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk, expiresAt, json);
    this.#log(pk, sk, stored ?? null, json);
  }

  #remove(pk: string, sk: string, stored: string): void {
    this.#database.prepare(deleteItem).run(pk, sk);
    this.#log(pk, sk, stored, null);
  }

  #log(pk: string, sk: string, before: string | null, after: string | null): void {
    this.#database.prepare(logChange).run(this.#clock.now(), pk, sk, before, after);
    this.#database.announce(CHANGES_TOPIC);
  }

  #stored(pk: string, sk: string): string | undefined {
    const row = this.#database.prepare(selectItem).get(pk, sk);
    return row === undefined ? undefined : textOf(row, 'item');
  }
}

function putting(put: Item, condition: WriteCondition | undefined): Step<void> {
  const item = storedItem(put);
  return { pk: item.pk, sk: item.sk, condition: checked(condition), after: () => item, result: () => undefined };
}

function updating<T extends Item>(key: Key, changes: Changes, condition: WriteCondition | undefined): Step<T> {
  const { pk, sk } = checkedKey(key);
  const copy = checkedChanges(changes);
  return {
    pk,
    sk,
    condition: checked(condition),
    after: (stored) => storedItem(applyChanges(parsed(stored), { pk, sk }, copy)),
    result: (_stored, after) => JSON.parse(typeof after === 'string' ? '' : after.json),
  };
}

function deleting<T extends Item>(key: Key, condition: WriteCondition | undefined): Step<T | undefined> {
  const { pk, sk } = checkedKey(key);
  return { pk, sk, condition: checked(condition), after: () => 'removed', result: (stored) => parsed<T>(stored) };
}

function checking(key: Key, condition: WriteCondition): Step<void> {
  const { pk, sk } = checkedKey(key);
  return { pk, sk, condition: checked(condition), after: () => 'unchanged', result: () => undefined };
}

function stepOf(write: Write): Step<unknown> {
  if ('put' in write) return putting(write.put, write.if);
  if ('delete' in write) return deleting(write.delete, write.if);
  if ('update' in write) return updating(write.update, write.changes, write.if);
  return checking(write.check, write.if);
}

function checked(condition: WriteCondition | undefined): WriteCondition | undefined {
  if (condition !== undefined) checkCondition(condition);
  return condition;
}

function allows({ condition }: Step<unknown>, stored: string | undefined): boolean {
  return condition === undefined || holds(condition, parsed(stored));
}

function parsed<T extends Item>(json: string | undefined): T | undefined {
  return json === undefined ? undefined : JSON.parse(json);
}

/** The order of attributes does not matter, but the same attributes in another order make a text of the same length. */
function isSame(json: string, other: string): boolean {
  return json === other || (json.length === other.length && isDeepStrictEqual(JSON.parse(json), JSON.parse(other)));
}
