import { describe, expect, it } from 'vitest';
import { recordKinds } from '#shared/accounts/stored';
import { erasersOf } from '#shared/personal-data/erasers';
import { declarationOf, type ItemKind, itemKinds } from '#shared/personal-data/item-kinds';
import type { KindDeclaration } from '#shared/platform/item-kind';
import { testPlatform } from '../../support/test-platform.ts';

const declarations: readonly KindDeclaration[] = itemKinds;
const ofUsers = declarations.flatMap((declaration) => (declaration.owner === 'user' ? [declaration] : []));

describe('the kinds of stored items', () => {
  it('are declared once each', () => {
    const names = declarations.map(({ kind }) => kind);
    expect(names.length).toBeGreaterThan(45);
    expect(names).toEqual([...new Set(names)]);
  });

  it('are a closed union', () => {
    const known: ItemKind = 'alert';
    // @ts-expect-error no capability declares it
    const unknown: ItemKind = 'thing';
    expect([known, unknown].map((kind) => declarationOf(kind)?.kind)).toEqual(['alert', undefined]);
  });

  it('include what the sync of an account stores, whose removal is the eraser of the accounts', () => {
    const wrong = recordKinds.filter((kind) => ofUsers.find((declared) => declared.kind === kind)?.erase !== 'eraser');
    expect(wrong).toEqual([]);
  });

  it('that need an eraser have one, and no other has', () => {
    const erased = erasersOf(testPlatform().platform).flatMap(({ erases }) => erases.map(({ kind }) => kind));
    const declared = ofUsers.filter(({ erase }) => erase === 'eraser').map(({ kind }) => kind);
    expect(erased.toSorted()).toEqual(declared.toSorted());
  });
});

describe('a table under test', () => {
  const { table } = testPlatform();
  const key = { pk: 'P', sk: 'S' };
  const thing = { ...key, kind: 'thing' };

  it.each([
    ['a put', () => table.put(thing)],
    ['an update', () => table.update(key, { set: { kind: 'thing' } })],
    ['one of many writes', () => table.writeMany([{ delete: key }, { put: thing }])],
    ['a transaction', () => table.transact([{ put: thing }])],
  ])('refuses %s of an undeclared kind', async (_, write) => {
    await expect(async () => await write()).rejects.toThrow("No capability declares items of kind 'thing'");
  });

  it('refuses an item that is not of the current shape', async () => {
    await expect(async () => await table.put({ ...key, kind: 'watch', shape: 2 })).rejects.toThrow('has shape 2');
  });
});
