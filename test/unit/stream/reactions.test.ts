import { describe, expect, it } from 'vitest';
import { namesOf, reactTo } from '#functions/stream/reactions';
import { itemKind, NewerShape } from '#shared/platform/item-kind';
import type { Change, Item } from '#shared/platform/table';

interface Letter extends Item {
  readonly kind: 'letter';
  readonly lines: readonly string[];
}
interface Parcel extends Item {
  readonly kind: 'parcel';
  readonly grams: number;
}
const letterKind = itemKind<Letter>({
  ...{ kind: 'letter', owner: 'installation', shape: 2 },
  migrate: { 1: ({ text, ...old }: Item & { readonly text: string }) => ({ ...old, lines: [text] }) },
});
const parcelKind = itemKind<Parcel>({ kind: 'parcel', owner: 'installation' });
const follows = [parcelKind, letterKind] as const;

const change = (sequence: string, after: Record<string, unknown>): Change => {
  const key = { pk: 'POST', sk: sequence };
  return { event: 'INSERT', key, at: 0, sequence, after: { ...key, ...after } as Item };
};
const oldLetter = change('1', { kind: 'letter', text: 'Dear Ada' });
const letter = change('2', { kind: 'letter', shape: 2, lines: ['Dear Bob'] });
const parcel = change('3', { kind: 'parcel', grams: 500 });
const newerLetter = change('4', { kind: 'letter', shape: 3 });
const postcard = change('5', { kind: 'postcard' });

describe('a table of reactions', () => {
  const seen: unknown[] = [];
  const react = reactTo(follows, {
    letter: async ({ after }) => void seen.push(after?.lines),
    parcel: async ({ after }) => void seen.push(after?.grams),
  });

  it('hands each change to the reaction to its kind, in the current shape', async () => {
    for (const each of [oldLetter, letter, parcel]) await react(each);
    expect(seen.splice(0)).toEqual([['Dear Ada'], ['Dear Bob'], 500]);
  });

  it('lets changes of other kinds pass', async () => {
    await react(postcard);
    expect(seen).toEqual([]);
  });

  it('fails a change that a later version stored, so that it is retried', async () => {
    await expect(react(newerLetter)).rejects.toThrow(NewerShape);
    expect(seen).toEqual([]);
  });

  it('has a row for each kind that is followed, and no other', () => {
    const rows = { letter: async () => {}, parcel: async () => {} };
    // @ts-expect-error the parcels have no row
    reactTo(follows, { letter: rows.letter });
    // @ts-expect-error postcards are not followed
    reactTo(follows, { ...rows, postcard: async () => {} });
    // @ts-expect-error a row takes items of its own kind
    reactTo(follows, { ...rows, parcel: async (_: Change<Letter>) => {} });
    expect(namesOf(follows)).toEqual(['parcel', 'letter']);
  });
});
