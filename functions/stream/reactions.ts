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

/** What follows from the changes of a batch that are of one kind, in their order. @returns sequences of those that failed */
export type BatchReaction<T extends Item> = (changes: readonly Change<T>[]) => Promise<Iterable<string>>;

export type Reactions<F extends Followed> = {
  readonly [K in F[number]['kind']]: Reaction<ItemOf<Extract<F[number], { readonly kind: K }>>>;
};

export type BatchReactions<F extends Followed> = {
  readonly [K in F[number]['kind']]: BatchReaction<ItemOf<Extract<F[number], { readonly kind: K }>>>;
};

/** Hands a change to the reaction to its kind, for `onStream`; a change of a kind that is not followed passes. */
export const reactTo = <F extends Followed>(
  followed: F,
  reactions: Reactions<F>,
): ((change: Change) => Promise<void>) => {
  const byKind = reactionsByKind<Reaction<Item>>(followed, reactions as unknown as Rows<Reaction<Item>>);
  return async (change) => {
    const found = byKind.get(kindOf(change));
    const read = found === undefined ? undefined : changeOf(found.declaration, change);
    if (read !== undefined) await found?.reaction(read);
  };
};

/**
 * Hands the changes of a batch to the reactions to their kinds, for `onStreamBatch`: kind after kind in the order in
 * which they are followed, so that what people wait for comes first. A change that can't be read fails alone.
 * @param onUnreadable is called with each of those and the reason
 */
export const reactToBatch = <F extends Followed>(
  followed: F,
  reactions: BatchReactions<F>,
  onUnreadable: (change: Change, error: unknown) => void,
): ((changes: readonly Change[]) => Promise<ReadonlySet<string>>) => {
  const byKind = reactionsByKind<BatchReaction<Item>>(followed, reactions as unknown as Rows<BatchReaction<Item>>);
  return async (changes) => {
    const failed = new Set<string>();
    for (const { declaration, reaction } of byKind.values()) {
      const readable = changes.flatMap((change) => {
        try {
          return changeOf(declaration, change) ?? [];
        } catch (error) {
          onUnreadable(change, error);
          failed.add(change.sequence);
          return [];
        }
      });
      if (readable.length > 0) for (const sequence of await reaction(readable)) failed.add(sequence);
    }
    return failed;
  };
};

const kindOf = ({ after, before }: Change): string => (after ?? before)?.kind ?? '';

/** A table whose rows are read by the kind of a change: that each takes items of its own kind, its type has checked. */
type Rows<R> = { readonly [kind: string]: R };

const reactionsByKind = <R>(followed: Followed, reactions: Rows<R>) =>
  new Map(
    followed.flatMap((declaration) => {
      const reaction = reactions[declaration.kind];
      return reaction === undefined ? [] : [[declaration.kind, { declaration, reaction }] as const];
    }),
  );
