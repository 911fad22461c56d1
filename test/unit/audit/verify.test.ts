import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { AuditLog } from '#shared/audit/audit-log';
import { AuditEntry, hashOf } from '#shared/audit/entry';
import { entriesOf, headKey, type StoredEntry, storedEntry } from '#shared/audit/stored';
import { type TrailEnd, verifyAudit } from '#shared/audit/verify';
import type { UserId } from '#shared/model/user-id';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import type { Item, Table } from '#shared/platform/table';
import { testPlatform } from '../../support/test-platform.ts';

const users = ['ad', 'be'].map((last) => `01890000-0000-7000-8000-0000000000${last}` as UserId);
const [ada, bob] = users as [UserId, UserId];
const length = 8;

/** The log of an installation with two users, as the items of its table. */
let written: Item[];
beforeAll(async () => {
  const system = testPlatform();
  const log = new AuditLog(system.platform);
  for (let number = 0; number < length; number += 1) {
    for (const userId of users) {
      await system.clock.advance(1000);
      await log.record({
        type: 'config.account-changed',
        actor: { kind: 'user', userId },
        source: { address: '203.0.113.7', userAgent: 'test' },
        after: { syncSeconds: number },
      });
    }
  }
  const partitions = ['system', ...users].map((trail) => entriesOf(trail).pk);
  const pages = await Promise.all(partitions.map((pk) => system.store.query({ pk })));
  written = pages.flatMap(({ items }) => items);
});

const tampered = async (change: (table: Table) => Promise<unknown>): Promise<Table> => {
  const table = new SqliteTable(openMemoryDatabase(), testPlatform().clock);
  await table.writeMany(written.map((put) => ({ put })));
  await change(table);
  return table;
};
const faultsAfter = async (change: (table: Table) => Promise<unknown>, expected?: readonly TrailEnd[]) => {
  const { findings } = await verifyAudit(await tampered(change), expected);
  return findings.map(({ trail, seq, fault }) => `${trail.slice(-2)} ${seq} ${fault}`);
};
const entry = (trail: string, seq: number): StoredEntry => {
  const found = written.find((item) => item.kind === 'audit-entry' && item.trail === trail && item.seq === seq);
  if (found === undefined) throw new RangeError(`There is no entry ${seq}`);
  return found as StoredEntry;
};
const headOf = (trail: UserId): Item =>
  ({ ...written.find(({ pk, sk }) => pk === headKey(trail).pk && sk === 'HEAD') }) as Item;
/** Puts an entry back as somebody does who knows how hashes are made. */
const forged = ({ pk: _, sk: __, gsi1pk: ___, gsi1sk: ____, kind: _____, ...fields }: StoredEntry) => {
  const body = AuditEntry.parse(fields);
  return storedEntry({ ...body, hash: hashOf(body) });
};

const Seq = fc.integer({ min: 1, max: length });
const seqPair = fc.uniqueArray(Seq, { minLength: 2, maxLength: 2 }) as fc.Arbitrary<[number, number]>;

