import { changeOf, type ItemOf, type KindDeclaration } from '#shared/platform/item-kind';
import type { Change, Item } from '#shared/platform/table';

/**
 * A stream consumer is a table, kind → reaction. What it follows is a list of declarations in a file of its own,
 * `<consumer>.kinds.ts`, which the manifest reads without loading any reaction; the table must have a row for each of
 * them and no other, or it does not compile.
 */
export type Followed = readonly KindDeclaration[];

/** The kinds' names, for the manifest. */
export const namesOf = <const F extends Followed>(followed: F): readonly F[number]['kind'][] =>
  followed.map(({ kind }) => kind);

/** What follows from a change of an item, which is in its current shape. A change may come again. */
export type Reaction<T extends Item> = (change: Change<T>) => Promise<void>;

export type Reactions<F extends Followed> = {
  readonly [K in F[number]['kind']]: Reaction<ItemOf<Extract<F[number], { readonly kind: K }>>>;
};

/** Hands a change to the reaction to its kind, for `onStream`; a change of a kind that is not followed passes. */
export const reactTo = <F extends Followed>(
  followed: F,
  reactions: Reactions<F>,
): ((change: Change) => Promise<void>) => {
  // That each row takes items of its own kind, the type of the table has checked.
  const rows = reactions as unknown as Readonly<Record<string, Reaction<Item>>>;
  const byKind = new Map(
    followed.flatMap((declaration) => {
      const reaction = rows[declaration.kind];
      return reaction === undefined ? [] : [[declaration.kind, { declaration, reaction }] as const];
    }),
  );
  return async (change) => {
    const found = byKind.get(kindOf(change));
    const read = found === undefined ? undefined : changeOf(found.declaration, change);
    if (read !== undefined) await found?.reaction(read);
  };
};

const kindOf = ({ after, before }: Change): string => (after ?? before)?.kind ?? '';
