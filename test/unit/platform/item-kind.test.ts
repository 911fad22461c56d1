import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeOf, itemKind, type Migration, NewerShape } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';

interface Note extends Item {
  readonly kind: 'note';
  /** One word per migration that the item went through. */
  readonly text: string;
}

const note = (text: string, shape?: number): Item => ({
  ...{ pk: 'NOTES', sk: '1', kind: 'note', version: 7, text },
  ...(shape === undefined ? {} : { shape }),
});

const append =
  (from: number): Migration =>
  (old: Note) => ({ ...old, text: `${old.text} ${from}` });

/** Notes of the given shape, whose migration from shape n appends n to the text. */
const notesOf = (shape: number) =>
  itemKind<Note>({
    ...{ kind: 'note', owner: 'installation', shape },
    migrate: Object.fromEntries(Array.from({ length: shape - 1 }, (_, index) => [index + 1, append(index + 1)])),
  });

const shapes = fc.integer({ min: 1, max: 12 });

describe('an item kind', () => {
  it('reads an item of any earlier shape through each migration once, in their order', () => {
    fc.assert(
      fc.property(shapes, shapes, fc.string(), (one, other, text) => {
        const [stored, current] = [Math.min(one, other), Math.max(one, other)];
        const passed = Array.from({ length: current - stored }, (_, index) => ` ${stored + index}`).join('');
        const read = notesOf(current).read(note(text, stored));
        expect(read).toEqual({ ...note(text + passed), shape: current });
      }),
    );
  });

  it('reads what it migrated as it is', () => {
    fc.assert(
      fc.property(shapes, shapes, (one, other) => {
        const notes = notesOf(Math.max(one, other));
        const read = notes.read(note('text', Math.min(one, other)));
        expect(notes.read(read)).toBe(read);
      }),
    );
  });

  it('reaches the same item when a version in between migrated it and stored it', () => {
    fc.assert(
      fc.property(fc.array(shapes, { minLength: 3, maxLength: 3 }), (numbers) => {
        const [stored = 1, between = 1, current = 1] = numbers.toSorted((a, b) => a - b);
        const item = note('text', stored);
        expect(notesOf(current).read(notesOf(between).read(item))).toEqual(notesOf(current).read(item));
      }),
    );
  });

  it('takes an item without a shape for one of shape 1', () => {
    const first = note('text');
    expect(notesOf(1).read(first)).toBe(first);
    expect(notesOf(2).read(first).text).toBe('text 1');
    expect(notesOf(2).read(undefined)).toBeUndefined();
  });

  it('leaves the stored item and its version as they were', () => {
    const stored = Object.freeze(note('text'));
    expect(notesOf(3).read(stored).version).toBe(7);
    expect(stored).toEqual(note('text'));
  });

  it('refuses an item that a later version stored', () => {
    expect(() => notesOf(2).read(note('text', 3))).toThrow(NewerShape);
    expect(() => notesOf(2).read(note('text', 3))).toThrow("The 'note' item has shape 3");
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses an item of shape %d, which no version stores', (shape) => {
    expect(() => notesOf(3).read(note('text', shape))).toThrow(TypeError);
  });

  it('refuses an item of another kind', () => {
    expect(() => notesOf(1).read({ ...note('text'), kind: 'letter' })).toThrow("kind 'letter' was read as 'note'");
  });

  it('stamps what is stored with its kind, and with its shape from the second on', () => {
    expect(notesOf(1).stamp).toEqual({ kind: 'note' });
    expect(notesOf(2).stamp).toEqual({ kind: 'note', shape: 2 });
  });

  it.each([
    ['none', 3, {}],
    ['a gap', 3, { 2: append(2) }],
    ['one too many', 2, { 1: append(1), 2: append(2) }],
    ['one from shape 0', 2, { 0: append(0) }],
    ['none, and no shape that can be', 0, {}],
  ])('can not be declared with migrations that do not lead to its shape: %s', (_, shape, migrate) => {
    expect(() => itemKind<Note>({ kind: 'note', owner: 'installation', shape, migrate })).toThrow(TypeError);
  });
});

describe('a change of a kind', () => {
  const key = { pk: 'NOTES', sk: '1' };
  const change = { event: 'MODIFY', key, at: 0, sequence: '1' } as const;

  it('has both of its images in the current shape', () => {
    const read = changeOf(notesOf(3), { ...change, before: note('old'), after: note('new', 2) });
    expect(read).toMatchObject({ ...change, before: { text: 'old 1 2' }, after: { text: 'new 2' } });
  });

  it('is none where the item is of another kind', () => {
    expect(changeOf(notesOf(3), { ...change, after: { ...note('new'), kind: 'letter' } })).toBeUndefined();
  });

  it('has the image that it lost when the item was removed', () => {
    expect(changeOf(notesOf(2), { ...change, event: 'REMOVE', before: note('old') })).toEqual({
      ...{ ...change, event: 'REMOVE', before: { ...note('old 1'), shape: 2 } },
    });
  });
});
