import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConditionFailed, InvalidCursor, TransactionCanceled } from '#shared/platform/errors';
import {
  ABSENT,
  allOf,
  anyOf,
  equals,
  every,
  ITEM_BYTES_MAX,
  type Item,
  type Key,
  PRESENT,
  type Put,
  QUERY_ITEMS_MAX,
  type Query,
  type Table,
  TRANSACTION_WRITES_MAX,
  type Value,
  type WriteCondition,
} from '#shared/platform/table';

export interface OpenTable {
  readonly table: Table;
  close(): Promise<void>;
}

interface Thing extends Item {
  readonly [attribute: string]: Value | undefined;
}

/** What every adapter of the Table port promises. The table may hold other items: each test has partitions of its own. */
export function tableContract(name: string, open: () => Promise<OpenTable>): void {
  describe(`table: ${name}`, () => {
    let opened: OpenTable;
    let table: Table;
    beforeAll(async () => {
      opened = await open();
      table = opened.table;
    });
    afterAll(() => opened.close());

    const newPartition = (): string => `contract-${randomUUID()}`;
    const thing = (pk: string, sk: string, attributes: { readonly [attribute: string]: Value } = {}): Thing => ({
      pk,
      sk,
      kind: 'thing',
      ...attributes,
    });
    const stored = (key: Key) => table.get<Thing>({ pk: key.pk, sk: key.sk }, { consistent: true });
    const given = async (attributes: { readonly [attribute: string]: Value } = {}): Promise<Thing> => {
      const item = thing(newPartition(), 'a', attributes);
      await table.put(item);
      return item;
    };
    const givenSorted = async (...sortKeys: string[]): Promise<string> => {
      const pk = newPartition();
      await table.writeMany(sortKeys.map((sk) => ({ put: thing(pk, sk) })));
      return pk;
    };
    const sortKeys = async (query: Query): Promise<string[]> => {
      const found: string[] = [];
      for await (const { sk } of every(table, { consistent: true, ...query })) found.push(sk);
      return found;
    };

    describe('items', () => {
      it('come back with every kind of value', async () => {
        const item = await given({
          text: 'Zürich 🚀 "quoted" \\ \n',
          emptyText: '',
          whole: 42,
          negative: -1.5,
          tiny: 1e-100,
          large: 2 ** 60,
          yes: true,
          no: false,
          nothing: null,
          emptyList: [],
          emptyMap: {},
          list: [1, 'two', [3], { four: 4 }],
          map: { a: { b: { c: 'deep' } }, 'with.dot': 1 },
        });
        expect(await stored(item)).toEqual(item);
      });

      it('leave out attributes that are undefined, at any depth', async () => {
        const key = { pk: newPartition(), sk: 'a' };
        await table.put({ ...key, kind: 'thing', gone: undefined, map: { gone: undefined, kept: 1 } });
        expect(Object.entries((await stored(key)) ?? {}).sort()).toEqual(
          Object.entries(thing(key.pk, 'a', { map: { kept: 1 } })).sort(),
        );
      });

      it('are undefined where there is none', async () => {
        expect(await stored({ pk: newPartition(), sk: 'a' })).toBeUndefined();
      });

      it('are replaced as a whole by a put', async () => {
        const { pk } = await given({ old: 1 });
        await table.put(thing(pk, 'a', { fresh: 2 }));
        expect(await stored({ pk, sk: 'a' })).toEqual(thing(pk, 'a', { fresh: 2 }));
      });

      it('do not change with the object that was put or that was read', async () => {
        const list = [1];
        const item = await given({ list });
        list.push(2);
        Object.assign((await stored(item)) ?? {}, { list: 'changed' });
        expect((await stored(item))?.list).toEqual([1]);
      });

      it('of one partition and another with the same sort key are different', async () => {
        const one = await given({ of: 'one' });
        const other = await given({ of: 'other' });
        expect([(await stored(one))?.of, (await stored(other))?.of]).toEqual(['one', 'other']);
      });

      it('are returned by delete, and gone', async () => {
        const item = await given({ a: 1 });
        expect(await table.delete(item)).toEqual(item);
        expect(await stored(item)).toBeUndefined();
      });

      it('that are missing are deleted without complaint', async () => {
        expect(await table.delete({ pk: newPartition(), sk: 'a' })).toBeUndefined();
      });

      it.each<[string, Item]>([
        ['an empty partition key', { pk: '', sk: 'a', kind: 'thing' }],
        ['an empty sort key', { pk: 'contract', sk: '', kind: 'thing' }],
        ['an empty index key', { pk: 'contract', sk: 'a', kind: 'thing', gsi1pk: '', gsi1sk: 'a' }],
        ['a sort key of more than 1024 bytes', { pk: 'contract', sk: 'é'.repeat(513), kind: 'thing' }],
        ['a partition key of more than 2048 bytes', { pk: 'p'.repeat(2049), sk: 'a', kind: 'thing' }],
        ['a number that is none', { pk: 'contract', sk: 'a', kind: 'thing', value: Number.NaN }],
        ['an infinite number', { pk: 'contract', sk: 'a', kind: 'thing', value: Number.POSITIVE_INFINITY }],
        ['more than the largest item', { pk: 'contract', sk: 'a', kind: 'thing', text: 'x'.repeat(ITEM_BYTES_MAX) }],
        [
          'more bytes than the largest item',
          { pk: 'contract', sk: 'a', kind: 'x', text: 'é'.repeat(ITEM_BYTES_MAX / 2) },
        ],
      ])('are refused with %s', async (_what, item) => {
        await expect(table.put(item)).rejects.toThrow();
      });

      it('may be as large as the limit allows', async () => {
        const item = await given({ text: 'x'.repeat(ITEM_BYTES_MAX - 200) });
        expect(await stored(item)).toEqual(item);
      });

      it.each<[object, number]>([
        [{}, 409_541],
        [{ n: 1, negative: -12_345.678, large: 1e100, small: 0.001, round: 100, zero: 0 }, 409_497],
        [{ m: { a: 'b', c: [1, true, null, { d: '' }] }, l: [] }, 409_512],
      ])('beside %j may have so much text, and no byte more', async (attributes, most) => {
        const key = { pk: newPartition(), sk: 'a' };
        const item = (length: number) => ({ ...key, kind: 'x', ...attributes, text: 'x'.repeat(length) });
        await expect(table.put(item(most + 1))).rejects.toThrow();
        await table.put(item(most));
      });

      it('are returned after they have expired, until they are removed', async () => {
        const item = await given({ expiresAt: 1 });
        expect(await stored(item)).toEqual(item);
      });

      it('may be nested 31 levels deep', async () => {
        const item = await given({ deep: nested(31) });
        expect(await stored(item)).toEqual(item);
        await expect(given({ deep: nested(32) })).rejects.toThrow();
        await expect(table.update(item, { set: { 'map.deep': nested(31) } })).rejects.toThrow();
      });

      it('may have sort keys of 1024 bytes', async () => {
        const sk = 'é'.repeat(512);
        const pk = await givenSorted(sk);
        expect(await sortKeys({ pk })).toEqual([sk]);
      });
    });

    describe('getMany', () => {
      it('returns items in the order of 250 keys and leaves out those that are missing', async () => {
        const pk = newPartition();
        const names = Array.from({ length: 250 }, (_, position) => `item ${position}`).reverse();
        const present = names.filter((_, position) => position % 3 !== 0);
        await table.writeMany(present.map((sk) => ({ put: thing(pk, sk) })));
        const found = await table.getMany(
          names.map((sk) => ({ pk, sk })),
          { consistent: true },
        );
        expect(found).toEqual(present.map((sk) => thing(pk, sk)));
      });

      it('returns an item for each time its key is given', async () => {
        const item = await given();
        expect(await table.getMany([item, item], { consistent: true })).toEqual([item, item]);
      });

      it('of no keys is nothing', async () => {
        expect(await table.getMany([])).toEqual([]);
      });

      it('returns more than a page of large items', async () => {
        const pk = newPartition();
        const items = Array.from({ length: 50 }, (_, sk) => thing(pk, `${sk}`, { text: 'x'.repeat(390 * 1024) }));
        await Promise.all(items.map((item) => table.put(item)));
        const found = await table.getMany(items, { consistent: true });
        expect(found.map(({ sk }) => sk)).toEqual(items.map(({ sk }) => sk));
      }, 60_000);
    });

    describe('queries', () => {
      it('sort by the bytes of UTF-8', async () => {
        const byBytes = [
          '-1',
          '0',
          '10',
          '2',
          'A',
          'Z',
          '_',
          'a',
          'a\u0000',
          'aa',
          'ä',
          '\uD7FF',
          '\uE000',
          '\uFFFD',
          '😀',
          '\u{10FFFF}',
        ];
        const pk = await givenSorted(...byBytes.toReversed());
        expect(await sortKeys({ pk })).toEqual(byBytes);
        expect(await sortKeys({ pk, descending: true })).toEqual(byBytes.toReversed());
      });

      const ordered = ['a', 'b', 'b#1', 'b#10', 'b#2', 'b$', 'c', 'd'];
      it.each<[string, Query['sk'] & object, string[]]>([
        ['a prefix', { prefix: 'b' }, ['b', 'b#1', 'b#10', 'b#2', 'b$']],
        ['a longer prefix', { prefix: 'b#' }, ['b#1', 'b#10', 'b#2']],
        ['a prefix that is a key', { prefix: 'b#1' }, ['b#1', 'b#10']],
        ['a prefix of no key', { prefix: 'x' }, []],
        ['an empty prefix', { prefix: '' }, ordered],
        ['bounds that are keys', { between: ['b', 'b$'] }, ['b', 'b#1', 'b#10', 'b#2', 'b$']],
        ['bounds between keys', { between: ['aa', 'b#15'] }, ['b', 'b#1', 'b#10']],
        ['equal bounds', { between: ['c', 'c'] }, ['c']],
        ['crossed bounds', { between: ['c', 'b'] }, []],
        ['after a key', { after: 'b$' }, ['c', 'd']],
        ['after what is no key', { after: 'b%' }, ['c', 'd']],
        ['after the last', { after: 'd' }, []],
        ['before a key', { before: 'b#1' }, ['a', 'b']],
        ['before the first', { before: 'a' }, []],
      ])('select %s, in both directions and in pages of any size', async (_what, sk, expected) => {
        const pk = await givenSorted(...ordered);
        expect(await sortKeys({ pk, sk })).toEqual(expected);
        expect(await sortKeys({ pk, sk, limit: 1 })).toEqual(expected);
        expect(await sortKeys({ pk, sk, limit: 2, descending: true })).toEqual(expected.toReversed());
      });

      it.each(['\uD7FF', 'é', 'ÿ', '\u{10FFFF}', '😀', 'a\u{10FFFF}'])(
        'find a prefix that ends in %j',
        async (prefix) => {
          const pk = await givenSorted(prefix, `${prefix}\u{10FFFF}`, `${prefix}a`, 'a', 'zz', '\uE000');
          expect(await sortKeys({ pk, sk: { prefix } })).toEqual([prefix, `${prefix}a`, `${prefix}\u{10FFFF}`]);
        },
      );

      it('do not see other partitions', async () => {
        const pk = newPartition();
        await table.writeMany([{ put: thing(pk, 'a') }, { put: thing(`${pk}x`, 'b') }]);
        expect(await sortKeys({ pk })).toEqual(['a']);
      });

      it('end a page before the limit when its items are large', async () => {
        const pk = newPartition();
        const names = Array.from({ length: 25 }, (_, position) => String.fromCharCode(97 + position));
        await Promise.all(names.map((sk) => table.put(thing(pk, sk, { text: 'x'.repeat(100 * 1024) }))));
        const page = await table.query({ pk, limit: 100, consistent: true });
        expect(page.items.length).toBeGreaterThan(5);
        expect(page.items.length).toBeLessThan(12);
        expect(page.cursor).toBeDefined();
        expect(await sortKeys({ pk })).toEqual(names);
      });

      it('go on after the cursor although its item was deleted', async () => {
        const pk = await givenSorted('a', 'b', 'c');
        const { cursor = '' } = await table.query({ pk, limit: 1, consistent: true });
        await table.delete({ pk, sk: 'a' });
        expect(await sortKeys({ pk, cursor })).toEqual(['b', 'c']);
      });

      it('never hold more items than the limit', async () => {
        const pk = await givenSorted('a', 'b', 'c');
        expect((await table.query({ pk, limit: 2, consistent: true })).items).toHaveLength(2);
      });

      it.each([0, -1, 1.5, QUERY_ITEMS_MAX + 1])('refuse a limit of %d', async (limit) => {
        await expect(table.query({ pk: newPartition(), limit })).rejects.toThrow();
      });

      it('refuse an empty partition key', async () => {
        await expect(table.query({ pk: '' })).rejects.toThrow();
      });

      it.each<[string, (cursor: string) => string]>([
        ['is empty', () => ''],
        ['is not base64url', () => '§§§'],
        ['is no JSON', () => Buffer.from('no').toString('base64url')],
        ['is of another shape', () => Buffer.from('{"pk":"a"}').toString('base64url')],
        ['was cut off', (cursor) => cursor.slice(0, -2)],
        ['was prolonged', (cursor) => `${cursor}AAAA`],
        ['is padded', (cursor) => `${cursor}=`],
      ])('refuse a cursor that %s', async (_what, damage) => {
        const pk = await givenSorted('a', 'b', 'c');
        const { cursor = '' } = await table.query({ pk, limit: 1, consistent: true });
        await expect(table.query({ pk, cursor: damage(cursor) })).rejects.toThrow(InvalidCursor);
      });

      it('refuse a cursor of the table on an index', async () => {
        const pk = await givenSorted('a', 'b');
        const { cursor = '' } = await table.query({ pk, limit: 1, consistent: true });
        await expect(table.query({ index: 'gsi1', pk, cursor })).rejects.toThrow(InvalidCursor);
      });

      it('refuse a cursor from outside of the range', async () => {
        const pk = await givenSorted('a', 'b', 'c');
        const { cursor = '' } = await table.query({ pk, limit: 1, consistent: true });
        await expect(table.query({ pk, sk: { after: 'b' }, cursor })).rejects.toThrow(InvalidCursor);
      });

      it('stay in their partition with the cursor of another', async () => {
        const theirs = await givenSorted('a', 'b', 'c');
        const mine = await givenSorted('a', 'c');
        const { cursor = '' } = await table.query({ pk: theirs, limit: 1, consistent: true });
        const answer = await table.query({ pk: mine, cursor, consistent: true }).then(
          ({ items }) => items.filter(({ pk }) => pk !== mine),
          (error: unknown) => error,
        );
        if (answer instanceof Error) expect(answer).toBeInstanceOf(InvalidCursor);
        else expect(answer).toEqual([]);
      });
    });

    describe.each(['gsi1', 'gsi2'] as const)('the index %s', (index) => {
      const indexed = (pk: string, sk: string, indexPk: string, indexSk: string): Item =>
        thing(pk, sk, { [`${index}pk`]: indexPk, [`${index}sk`]: indexSk });
      const found = (query: Omit<Query, 'index'>) => async (): Promise<string[]> => {
        const keys: string[] = [];
        for await (const { sk } of every(table, { ...query, index })) keys.push(sk);
        return keys;
      };

      it('shows items of any partition in the order of its sort key', async () => {
        const group = newPartition();
        await table.put(indexed(newPartition(), 'x', group, '2'));
        await table.put(indexed(newPartition(), 'y', group, '1'));
        await table.put(indexed(newPartition(), 'z', group, '3'));
        await expect.poll(found({ pk: group })).toEqual(['y', 'x', 'z']);
        await expect.poll(found({ pk: group, descending: true })).toEqual(['z', 'x', 'y']);
        await expect.poll(found({ pk: group, sk: { between: ['1', '2'] } })).toEqual(['y', 'x']);
        await expect.poll(found({ pk: group, sk: { prefix: '3' } })).toEqual(['z']);
        await expect.poll(found({ pk: group, sk: { after: '1' }, descending: true })).toEqual(['z', 'x']);
      });

      it('shows whole items', async () => {
        const item = { ...indexed(newPartition(), 'a', newPartition(), 'b'), map: { a: 1 } };
        await table.put(item);
        const read = async () => (await table.query({ index, pk: String(item[`${index}pk`]) })).items;
        await expect.poll(read).toEqual([item]);
      });

      it('holds only items that have both of its keys', async () => {
        const group = newPartition();
        await table.put(thing(newPartition(), 'half', { [`${index}pk`]: group }));
        await table.put(indexed(newPartition(), 'whole', group, '1'));
        await expect.poll(found({ pk: group })).toEqual(['whole']);
      });

      it('follows its keys when they change and when they go', async () => {
        const [one, other, pk] = [newPartition(), newPartition(), newPartition()];
        await table.put(indexed(pk, 'a', one, '1'));
        await table.update({ pk, sk: 'a' }, { set: { [`${index}pk`]: other } });
        await expect.poll(found({ pk: other })).toEqual(['a']);
        await expect.poll(found({ pk: one })).toEqual([]);
        await table.update({ pk, sk: 'a' }, { remove: [`${index}pk`, `${index}sk`] });
        await expect.poll(found({ pk: other })).toEqual([]);
      });

      it('pages through items of the same sort key without gaps or doubles, both ways', async () => {
        const [group, pk] = [newPartition(), newPartition()];
        const names = Array.from({ length: 12 }, (_, position) => `item ${position}`).sort();
        await table.writeMany(names.map((sk) => ({ put: indexed(pk, sk, group, 'same') })));
        const sorted = (limit: number, descending: boolean) => async () =>
          (await found({ pk: group, limit, descending })()).sort();
        await expect.poll(sorted(1, false)).toEqual(names);
        await expect.poll(sorted(5, true)).toEqual(names);
      });

      it('refuses an update that empties one of its keys', async () => {
        const item = indexed(newPartition(), 'a', newPartition(), 'b');
        await table.put(item);
        await expect(table.update(item, { set: { [`${index}sk`]: '' } })).rejects.toThrow();
        expect(await stored(item)).toEqual(item);
      });
    });

    describe('conditions', () => {
      const item = {
        text: 'm',
        number: 5,
        yes: true,
        nothing: null,
        list: [1],
        map: { text: 'm', number: 5, 'a.b': 'dotted' },
      };
      it.each<[boolean, WriteCondition]>([
        [true, PRESENT],
        [false, ABSENT],
        [true, { path: 'nothing', is: 'present' }],
        [false, { path: 'missing', is: 'present' }],
        [true, { path: 'missing', is: 'absent' }],
        [true, { path: 'map.text', is: 'present' }],
        [true, { path: 'map.missing', is: 'absent' }],
        [true, { path: 'missing.text', is: 'absent' }],
        [true, { path: 'text.text', is: 'absent' }],
        [true, { path: 'constructor', is: 'absent' }],
        [true, equals('text', 'm')],
        [false, equals('text', 'M')],
        [true, equals('number', 5)],
        [false, equals('number', '5')],
        [true, equals('yes', true)],
        [false, equals('yes', false)],
        [false, equals('missing', 'm')],
        [false, equals('nothing', 'm')],
        [true, equals('map.number', 5)],
        [true, equals('map.a.b', 'dotted')],
        [false, equals('missing.number', 5)],
        [false, { path: 'text', is: '<>', value: 'm' }],
        [true, { path: 'text', is: '<>', value: 'n' }],
        [true, { path: 'text', is: '<>', value: 5 }],
        [true, { path: 'missing', is: '<>', value: 'm' }],
        [true, { path: 'missing.number', is: '<>', value: 5 }],
        [true, { path: 'number', is: '<', value: 6 }],
        [false, { path: 'number', is: '<', value: 5 }],
        [true, { path: 'number', is: '<=', value: 5 }],
        [false, { path: 'number', is: '<=', value: 4.9 }],
        [true, { path: 'number', is: '>', value: -10 }],
        [false, { path: 'number', is: '>', value: 5 }],
        [true, { path: 'number', is: '>=', value: 5 }],
        [false, { path: 'number', is: '>=', value: 5.1 }],
        [false, { path: 'number', is: '<', value: '6' }],
        [false, { path: 'number', is: '>', value: '4' }],
        [true, { path: 'text', is: '<', value: 'ma' }],
        [true, { path: 'text', is: '>', value: 'Z' }],
        [true, { path: 'text', is: '>=', value: 'm' }],
        [true, { path: 'text', is: '<=', value: 'm' }],
        [false, { path: 'text', is: '<', value: 9 }],
        [false, { path: 'missing', is: '<', value: 9 }],
        [false, { path: 'missing', is: '>=', value: 0 }],
        [false, { path: 'list', is: '>', value: 0 }],
        [true, allOf(equals('text', 'm'), equals('number', 5))],
        [false, allOf(equals('text', 'm'), equals('number', 6))],
        [true, anyOf(equals('text', 'x'), equals('number', 5))],
        [false, anyOf(equals('text', 'x'), equals('number', 6))],
        [true, anyOf(ABSENT, allOf(PRESENT, anyOf(equals('number', 6), { path: 'number', is: '<', value: 6 })))],
        [false, allOf(anyOf(equals('text', 'm'), ABSENT), { path: 'number', is: '<>', value: 5 })],
        [true, allOf(equals('text', 'm'))],
        [true, allOf()],
        [false, anyOf()],
      ])('hold: %s for %j', async (expected, condition) => {
        const { pk } = await given(item);
        const made = await table.put(thing(pk, 'a', { replaced: true }), condition).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(ConditionFailed);
            return false;
          },
        );
        expect(made).toBe(expected);
        expect((await stored({ pk, sk: 'a' }))?.replaced).toBe(expected ? true : undefined);
      });

      it.each<[boolean, WriteCondition]>([
        [true, ABSENT],
        [false, PRESENT],
        [true, { path: 'text', is: '<>', value: 'm' }],
        [false, equals('text', 'm')],
        [false, { path: 'number', is: '<', value: 1 }],
      ])('hold for no item: %s for %j', async (expected, condition) => {
        const key = { pk: newPartition(), sk: 'a' };
        const put = table.put(thing(key.pk, 'a'), condition);
        if (expected) await put;
        else await expect(put).rejects.toThrow(ConditionFailed);
        expect((await stored(key)) !== undefined).toBe(expected);
      });

      it('compare strings by the bytes of UTF-8', async () => {
        const { pk } = await given({ text: '😀' });
        await table.put(thing(pk, 'a'), { path: 'text', is: '>', value: '\uFFFD' });
        expect((await stored({ pk, sk: 'a' }))?.text).toBeUndefined();
      });

      it('let one of many writers win', async () => {
        const pk = newPartition();
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, writer) => table.put(thing(pk, 'a', { writer }), ABSENT)),
        );
        const winners = outcomes.flatMap(({ status }, writer) => (status === 'fulfilled' ? writer : []));
        expect(winners).toHaveLength(1);
        expect((await stored({ pk, sk: 'a' }))?.writer).toBe(winners[0]);
      });

      it('guard deletes', async () => {
        const item = await given({ version: 2 });
        await expect(table.delete(item, equals('version', 1))).rejects.toThrow(ConditionFailed);
        expect(await stored(item)).toEqual(item);
        expect(await table.delete(item, equals('version', 2))).toEqual(item);
      });
    });

    describe('updates', () => {
      it('set, remove and add in one, and return the new item', async () => {
        const item = await given({ kept: 'k', old: 1, count: 2 });
        const updated = await table.update(item, { set: { fresh: { a: [] } }, remove: ['old'], add: { count: 3 } });
        expect(updated).toEqual(thing(item.pk, 'a', { kept: 'k', fresh: { a: [] }, count: 5 }));
        expect(await stored(item)).toEqual(updated);
      });

      it('reach into maps, also by names with dots', async () => {
        const item = await given({ map: { a: 1, b: 2, 'x.y': 3 } });
        await table.update(item, { set: { 'map.a': { deep: true }, 'map.c.d': 4 }, remove: ['map.b', 'map.x.y'] });
        expect((await stored(item))?.map).toEqual({ a: { deep: true }, 'c.d': 4 });
      });

      it('create the item where it is missing', async () => {
        const key = { pk: newPartition(), sk: 'a' };
        const created = await table.update(key, { set: { kind: 'thing' }, add: { count: 1 } });
        expect(created).toEqual(thing(key.pk, 'a', { count: 1 }));
        expect(await stored(key)).toEqual(created);
      });

      it('do not create it against the condition', async () => {
        const key = { pk: newPartition(), sk: 'a' };
        await expect(table.update(key, { set: { kind: 'thing' } }, PRESENT)).rejects.toThrow(ConditionFailed);
        expect(await stored(key)).toBeUndefined();
      });

      it('add to a missing attribute as to 0, and subtract', async () => {
        const item = await given();
        expect((await table.update<Thing>(item, { add: { count: -2.5 } })).count).toBe(-2.5);
      });

      it('add in decimal', async () => {
        const item = await given({ sum: 0.1 });
        expect((await table.update<Thing>(item, { add: { sum: 0.2 } })).sum).toBe(0.3);
      });

      it('add up from many writers', async () => {
        const item = await given();
        await Promise.all(Array.from({ length: 20 }, () => table.update(item, { add: { count: 1 } })));
        expect((await stored(item))?.count).toBe(20);
      });

      it('remove what is missing without complaint', async () => {
        const item = await given({ map: {} });
        expect(await table.update(item, { remove: ['missing', 'map.missing'] })).toEqual(item);
      });

      it('take the whole change or nothing when the condition fails', async () => {
        const item = await given({ version: 1 });
        await expect(table.update(item, { set: { a: 1 } }, equals('version', 2))).rejects.toThrow(ConditionFailed);
        expect(await stored(item)).toEqual(item);
      });

      it.each<[string, Parameters<Table['update']>[1]]>([
        ['a name in a map that is missing', { set: { 'missing.a': 1 } }],
        ['a name in what is no map', { set: { 'text.a': 1 } }],
        ['adding to what is no number', { add: { text: 1 } }],
        ['adding to null', { add: { nothing: 1 } }],
        ['adding beyond the largest number', { add: { large: 9.9e125 } }],
        ['the partition key', { set: { pk: 'other' } }],
        ['the sort key', { set: { sk: 'other' } }],
        ['a number that is none', { set: { text: Number.NaN } }],
        ['too much', { set: { text: 'x'.repeat(ITEM_BYTES_MAX) } }],
      ])('refuse %s and change nothing', async (_what, changes) => {
        const item = await given({ text: 'm', map: { a: 1 }, nothing: null, large: 9.9e125 });
        await expect(table.update(item, { ...changes, set: { ...changes.set, also: 1 } })).rejects.toThrow();
        expect(await stored(item)).toEqual(item);
      });
    });

    describe('writeMany', () => {
      it('makes any number of puts and deletes', async () => {
        const pk = newPartition();
        const names = Array.from({ length: 120 }, (_, position) => String(position).padStart(3, '0'));
        expect(await table.writeMany(names.map((sk) => ({ put: thing(pk, sk) })))).toEqual([]);
        expect(await sortKeys({ pk })).toEqual(names);
        expect(await table.writeMany(names.slice(10).map((sk) => ({ delete: { pk, sk } })))).toEqual([]);
        expect(await sortKeys({ pk })).toEqual(names.slice(0, 10));
      });

      it('makes writes of one key in their order', async () => {
        const key = { pk: newPartition(), sk: 'a' };
        const puts = Array.from({ length: 5 }, (_, n): Put => ({ put: thing(key.pk, 'a', { n }) }));
        await table.writeMany([...puts, { delete: key }, { put: thing(key.pk, 'a', { n: 9 }) }]);
        expect((await stored(key))?.n).toBe(9);
        await table.writeMany([...puts, { delete: key }]);
        expect(await stored(key)).toBeUndefined();
      });

      it('tells the positions of failed conditions and makes the others', async () => {
        const pk = await givenSorted('b', 'd');
        const failed = await table.writeMany([
          { put: thing(pk, 'a'), if: ABSENT },
          { put: thing(pk, 'b', { replaced: true }), if: ABSENT },
          { put: thing(pk, 'c') },
          { delete: { pk, sk: 'd' }, if: equals('version', 1) },
          { put: thing(pk, 'a'), if: ABSENT },
          { delete: { pk, sk: 'b' }, if: PRESENT },
        ]);
        expect(failed).toEqual([1, 3, 4]);
        expect(await sortKeys({ pk })).toEqual(['a', 'c', 'd']);
      });

      it('of nothing does nothing', async () => {
        expect(await table.writeMany([])).toEqual([]);
      });

      it('refuses an item that is too large', async () => {
        const pk = newPartition();
        await expect(
          table.writeMany([{ put: thing(pk, 'a', { text: 'x'.repeat(ITEM_BYTES_MAX) }) }]),
        ).rejects.toThrow();
        expect(await sortKeys({ pk })).toEqual([]);
      });
    });

    describe('transactions', () => {
      it('make puts, updates and deletes together', async () => {
        const pk = await givenSorted('b', 'c', 'd');
        await table.transact([
          { put: thing(pk, 'a'), if: ABSENT },
          { update: { pk, sk: 'b' }, changes: { set: { state: 'fired' }, add: { version: 1 } } },
          { delete: { pk, sk: 'c' } },
          { check: { pk, sk: 'd' }, if: PRESENT },
        ]);
        expect(await sortKeys({ pk })).toEqual(['a', 'b', 'd']);
        expect(await stored({ pk, sk: 'b' })).toEqual(thing(pk, 'b', { state: 'fired', version: 1 }));
        expect(await stored({ pk, sk: 'd' })).toEqual(thing(pk, 'd'));
      });

      it('make nothing when a condition fails, and tell which', async () => {
        const pk = await givenSorted('b', 'c', 'd');
        const transaction = table.transact([
          { put: thing(pk, 'a') },
          { put: thing(pk, 'b', { replaced: true }), if: ABSENT },
          { delete: { pk, sk: 'c' } },
          { update: { pk, sk: 'd' }, changes: { set: { a: 1 } }, if: equals('version', 1) },
          { check: { pk, sk: 'x' }, if: PRESENT },
        ]);
        await expect(transaction).rejects.toThrow(TransactionCanceled);
        await expect(transaction).rejects.toMatchObject({ failed: [1, 3, 4] });
        expect(await sortKeys({ pk })).toEqual(['b', 'c', 'd']);
        expect(await stored({ pk, sk: 'b' })).toEqual(thing(pk, 'b'));
      });

      it('leave an item alone that is only checked, also a missing one', async () => {
        const pk = newPartition();
        await table.transact([{ check: { pk, sk: 'a' }, if: ABSENT }, { put: thing(pk, 'b') }]);
        expect(await sortKeys({ pk })).toEqual(['b']);
      });

      it('make nothing when a write is impossible', async () => {
        const pk = newPartition();
        const impossible = { update: { pk, sk: 'b' }, changes: { set: { 'missing.a': 1 } } };
        await expect(table.transact([{ put: thing(pk, 'a') }, impossible])).rejects.toThrow();
        expect(await sortKeys({ pk })).toEqual([]);
      });

      it('let one of two that compete win, wholly', async () => {
        const pk = newPartition();
        const outcomes = await Promise.allSettled(
          ['x', 'y'].map((by) =>
            table.transact([
              { put: thing(pk, 'a', { by }), if: ABSENT },
              { put: thing(pk, 'b', { by }), if: ABSENT },
            ]),
          ),
        );
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        expect((await stored({ pk, sk: 'a' }))?.by).toBe((await stored({ pk, sk: 'b' }))?.by);
      });

      it('have up to 100 writes', async () => {
        const pk = newPartition();
        const puts = (count: number) => Array.from({ length: count }, (_, sk) => ({ put: thing(pk, `${sk}`) }));
        await expect(table.transact(puts(TRANSACTION_WRITES_MAX + 1))).rejects.toThrow();
        await expect(table.transact([])).rejects.toThrow();
        await table.transact(puts(TRANSACTION_WRITES_MAX));
        expect(await sortKeys({ pk })).toHaveLength(TRANSACTION_WRITES_MAX);
      });

      it('are refused when they write more than 4 MB', async () => {
        const pk = newPartition();
        const puts = (count: number) =>
          Array.from({ length: count }, (_, sk) => ({ put: thing(pk, `${sk}`, { text: 'x'.repeat(390 * 1024) }) }));
        await expect(table.transact(puts(11))).rejects.toThrow();
        expect(await sortKeys({ pk })).toEqual([]);
        await table.transact(puts(10));
        expect(await sortKeys({ pk })).toHaveLength(10);
      });

      it('change an item by nothing', async () => {
        const item = await given();
        await table.transact([{ update: item, changes: {} }]);
        expect(await stored(item)).toEqual(item);
      });

      it('are refused when they write a key twice', async () => {
        const pk = newPartition();
        await expect(table.transact([{ put: thing(pk, 'a') }, { delete: { pk, sk: 'a' } }])).rejects.toThrow();
        expect(await sortKeys({ pk })).toEqual([]);
      });
    });
  });
}

