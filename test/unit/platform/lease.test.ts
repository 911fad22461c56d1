import { beforeEach, describe, expect, it } from 'vitest';
import { acquireLease, Lease, type LeaseAttributes, releaseLease } from '#shared/platform/lease';
import { openMemoryDatabase } from '#shared/platform/sqlite/database';
import { SqliteTable } from '#shared/platform/sqlite/table';
import { equals } from '#shared/platform/table';
import { VirtualClock } from '../../support/virtual-clock.ts';

const durationMs = 1_000;
const skewMs = 200;
const key = { pk: 'p', sk: 's' };

let table: SqliteTable;
beforeEach(async () => {
  table = new SqliteTable(openMemoryDatabase(), new VirtualClock());
  await table.put({ ...key, kind: 'thing', at: {} });
});

const layouts: [string, LeaseAttributes][] = [
  ['its end', { until: 'leaseUntil' }],
  ['its start', { since: 'leasedAt' }],
  ['its end within a map', { until: 'at.email' }],
  ['its end and its owner', { until: 'leaseUntil', owner: 'leaseOwner' }],
  ['end, start and owner', { until: 'leaseUntil', since: 'leasedAt', owner: 'leaseOwner' }],
];

describe.each(layouts)('a lease that stores %s', (_, attributes) => {
  const lease = new Lease(attributes, durationMs, skewMs);
  const acquire = (now: number, owner: string) => acquireLease(table, key, lease, { now, owner });
  const remainingMs = async (now: number, soleWriterSince?: number) =>
    lease.remainingMs(await table.get(key), now, soleWriterSince);

  it('has one holder until it expires', async () => {
    expect(await acquire(5_000, 'a')).toMatchObject({ until: 6_000 });
    expect(await acquire(5_999, 'b')).toBeUndefined();
    expect(await acquire(6_000, 'b')).toMatchObject({ until: 7_000 });
  });

  it('is free once it is released', async () => {
    const held = await acquire(5_000, 'a');
    if (held !== undefined) await releaseLease(table, key, lease, held);
    expect(await table.get(key)).toEqual({ ...key, kind: 'thing', at: {} });
    expect(await acquire(5_001, 'b')).toBeDefined();
  });

  it('stays with the next holder when the one before releases it late', async () => {
    const late = await acquire(5_000, 'a');
    await acquire(6_000, 'b');
    if (late !== undefined) await releaseLease(table, key, lease, late);
    expect(await remainingMs(6_000)).toBe(durationMs);
  });

  it('says how much longer it lasts', async () => {
    expect(await remainingMs(5_000)).toBe(0);
    await acquire(5_000, 'a');
    expect([await remainingMs(5_400), await remainingMs(6_000), await remainingMs(9_000)]).toEqual([600, 0, 0]);
  });

  it('is free where it was acquired in the future, by a clock that has been corrected since', async () => {
    await acquire(5_000 + skewMs, 'a');
    expect([await acquire(5_000, 'b'), await remainingMs(5_000)]).toEqual([undefined, durationMs + skewMs]);
    expect(await remainingMs(4_999)).toBe(0);
    expect(await acquire(4_999, 'b')).toMatchObject({ until: 4_999 + durationMs });
  });

  it('of an earlier process is free for the only writer', async () => {
    await acquire(5_000, 'a');
    const taken = (soleWriterSince: number) =>
      table.update(key, { set: lease.acquired(5_500, 'b').set }, lease.isFree(5_500, soleWriterSince));
    expect([await remainingMs(5_500, 5_000), await remainingMs(5_500, 5_001)]).toEqual([500, 0]);
    await expect(taken(5_000)).rejects.toMatchObject({ code: 'condition-failed' });
    await taken(5_001);
  });
});

it('acquires a lease with other attributes, where another condition holds as well', async () => {
  const lease = new Lease({ until: 'leaseUntil' }, durationMs);
  const acquire = (kind: string) =>
    acquireLease(table, key, lease, { now: 0, set: { n: 1 }, if: equals('kind', kind) });
  expect(await acquire('other')).toBeUndefined();
  expect(await acquire('thing')).toBeDefined();
  expect(await table.get(key)).toMatchObject({ n: 1, leaseUntil: durationMs });
});

it('lasts as long as its holder asks where end and start are stored', () => {
  const lease = new Lease({ until: 'leaseUntil', since: 'leasedAt', owner: 'leaseOwner' }, durationMs);
  expect(lease.acquired(5_000, 'a', 9_000)).toMatchObject({
    until: 9_000,
    set: { leaseUntil: 9_000, leasedAt: 5_000, leaseOwner: 'a' },
  });
});

it('needs to store a time', () => expect(() => new Lease({ owner: 'leaseOwner' }, durationMs)).toThrow(TypeError));
