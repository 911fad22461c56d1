import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { DomainError, Unavailable } from '#shared/platform/errors';
import { MIGRATIONS } from './schema.ts';

/** How long to wait for another process that writes, such as a backup, before a write fails. */
const busyTimeoutMs = 5_000;
/** Most operations of one commit, so that a flood of writes does not block the event loop. */
const GROUP_OPERATIONS_MAX = 500;

/** Another process, or another part of this one, has the data folder open. */
export class DataFolderInUse extends DomainError {
  readonly code = 'data-folder-in-use';
  override readonly name = 'DataFolderInUse';
}

export interface DatabaseOptions {
  /** `false` never waits for the disk: writes survive the process but no power cut, for tests. Default `true`. */
  readonly fsync?: boolean;
}

/** What a confirmed write survives. What survives only the process becomes safe with the next commit that survives a power cut. */
export type Survives = 'power cut' | 'process';

interface PendingOperation {
  readonly survives: Survives;
  attempt(): void;
  settle(): void;
  fail(reason: unknown): void;
}

/**
 * Opens the store of a data folder, `alphapulse.db`, and makes both where they are missing. The folder belongs to this
 * object until {@link Database.close} or the end of the process, however it ends.
 * @throws {DataFolderInUse}
 */
export function openDatabase(folder: string, options: DatabaseOptions = {}): Database {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(folder);
  const sql = new DatabaseSync(join(folder, 'alphapulse.db'), { timeout: busyTimeoutMs });
  try {
    return new Database(sql, lock, options);
  } catch (error) {
    sql.close();
    lock.close();
    throw error;
  }
}

/** A store that lives and dies with the process, for tests. */
export function openMemoryDatabase(): Database {
  return new Database(new DatabaseSync(':memory:'), undefined, {});
}

/** An open transaction on a file of its own: the operating system ends it with the process, even one that was killed. */
function lockFolder(folder: string): DatabaseSync {
  const lock = new DatabaseSync(join(folder, 'alphapulse.lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!/database is locked/.test(String(error))) throw error;
    throw new DataFolderInUse(`The data folder ${folder} is in use: AlphaPulse runs there already`, { cause: error });
  }
}

/**
 * The embedded store. Writes requested in the same turn of the event loop share one commit, and so one wait for
 * the disk; each of them succeeds or fails for itself.
 */
export class Database {
  readonly #sql: DatabaseSync;
  readonly #lock: DatabaseSync | undefined;
  readonly #fsync: boolean;
  readonly #statements = new Map<string, StatementSync>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #announced = new Set<string>();
  #pending: PendingOperation[] = [];
  #open = true;
  #synchronous = '';
  /** Whether commits were made that would not survive a power cut. */
  #unsynced = false;

  constructor(sql: DatabaseSync, lock: DatabaseSync | undefined, options: DatabaseOptions) {
    this.#sql = sql;
    this.#lock = lock;
    this.#fsync = options.fsync ?? true;
    sql.exec('PRAGMA journal_mode = WAL');
    migrate(sql);
  }

  /** The prepared statement of this text; the texts are few and fixed. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sql.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Makes `operation` within a commit that may hold others, and resolves with its result once it is committed.
   * Where it throws, its own writes are undone and the promise rejects with that error.
   * @throws {Unavailable} the store can't be written; nothing was
   */
  write<T>(operation: () => T, survives: Survives = 'power cut'): Promise<T> {
    if (!this.#open) return Promise.reject(new Unavailable('The store is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let settle = (): void => undefined;
    this.#pending.push({
      survives,
      attempt: () => {
        try {
          const result = this.#undoingOnError(operation);
          settle = () => resolve(result);
        } catch (error) {
          settle = () => reject(storeFailure(error));
          if (!this.#sql.isTransaction) throw error;
        }
      },
      settle: () => settle(),
      fail: (reason) => reject(reason),
    });
    if (this.#pending.length === 1) setImmediate(() => this.#commitPending());
    return promise;
  }

  /** Within an operation: calls the listeners of the topic once it is committed. */
  announce(topic: string): void {
    this.#announced.add(topic);
  }

  /** @returns ends the listening */
  onCommit(topic: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Commits what is pending and gives the folder back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    while (this.#pending.length > 0) this.#commitPending();
    this.#sql.close();
    this.#lock?.close();
  }

  #undoingOnError<T>(operation: () => T): T {
    this.prepare('SAVEPOINT operation').run();
    try {
      return operation();
    } catch (error) {
      // A full disk may have ended the whole transaction already.
      if (this.#sql.isTransaction) this.prepare('ROLLBACK TO operation').run();
      throw error;
    } finally {
      if (this.#sql.isTransaction) this.prepare('RELEASE operation').run();
    }
  }

  #commitPending(): void {
    const group = this.#pending.slice(0, GROUP_OPERATIONS_MAX);
    if (group.length === 0) return;
    this.#pending = this.#pending.slice(group.length);
    if (this.#pending.length > 0 && this.#open) setImmediate(() => this.#commitPending());
    try {
      this.#commit(group);
    } catch (error) {
      if (this.#sql.isTransaction) this.#sql.exec('ROLLBACK');
      this.#announced.clear();
      for (const operation of group) operation.fail(storeFailure(error));
      return;
    }
    for (const operation of group) operation.settle();
    const topics = [...this.#announced];
    this.#announced.clear();
    for (const topic of topics) for (const listener of this.#listeners.get(topic) ?? []) listener();
  }

  #commit(group: readonly PendingOperation[]): void {
    const survivesPowerCut = this.#fsync && group.some(({ survives }) => survives === 'power cut');
    this.#useSynchronous(survivesPowerCut ? 'FULL' : this.#fsync ? 'NORMAL' : 'OFF');
    this.prepare('BEGIN IMMEDIATE').run();
    for (const operation of group) operation.attempt();
    // A commit that changes nothing does not reach the disk, yet may confirm what an earlier one left in memory.
    if (survivesPowerCut && this.#unsynced) this.prepare('UPDATE syncs SET count = count + 1').run();
    this.prepare('COMMIT').run();
    this.#unsynced = !survivesPowerCut;
  }

  #useSynchronous(level: 'FULL' | 'NORMAL' | 'OFF'): void {
    if (this.#synchronous === level) return;
    this.#sql.exec(`PRAGMA synchronous = ${level}`);
    this.#synchronous = level;
  }
}

function migrate(sql: DatabaseSync): void {
  const version = numberOf(sql.prepare('PRAGMA user_version').get(), 'user_version');
  if (version > MIGRATIONS.length) {
    throw new Error(`The data folder was written by a newer version of AlphaPulse (schema ${version})`);
  }
  for (const [step, script] of MIGRATIONS.entries()) {
    if (step >= version) sql.exec(`BEGIN IMMEDIATE; ${script}; PRAGMA user_version = ${step + 1}; COMMIT`);
  }
}

function storeFailure(error: unknown): unknown {
  const ofSqlite = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
  return ofSqlite ? new Unavailable(`The store can't be written: ${error.message}`, { cause: error }) : error;
}

type Row = Record<string, SQLOutputValue>;

/** The text in a column of a row. */
export function textOf(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw new TypeError(`Column ${column} holds no text`);
  return value;
}

/** The text in a column of a row, or undefined for null. */
export function optionalTextOf(row: Row | undefined, column: string): string | undefined {
  return row?.[column] === null ? undefined : textOf(row, column);
}

/** The number in a column of a row. */
export function numberOf(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== 'number') throw new TypeError(`Column ${column} holds no number`);
  return value;
}
