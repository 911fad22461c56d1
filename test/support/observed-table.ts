import { declarationOf } from '#shared/personal-data/item-kinds';
import { Unavailable } from '#shared/platform/errors';
import type { Changes, Delete, Item, Key, Put, Query, Table, Write, WriteCondition } from '#shared/platform/table';

/** A call of the table: its name and the keys that it reads or writes. */
export interface TableCall {
  readonly name: 'get' | 'getMany' | 'query' | 'put' | 'update' | 'delete' | 'writeMany' | 'transact';
  readonly keys: readonly Key[];
  /** Whether it writes. */
  readonly writes: boolean;
}

/**
 * A table that a test looks into: which calls were made, and what happens right before or after one of them. It refuses
 * items of undeclared kinds, and puts of items that are not of their kind's current shape.
 */
export class ObservedTable implements Table {
  readonly #table: Table;
  readonly calls: TableCall[] = [];
  /** Runs before each call; what it throws the caller gets, and the call is not made. */
  before: (call: TableCall) => Promise<void> | void = () => {};
  /** Runs after each call that succeeded; what it throws the caller gets, though the call was made. */
  after: (call: TableCall) => Promise<void> | void = () => {};

  constructor(table: Table) {
    this.#table = table;
  }

  /** The items written since the last call of this method, as the keys of their writes. */
  takeWritten(): string[] {
    const written = this.calls.filter(({ writes }) => writes).flatMap(({ keys }) => keys);
    this.calls.length = 0;
    return written.map(({ pk, sk }) => `${pk} ${sk}`);
  }

  /** Lets something happen once, before the first call that the test means. */
  once(isMeant: (call: TableCall) => boolean, happen: () => Promise<void>, when: 'before' | 'after' = 'before'): void {
    this[when] = async (call) => {
      if (!isMeant(call)) return;
      this[when] = () => {};
      await happen();
    };
  }

  get<T extends Item>(key: Key, options?: { readonly consistent?: boolean }) {
    return this.#observed({ name: 'get', keys: [key], writes: false }, () => this.#table.get<T>(key, options));
  }
  getMany<T extends Item>(keys: readonly Key[], options?: { readonly consistent?: boolean }) {
    return this.#observed({ name: 'getMany', keys, writes: false }, () => this.#table.getMany<T>(keys, options));
  }
  query<T extends Item>(query: Query) {
    const keys = [{ pk: query.pk, sk: JSON.stringify(query.sk ?? '') }];
    return this.#observed({ name: 'query', keys, writes: false }, () => this.#table.query<T>(query));
  }
  put(item: Item, condition?: WriteCondition) {
    checkDeclared({ put: item });
    return this.#observed({ name: 'put', keys: [item], writes: true }, () => this.#table.put(item, condition));
  }
  update<T extends Item>(key: Key, changes: Changes, condition?: WriteCondition) {
    checkDeclared({ update: key, changes });
    const call = { name: 'update', keys: [key], writes: true } as const;
    return this.#observed(call, () => this.#table.update<T>(key, changes, condition));
  }
  delete<T extends Item>(key: Key, condition?: WriteCondition) {
    return this.#observed({ name: 'delete', keys: [key], writes: true }, () => this.#table.delete<T>(key, condition));
  }
  writeMany(writes: readonly (Put | Delete)[]) {
    writes.forEach(checkDeclared);
    const keys = writes.map(keyOfWrite);
    return this.#observed({ name: 'writeMany', keys, writes: true }, () => this.#table.writeMany(writes));
  }
  transact(writes: readonly Write[]) {
    writes.forEach(checkDeclared);
    const keys = writes.filter((write) => !('check' in write)).map(keyOfWrite);
    return this.#observed({ name: 'transact', keys, writes: true }, () => this.#table.transact(writes));
  }

  async #observed<T>(call: TableCall, make: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    await this.before(call);
    const answer = await make();
    await this.after(call);
    return answer;
  }
}

const keyOfWrite = (write: Write): Key => {
  if ('put' in write) return write.put;
  if ('update' in write) return write.update;
  return 'delete' in write ? write.delete : write.check;
};

const checkDeclared = (write: Write): void => {
  if (!('put' in write) && !('update' in write)) return;
  const kind = 'put' in write ? write.put.kind : write.changes.set?.kind;
  // An update of an item that is there already need not say what it is.
  if (kind === undefined && 'update' in write) return;
  const declaration = declarationOf(String(kind));
  if (declaration === undefined) throw new TypeError(`No capability declares items of kind '${kind}'`);
  const { shape = 1 } = 'put' in write ? write.put : {};
  if ('put' in write && shape !== declaration.shape) {
    throw new TypeError(`A put of kind '${kind}' has shape ${shape}, its current shape is ${declaration.shape}`);
  }
};

/** Fails at the call that the test means, as a service does that does not answer. */
export const failing =
  (isMeant: (call: TableCall) => boolean) =>
  (call: TableCall): void => {
    if (isMeant(call)) throw new Unavailable('The table does not answer');
  };