/** A list in a list, this many deep. */
const nested = (levels: number): Value => (levels === 0 ? 1 : [nested(levels - 1)]);

/** What DynamoDB refuses and emulators let pass: whoever kept to an emulator would learn of it in production. */
export function tableRefusals(name: string, open: () => Promise<OpenTable>): void {
  describe(`table, strictly: ${name}`, () => {
    let opened: OpenTable;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    const key: Key = { pk: 'refusals', sk: 'a' };
    const item = { ...key, kind: 'thing', text: 'm', map: { a: 1 }, yes: true, large: 1e60 };

    it.each<[string, (table: Table) => Promise<unknown>]>([
      ['an attribute without a name', (table) => table.put({ ...item, '': 1 })],
      ['a name in a map that is empty', (table) => table.put({ ...item, map: { '': 1 } })],
      ['the name __proto__', (table) => table.put({ ...item, map: JSON.parse('{"__proto__":1}') })],
      ['changing a map in part and as a whole', (table) => table.update(key, { set: { map: {}, 'map.b': 1 } })],
      ['removing from a map that is missing', (table) => table.update(key, { remove: ['missing.a'] })],
      ['removing from what is no map', (table) => table.update(key, { remove: ['text.a'] })],
      ['a sum of more than 38 digits', (table) => table.update(key, { add: { large: 1e-60 } })],
      ['ordering booleans', (table) => table.put(item, { path: 'yes', is: '<', value: true })],
      ['a bound longer than a key', (table) => table.query({ pk: key.pk, sk: { before: 'x'.repeat(1025) } })],
      ['a prefix longer than a key', (table) => table.query({ pk: key.pk, sk: { prefix: 'x'.repeat(1025) } })],
    ])('refuses %s', async (_what, call) => {
      await opened.table.put(item);
      const refused = await call(opened.table).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(Error);
      expect(refused).not.toBeInstanceOf(ConditionFailed);
      expect(await opened.table.get(key, { consistent: true })).toEqual(item);
    });
  });
}
