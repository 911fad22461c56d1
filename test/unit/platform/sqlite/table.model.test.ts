import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConditionFailed, TransactionCanceled } from '#shared/platform/errors';
import { ChangeLog } from '#shared/platform/sqlite/change-log';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import {
  ABSENT,
  type Delete,
  equals,
  every,
  type Item,
  type Key,
  PRESENT,
  type Put,
  type WriteCondition,
} from '#shared/platform/table';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** The table as a map from keys to items, and its stream replayed into another. */
interface Model {
  readonly items: Map<string, Item>;
}
interface Real {
  readonly table: SqliteTable;
  readonly log: ChangeLog;
}
type Command = fc.AsyncCommand<Model, Real>;

const listed = async (found: AsyncIterable<Item>): Promise<Item[]> => {
  const list: Item[] = [];
  for await (const item of found) list.push(item);
  return list;
};
const idOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const pks = fc.constantFrom('p', 'q');
const sks = fc.constantFrom('1', '10', '2', 'é', '😀', '\uFFFD');
const keys = fc.record({ pk: pks, sk: sks });
const items: fc.Arbitrary<Item> = fc.record(
  {
    pk: pks,
    sk: sks,
    kind: fc.constant('thing'),
    n: fc.integer({ min: 0, max: 2 }),
    gsi1pk: pks,
    gsi1sk: sks,
    list: fc.array(fc.integer(), { maxLength: 2 }),
  },
  { requiredKeys: ['pk', 'sk', 'kind', 'n'] },
);
const conditions: fc.Arbitrary<WriteCondition | undefined> = fc.constantFrom(
  undefined,
  undefined,
  ABSENT,
  PRESENT,
  equals('n', 1),
);

const allows = (model: Model, key: Key, condition: WriteCondition | undefined): boolean => {
  const item = model.items.get(idOf(key));
  if (condition === undefined) return true;
  if (condition === ABSENT) return item === undefined;
  return item !== undefined && (condition === PRESENT || item.n === 1);
};
const set = (model: Model, item: Item) => model.items.set(idOf(item), item);
const conditionally = <C extends object>(write: C, condition: WriteCondition | undefined) =>
  condition === undefined ? write : { ...write, if: condition };

const command = (text: string, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: () => text,
});

const put = fc.tuple(items, conditions).map(([item, condition]) =>
  command(`put ${JSON.stringify([item, condition])}`, async (model, { table }) => {
    const writing = table.put(item, condition);
    if (!allows(model, item, condition)) return expect(writing).rejects.toThrow(ConditionFailed);
    await writing;
    set(model, item);
  }),
);

const remove = fc.tuple(keys, conditions).map(([key, condition]) =>
  command(`delete ${JSON.stringify([key, condition])}`, async (model, { table }) => {
    const deleting = table.delete(key, condition);
    if (!allows(model, key, condition)) return expect(deleting).rejects.toThrow(ConditionFailed);
    expect(await deleting).toEqual(model.items.get(idOf(key)));
    model.items.delete(idOf(key));
  }),
);

const count = fc.tuple(keys, fc.integer({ min: -1, max: 1 })).map(([key, by]) =>
  command(`count ${JSON.stringify([key, by])}`, async (model, { table }) => {
    const before: Item = model.items.get(idOf(key)) ?? { ...key, kind: 'thing' };
    const { list: _removed, ...rest } = before;
    const expected: Item = { ...rest, ...key, kind: 'counter', n: Number(before.n ?? 0) + by };
    expect(await table.update(key, { set: { kind: 'counter' }, add: { n: by }, remove: ['list'] })).toEqual(expected);
    set(model, expected);
  }),
);

const writes = fc.oneof(
  fc.tuple(items, conditions).map(([item, condition]): Put => conditionally({ put: item }, condition)),
  fc.tuple(keys, conditions).map(([key, condition]): Delete => conditionally({ delete: key }, condition)),
);
const keyOf = (write: Put | Delete): Key => ('put' in write ? write.put : write.delete);
const apply = (model: Model, write: Put | Delete) => {
  if ('put' in write) set(model, write.put);
  else model.items.delete(idOf(write.delete));
};

const writeMany = fc.array(writes, { maxLength: 8 }).map((batch) =>
  command(`writeMany ${JSON.stringify(batch)}`, async (model, { table }) => {
    const failed: number[] = [];
    for (const [position, write] of batch.entries()) {
      if (allows(model, keyOf(write), write.if)) apply(model, write);
      else failed.push(position);
    }
    expect(await table.writeMany(batch)).toEqual(failed);
  }),
);

const transact = fc
  .uniqueArray(writes, { minLength: 1, maxLength: 4, selector: (write) => idOf(keyOf(write)) })
  .map((batch) =>
    command(`transact ${JSON.stringify(batch)}`, async (model, { table }) => {
      const failed = batch.flatMap((write, position) => (allows(model, keyOf(write), write.if) ? [] : position));
      const writing = table.transact(batch);
      if (failed.length > 0) return expect(writing).rejects.toEqual(new TransactionCanceled(failed));
      await writing;
      for (const write of batch) apply(model, write);
    }),
  );

const read = fc
  .tuple(pks, sks, sks, fc.boolean(), fc.integer({ min: 1, max: 4 }))
  .map(([pk, one, other, descending, limit]) =>
    command(`read ${JSON.stringify([pk, one, other, descending, limit])}`, async (model, { table }) => {
      const within = ({ sk }: { sk: string }) => byBytes(sk, one) >= 0 && byBytes(sk, other) <= 0;
      const ordered = (found: Item[]) => (descending ? found.reverse() : found);
      const inTable = [...model.items.values()]
        .filter((item) => item.pk === pk && within(item))
        .sort((a, b) => byBytes(a.sk, b.sk));
      const inIndex = [...model.items.values()]
        .filter(({ gsi1pk, gsi1sk }) => gsi1pk === pk && gsi1sk !== undefined && within({ sk: gsi1sk }))
        .sort((a, b) => byBytes(a.gsi1sk ?? '', b.gsi1sk ?? '') || byBytes(a.pk, b.pk) || byBytes(a.sk, b.sk));
      const range = { pk, sk: { between: [one, other] }, descending, limit } as const;
      expect(await listed(every(table, range))).toEqual(ordered(inTable));
      expect(await listed(every(table, { ...range, index: 'gsi1' }))).toEqual(ordered(inIndex));
    }),
  );

const replay = fc.constant(
  command('replay', async (model, { log }) => {
    const replayed = new Map<string, Item>();
    for (const { key, before, after } of await log.read('replay', 100_000)) {
      expect(before).toEqual(replayed.get(idOf(key)));
      expect(after).not.toEqual(before);
      if (after === undefined) replayed.delete(idOf(key));
      else replayed.set(idOf(key), after);
    }
    expect(replayed).toEqual(model.items);
  }),
);

it('behaves as a map of items whose stream tells every change', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands([put, remove, count, writeMany, transact, read, replay], { maxCommands: 40 }),
      async (commands) => {
        const database = openMemoryDatabase();
        const real = { table: new SqliteTable(database, new VirtualClock()), log: new ChangeLog(database, ['replay']) };
        try {
          await fc.asyncModelRun(() => ({ model: { items: new Map() }, real }), commands);
        } finally {
          database.close();
        }
      },
    ),
    { numRuns: 150 },
  );
});