describe('the verification of the audit log', () => {
  it('finds nothing where nobody changed anything', async () => {
    const { findings, entries, ends } = await verifyAudit(await tampered(async () => {}));
    expect({ findings, entries, ends: ends.map(({ trail, seq }) => [trail, seq]) }).toEqual({
      findings: [],
      entries: 2 * length + 2,
      ends: [
        ['system', 2],
        [ada, length],
        [bob, length],
      ],
    });
  });

  it('finds nothing in a new installation', async () => {
    expect((await verifyAudit(testPlatform().store)).findings).toEqual([]);
  });

  it('finds a change of any attribute of any entry, and says of which', async () => {
    const attributes = Object.keys(entry(ada, 1)).filter((name) => name !== 'pk' && name !== 'sk');
    await fc.assert(
      fc.asyncProperty(
        Seq,
        fc.constantFrom(...attributes, 'expiresAt', 'note'),
        fc.boolean(),
        async (seq, name, isRemoved) => {
          const before = entry(ada, seq);
          const { [name]: value, ...others } = before;
          fc.pre(!isRemoved || value !== undefined);
          const changed = typeof value === 'number' || value === undefined ? Number(value ?? 0) + 1 : 'changed';
          const after = (isRemoved ? others : { ...before, [name]: changed }) as Item;
          expect(await faultsAfter((table) => table.put(after))).toContainEqual(
            expect.stringMatching(new RegExp(`^ad ${name === 'seq' ? '\\d' : seq} `)),
          );
        },
      ),
    );
  });

  it('finds an entry that was changed and given the right hash', async () => {
    const { after } = entry(ada, 3);
    const change = forged({ ...entry(ada, 3), after: { ...after, syncSeconds: 99 } });
    expect(await faultsAfter((table) => table.put(change))).toEqual([
      'ad 4 does not follow the entry before it: one of them was replaced',
    ]);
  });

  it('finds any entry that was removed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: length - 1 }), async (seq) => {
        expect(await faultsAfter((table) => table.delete(entry(ada, seq)))).toEqual([`ad ${seq} is missing`]);
      }),
    );
  });

  it('finds any two entries that were swapped', async () => {
    await fc.assert(
      fc.asyncProperty(seqPair, async ([a, b]) => {
        const { pk, sk } = entry(ada, a);
        const other = entry(ada, b);
        const faults = await faultsAfter(async (table) => {
          await table.put({ ...other, pk, sk });
          await table.put({ ...entry(ada, a), pk: other.pk, sk: other.sk });
        });
        for (const seq of [a, b]) {
          expect(faults).toContain(`ad ${seq} was moved: it is stored where its content does not belong`);
        }
      }),
    );
  });

  it('finds two entries whose contents were swapped in good form', async () => {
    const [a, b] = [entry(ada, 3), entry(ada, 5)];
    const faults = await faultsAfter(async (table) => {
      await table.put(forged({ ...a, after: b.after }));
      await table.put(forged({ ...b, after: a.after }));
    });
    expect(faults.map((fault) => fault.slice(0, 4))).toEqual(['ad 4', 'ad 6']);
  });

  it('finds an entry of another trail', async () => {
    const { pk, sk } = entry(ada, 4);
    expect(await faultsAfter((table) => table.put({ ...entry(bob, 4), pk, sk }))).toContain(
      'ad 4 was moved: it is stored where its content does not belong',
    );
  });

  it.each([1, 3, length])('finds the newest %i entries cut off', async (count) => {
    const faults = await faultsAfter(async (table) => {
      for (let seq = length; seq > length - count; seq -= 1) await table.delete(entry(ada, seq));
    });
    expect(faults).toEqual([`ad ${length - count + 1} and those up to ${length} were cut off`]);
  });

  it('finds a head that was set back, and one that was removed', async () => {
    expect(await faultsAfter((table) => table.put({ ...headOf(ada), seq: 3 }))).toEqual([
      'ad null has a head that was set back to entry 3',
    ]);
    expect(await faultsAfter((table) => table.delete(headOf(ada)))).toEqual([
      'ad null has no head: the number and hash of its newest entry were removed',
    ]);
  });

  it('finds a trail that is gone as a whole', async () => {
    const own = written.filter(({ pk }) => pk === entry(ada, 1).pk);
    expect(await faultsAfter((table) => table.writeMany(own.map((item) => ({ delete: item }))))).toEqual([
      'ad null is gone: there was a trail once',
    ]);
  });

  it('goes on past what it found', async () => {
    const faults = await faultsAfter(async (table) => {
      await table.delete(entry(ada, 2));
      await table.put({ ...entry(ada, 6), outcome: 'failure' });
      await table.delete(entry(bob, 1));
    });
    expect(faults.map((fault) => fault.slice(0, 4))).toEqual(['ad 2', 'ad 6', 'be 1']);
  });

  it('follows appends that are made meanwhile', async () => {
    const system = testPlatform();
    const log = new AuditLog({ ...system.platform, table: system.store });
    const event = { type: 'auth.logged-out', actor: { kind: 'user', userId: ada } } as const;
    await log.record(event);
    system.table.once(
      ({ name, keys }) => name === 'get' && keys[0]?.pk === headKey(ada).pk,
      () => log.record(event),
    );
    const { findings, ends } = await verifyAudit(system.table);
    expect([findings, ends.at(-1)?.seq]).toEqual([[], 2]);
  });
});

describe('the ends of an earlier verification', () => {
  /** Someone who may write everything makes the whole trail anew, without its third entry. */
  const rewrite = async (table: Table): Promise<void> => {
    let previous = entry(ada, 2).hash;
    for (let seq = 3; seq <= length; seq += 1) await table.delete(entry(ada, seq));
    for (let seq = 4; seq <= length; seq += 1) {
      const item = forged({ ...entry(ada, seq), seq: seq - 1, previous });
      previous = item.hash;
      await table.put(item);
    }
    const { at } = entry(ada, length);
    await table.put({ ...headOf(ada), seq: length - 1, hash: previous, at });
  };
  const earlier = (seq: number): TrailEnd => ({ trail: ada, seq, hash: entry(ada, seq).hash });

  it('are needed to find a trail that was made anew as a whole', async () => {
    expect(await faultsAfter(rewrite)).toEqual([]);
    expect(await faultsAfter(rewrite, [earlier(5)])).toEqual([
      'ad 5 is not the one of an earlier verification: the trail was rewritten up to it',
    ]);
    expect(await faultsAfter(rewrite, [earlier(length)])).toEqual([
      `ad ${length} was there at an earlier verification and is not any more`,
    ]);
  });

  it('find the loss of the whole log', async () => {
    const { ends } = await verifyAudit(await tampered(async () => {}));
    const faults = await faultsAfter((table) => table.writeMany(written.map((item) => ({ delete: item }))), ends);
    expect(faults.map((fault) => fault.slice(0, 2))).toEqual(expect.arrayContaining(['em', 'ad', 'be']));
  });

  it('still fit after more was written', async () => {
    expect(await faultsAfter(async () => {}, [earlier(2), earlier(length)])).toEqual([]);
  });
});
