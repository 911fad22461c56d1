import { describe, expect, it, onTestFinished } from 'vitest';
import { TransactionCanceled } from '#shared/platform/errors';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openDatabase, openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { ABSENT, type Item } from '#shared/platform/table';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { newFolder } from './folder.ts';

const start = Date.UTC(2026, 0, 1);
const item = (sk: string, attributes: Partial<Item> = {}): Item => ({ pk: 'p', sk, kind: 'thing', ...attributes });
const key = (sk: string) => ({ pk: 'p', sk });

const open = () => {
  const database = openMemoryDatabase();
  onTestFinished(() => database.close());
  const clock = new VirtualClock(start);
  const log = new ChangeLog(database, ['alerts', 'push']);
  return { database, clock, log, table: new SqliteTable(database, clock) };
};

describe('ChangeLog', () => {
  it('tells every kind of change with its images, in order', async () => {
    const { table, log, clock } = open();
    await table.put(item('a', { n: 1 }));
    await clock.advance(5);
    await table.update(key('a'), { add: { n: 1 } });
    await table.delete(key('a'));
    const changes = await log.read('alerts', 10);
    expect(changes).toEqual([
      { event: 'INSERT', key: key('a'), after: item('a', { n: 1 }), at: start, sequence: '1' },
      {
        event: 'MODIFY',
        key: key('a'),
        before: item('a', { n: 1 }),
        after: item('a', { n: 2 }),
        at: start + 5,
        sequence: '2',
      },
      { event: 'REMOVE', key: key('a'), before: item('a', { n: 2 }), at: start + 5, sequence: '3' },
    ]);
  });

  it('has nothing of writes that change nothing', async () => {
    const { table, log } = open();
    await table.put(item('a', { map: { x: 1, y: [2] }, text: 't' }));
    await log.advance('alerts', '1');
    await table.put({ text: 't', map: { y: [2], x: 1 }, kind: 'thing', sk: 'a', pk: 'p' });
    await table.update(key('a'), { set: { 'map.x': 1 }, remove: ['missing'] });
    await table.writeMany([{ put: item('a', { map: { x: 1, y: [2] }, text: 't' }) }, { delete: key('missing') }]);
    await table.transact([{ check: key('a'), if: { path: 'pk', is: 'present' } }]);
    expect(await log.read('alerts', 10)).toEqual([]);
  });

  it('has nothing of a transaction that was not made', async () => {
    const { table, log } = open();
    await table.put(item('a'));
    await log.advance('alerts', '1');
    const canceled = table.transact([{ put: item('b') }, { put: item('a', { n: 1 }), if: ABSENT }]);
    await expect(canceled).rejects.toThrow(TransactionCanceled);
    expect(await log.read('alerts', 10)).toEqual([]);
  });

  it('gives each consumer the changes after its own position, until it advances', async () => {
    const { table, log } = open();
    await table.writeMany(['a', 'b', 'c'].map((sk) => ({ put: item(sk) })));
    await log.advance('alerts', '2');
    const of = async (consumer: string, limit: number) =>
      (await log.read(consumer, limit)).map((change) => change.key.sk);
    expect([await of('alerts', 10), await of('alerts', 10), await of('push', 2)]).toEqual([['c'], ['c'], ['a', 'b']]);
  });

  it('never leads a consumer back, not even after a restart', async () => {
    const { table, log, database } = open();
    await table.writeMany(['a', 'b', 'c'].map((sk) => ({ put: item(sk) })));
    await Promise.all([log.advance('alerts', '3'), log.advance('alerts', '1')]);
    await log.advance('alerts', '2');
    const reopened = new ChangeLog(database, ['alerts']);
    expect([await log.read('alerts', 10), await reopened.read('alerts', 10)]).toEqual([[], []]);
  });

  it.each(['4', '-', '', '1.5'])('does not advance to %j, which no change has', async (sequence) => {
    const { table, log } = open();
    await table.writeMany(['a', 'b', 'c'].map((sk) => ({ put: item(sk) })));
    await log.advance('alerts', sequence).catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
    expect(await log.read('alerts', 10)).toHaveLength(3);
  });

  it('tells how far a consumer is behind and since when', async () => {
    const { table, log, clock } = open();
    expect(log.lag('alerts')).toEqual({ count: 0 });
    await table.put(item('a'));
    await clock.advance(1000);
    await table.put(item('b'));
    await table.put(item('c'));
    await log.advance('alerts', '1');
    expect([log.lag('alerts'), log.lag('push')]).toEqual([
      { count: 2, oldestAt: start + 1000 },
      { count: 3, oldestAt: start },
    ]);
  });

  it('calls its listeners after commits that brought changes, and no longer than they want', async () => {
    const { table, log } = open();
    const seen: number[] = [];
    const end = log.onChange(() => seen.push(log.lag('alerts').count));
    await table.writeMany(['a', 'b'].map((sk) => ({ put: item(sk) })));
    await table.put(item('a'));
    await table.put(item('c'));
    end();
    await table.put(item('d'));
    expect(seen).toEqual([2, 3]);
  });

  it('trims what all consumers have passed, and nothing else', async () => {
    const { table, log } = open();
    await table.writeMany(Array.from({ length: 2500 }, (_, n) => ({ put: item(`${n}`) })));
    await log.advance('alerts', '2500');
    expect(await log.trim()).toBe(0);
    await log.advance('push', '2400');
    expect(await log.trim()).toBe(2400);
    expect((await log.read('push', 1))[0]?.sequence).toBe('2401');
    expect(log.lag('push').count).toBe(100);
  });

  it('refuses a consumer that it does not know', async () => {
    const { log } = open();
    await expect(log.read('other', 1)).rejects.toThrow(RangeError);
  });

  it('starts a new consumer at the end, also of a log that was trimmed, and lets the others go on after a restart', async () => {
    const folder = newFolder();
    const before = openDatabase(folder);
    const table = new SqliteTable(before, new VirtualClock());
    const log = new ChangeLog(before, ['alerts']);
    await table.writeMany(['a', 'b', 'c'].map((sk) => ({ put: item(sk) })));
    await log.advance('alerts', '2');
    await log.trim();
    before.close();

    const after = openDatabase(folder);
    onTestFinished(() => after.close());
    const reopened = new ChangeLog(after, ['alerts', 'push']);
    await new SqliteTable(after, new VirtualClock()).put(item('d'));
    const sequences = async (consumer: string) => (await reopened.read(consumer, 10)).map(({ sequence }) => sequence);
    expect([await sequences('alerts'), await sequences('push')]).toEqual([['3', '4'], ['4']]);
  });
});
