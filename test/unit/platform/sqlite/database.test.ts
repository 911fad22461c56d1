import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Unavailable } from '#shared/platform/errors';
import {
  type Database,
  DataFolderInUse,
  numberOf,
  openDatabase,
  openMemoryDatabase,
} from '#shared/platform/sqlite/database';
import { newFolder } from './folder.ts';

const inMemory = (): Database => {
  const database = openMemoryDatabase();
  onTestFinished(() => database.close());
  return database;
};
const insert = (database: Database, name: string) => () => {
  database.prepare('INSERT INTO consumers (name, seq) VALUES (?, 0)').run(name);
};
const count = (database: Database): number =>
  numberOf(database.prepare('SELECT count(*) AS count FROM consumers').get(), 'count');

describe('openDatabase', () => {
  it('refuses a folder that is open already', () => {
    const folder = newFolder();
    const database = openDatabase(folder);
    onTestFinished(() => database.close());
    expect(() => openDatabase(folder)).toThrow(DataFolderInUse);
    expect(() => openDatabase(folder)).toThrow(/in use/);
  });

  it('opens a folder again that was closed, with what was written', async () => {
    const folder = newFolder();
    const before = openDatabase(folder);
    await before.write(insert(before, 'a'));
    before.close();
    const after = openDatabase(folder);
    onTestFinished(() => after.close());
    expect(count(after)).toBe(1);
  });

  it('makes a folder that is missing', () => {
    const database = openDatabase(join(newFolder(), 'new', 'folder'));
    onTestFinished(() => database.close());
    expect(count(database)).toBe(0);
  });

  it('refuses a folder of a newer version and leaves it free', () => {
    const folder = newFolder();
    openDatabase(folder).close();
    const newer = new DatabaseSync(join(folder, 'alphapulse.db'));
    newer.exec('PRAGMA user_version = 1000');
    expect(() => openDatabase(folder)).toThrow(/newer version/);
    newer.exec('PRAGMA user_version = 1');
    newer.close();
    openDatabase(folder).close();
  });
});

describe('write', () => {
  it('undoes what a failed operation wrote and keeps those it shares the commit with', async () => {
    const database = inMemory();
    const outcomes = await Promise.allSettled([
      database.write(insert(database, 'a')),
      database.write(() => {
        insert(database, 'b')();
        throw new RangeError('no');
      }),
      database.write(insert(database, 'c')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(count(database)).toBe(2);
  });

  it('rejects with the error of the operation itself', async () => {
    const database = inMemory();
    const failing = database.write(() => {
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow(new RangeError('mine'));
  });

  it('tells a failure of the store as unavailable', async () => {
    const database = inMemory();
    await database.write(insert(database, 'a'));
    await expect(database.write(insert(database, 'a'))).rejects.toThrow(Unavailable);
  });

  it('makes more operations than fit one commit, in their order', async () => {
    const database = inMemory();
    const order: number[] = [];
    await Promise.all(Array.from({ length: 1201 }, (_, n) => database.write(() => order.push(n))));
    expect(order).toEqual(Array.from({ length: 1201 }, (_, n) => n));
  });

  it('tells listeners once for each commit, after it stands', async () => {
    const database = inMemory();
    const counts: number[] = [];
    const end = database.onCommit('inserted', () => counts.push(count(database)));
    const announcing = (name: string) => () => {
      insert(database, name)();
      database.announce('inserted');
    };
    await Promise.all([database.write(announcing('a')), database.write(announcing('b'))]);
    await database.write(announcing('c'));
    end();
    await database.write(announcing('d'));
    expect(counts).toEqual([2, 3]);
  });

  it('is finished by close when it was asked for before', async () => {
    const folder = newFolder();
    const database = openDatabase(folder);
    const writing = database.write(insert(database, 'a'));
    database.close();
    await writing;
    const again = openDatabase(folder);
    onTestFinished(() => again.close());
    expect(count(again)).toBe(1);
  });

  it('is refused after close', async () => {
    const database = openMemoryDatabase();
    database.close();
    await expect(database.write(() => 1)).rejects.toThrow(Unavailable);
  });
});
