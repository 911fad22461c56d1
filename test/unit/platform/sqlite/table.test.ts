import { describe, expect, it, onTestFinished } from 'vitest';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import type { Changes, Item } from '#shared/platform/table';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const start = Date.UTC(2026, 0, 1);

const open = () => {
  const database = openMemoryDatabase();
  onTestFinished(() => database.close());
  const clock = new VirtualClock(start);
  return { clock, table: new SqliteTable(database, clock), log: new ChangeLog(database, ['alerts']) };
};
const item = (sk: string, attributes: Partial<Item> = {}): Item => ({ pk: 'p', sk, kind: 'thing', ...attributes });

describe('SqliteTable', () => {
  it('takes an item as it is at the call, whatever becomes of the object before the commit', async () => {
    const { table } = open();
    const list = [1];
    const put = table.put(item('a', { list }));
    const update = table.update({ pk: 'p', sk: 'b' }, { set: { list } });
    list.push(2);
    await Promise.all([put, update]);
    const stored = await table.getMany([item('a'), item('b')]);
    expect(stored.map((one) => one.list)).toEqual([[1], [1]]);
  });

  it('ends the pages where they end, without an empty one', async () => {
    const { table } = open();
    await table.writeMany(['a', 'b'].map((sk) => ({ put: item(sk) })));
    expect((await table.query({ pk: 'p', limit: 2 })).cursor).toBeUndefined();
  });

  it('pages by 1000 items when no limit is given', async () => {
    const { table } = open();
    await table.writeMany(Array.from({ length: 1001 }, (_, sk) => ({ put: item(`${sk}`) })));
    const page = await table.query({ pk: 'p' });
    expect([page.items.length, page.cursor !== undefined]).toEqual([1000, true]);
  });

  it.each<[string, unknown]>([
    ['a date', new Date(0)],
    ['a map object', new Map()],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['undefined in a list', [undefined]],
    ['a number beyond 1e126', 1e126],
    ['33 levels', JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`)],
  ])('refuses %s and says where', async (_what, value) => {
    const { table } = open();
    const attributes = JSON.parse('{}');
    attributes.odd = value;
    await expect(table.put(item('a', attributes))).rejects.toThrow(/odd/);
  });

  it('keeps attributes that have the names of object methods', async () => {
    const { table } = open();
    const map = { constructor: 'c', hasOwnProperty: 'h', toString: 's' };
    await table.put(item('a', { map }));
    expect((await table.get(item('a')))?.map).toEqual(map);
  });

  it('refuses a name in a map that is __proto__, which would change the map', async () => {
    const { table } = open();
    const map = JSON.parse('{"__proto__":{"admin":true}}');
    await expect(table.put(item('a', { map }))).rejects.toThrow(TypeError);
  });

  it.each([0, 1.5, 1001, Number.NaN])('refuses a limit of %d', async (limit) => {
    const { table } = open();
    await expect(table.query({ pk: 'p', limit })).rejects.toThrow(RangeError);
  });

  it('refuses key strings that are not well-formed, which would change in the store', async () => {
    const { table } = open();
    await expect(table.put(item('\ud800'))).rejects.toThrow(TypeError);
    await expect(table.query({ pk: 'p', sk: { prefix: '\udfff' } })).rejects.toThrow(TypeError);
  });

  it('refuses a comparison by order with a boolean', async () => {
    const { table } = open();
    await expect(table.put(item('a'), { path: 'yes', is: '<', value: true })).rejects.toThrow(TypeError);
  });
});

describe('update', () => {
  it.each<[string, Changes]>([
    ['a name to remove from a map that is missing', { remove: ['missing.a'] }],
    ['a part and its whole', { set: { map: {}, 'map.a': 1 } }],
    ['one path twice', { set: { text: 'a' }, remove: ['text'] }],
    ['a path without a name', { set: { 'map.': 1 } }],
    ['adding within a map', { add: { 'map.a': 1 } }],
  ])('refuses %s and changes nothing', async (_what, changes) => {
    const { table } = open();
    const stored = item('a', { text: 'm', map: { a: 1 } });
    await table.put(stored);
    await expect(table.update(stored, changes)).rejects.toThrow(TypeError);
    expect(await table.get(stored)).toEqual(stored);
  });
});

describe('sweep', () => {
  it('removes what has expired and logs it', async () => {
    const { table, log } = open();
    const seconds = start / 1000;
    await table.writeMany([
      { put: item('old', { expiresAt: seconds - 1 }) },
      { put: item('now', { expiresAt: seconds }) },
      { put: item('later', { expiresAt: seconds + 1 }) },
      { put: item('never') },
    ]);
    const swept = await table.sweep(start);
    const left = (await table.query({ pk: 'p' })).items.map(({ sk }) => sk);
    expect([swept, left]).toEqual([1, ['later', 'never', 'now']]);
    expect((await log.read('alerts', 10)).at(-1)).toMatchObject({
      event: 'REMOVE',
      key: { pk: 'p', sk: 'old' },
      before: item('old', { expiresAt: seconds - 1 }),
    });
  });

  it('removes a bounded number at a time, the oldest first', async () => {
    const { table, clock } = open();
    await table.writeMany(Array.from({ length: 1500 }, (_, n) => ({ put: item(`${n}`, { expiresAt: 1 + n }) })));
    await clock.advance(1000);
    expect([await table.sweep(), await table.sweep(), await table.sweep()]).toEqual([1000, 500, 0]);
  });

  it('spares an item that is no longer to expire', async () => {
    const { table } = open();
    await table.put(item('a', { expiresAt: 1 }));
    await table.update({ pk: 'p', sk: 'a' }, { remove: ['expiresAt'] });
    expect(await table.sweep()).toBe(0);
  });
});
