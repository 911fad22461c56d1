import { DomainError } from './errors.ts';
import type { Platform } from './ports.ts';
import type { Change, Item } from './table.ts';

/** What the view of an exported item may use. */
export type ExportPorts = Pick<Platform, 'table' | 'clock' | 'config'>;

/** What becomes of an item when its user exports everything they have. */
export type Export<T extends Item> =
  /** It is part of the export, as this view shows it: no keys, no hashes, no secrets. */
  | { view(item: T, ports: ExportPorts): object | Promise<object> }
  /** It is left out, for this reason. */
  | { readonly omitted: string };

/** How an item goes when its user is deleted. */
export type Erasure =
  /** With whatever is left in the user's partition, after every eraser has run. */
  | 'swept'
  /** By the eraser of its capability: it lies elsewhere, or something else must happen before it goes. */
  | 'eraser'
  /** In the transaction that removes the user, the last one. */
  | 'with-user'
  /** By itself within a bounded time (`expiresAt`). The reason why that is early enough. */
  | { readonly expires: string }
  /** Never. The reason why it outlives its user. */
  | { readonly kept: string };

/** Rewrites an item of one shape into the next; the result needs no `shape` attribute. A method, so that `old` may be typed. */
export type Migration = { migrate(old: Item): Item }['migrate'];

interface Shape {
  /** Number of the current shape, 1 or more. Raise it when stored items must be rewritten to be understood. */
  readonly shape?: number;
  /** For each earlier shape, what turns it into the next one: `{ 1: toShape2, 2: toShape3 }`. */
  readonly migrate?: { readonly [from: number]: Migration };
}

/** Who an item belongs to, and what follows from it. */
type Ownership<T extends Item> =
  | { readonly owner: 'user'; readonly export: Export<T>; readonly erase: Erasure }
  /** Nobody's: prices, counters and states of the installation. It is neither exported nor erased. */
  | { readonly owner: 'installation' };

/** The declaration of one kind of stored item. Make it with {@link itemKind}. */
export type KindDeclaration<T extends Item = Item> = Ownership<T> & {
  readonly kind: T['kind'];
  readonly shape: number;
  /** The attributes that say what an item is; every put of the kind spreads them. Shape 1 is stored without its number. */
  readonly stamp: { readonly kind: T['kind']; readonly shape?: number };
  /**
   * The item in its current shape: the item itself unless an earlier version stored it. Nothing is written.
   * @throws {TypeError} the item is of another kind
   * @throws {NewerShape} a later version stored it
   */
  read(item: Item): T;
  read(item: Item | undefined): T | undefined;
};

/** The items that a declaration is about. */
export type ItemOf<D> = D extends KindDeclaration<infer T> ? T : never;

/** An item was stored by a later version of the code than the one that reads it, as after a rollback. */
export class NewerShape extends DomainError {
  readonly code = 'newer-shape';
  override readonly name = 'NewerShape';
}

/**
 * Declares a kind of stored item (docs/decisions/item-kinds.md). Declarations are imported by Lambda bundles and by
 * the CDK app, so their files import types and small views only.
 * @throws {TypeError} the migrations do not lead from shape 1 to the current one
 */
export function itemKind<T extends Item>(
  declared: Ownership<T> & Shape & { readonly kind: T['kind'] },
): KindDeclaration<T> {
  const { kind, shape = 1, migrate = {}, ...ownership } = declared;
  checkMigrations(kind, shape, migrate);

  const read = (item: Item | undefined): T | undefined => {
    if (item === undefined) return undefined;
    if (item.kind !== kind) throw new TypeError(`An item of kind '${item.kind}' was read as '${kind}'`);
    const stored = item.shape ?? 1;
    if (stored === shape) return item as T;
    if (!(Number.isSafeInteger(stored) && stored >= 1)) throw new TypeError(`'${kind}' has no shape ${stored}`);
    if (stored > shape) {
      throw new NewerShape(`The '${kind}' item has shape ${stored}; this version reads up to shape ${shape}`);
    }
    let current = item;
    for (let from = stored; from < shape; from += 1) current = migrate[from]?.(current) ?? current;
    return { ...current, shape } as Item as T;
  };

  return {
    ...ownership,
    kind,
    shape,
    stamp: shape === 1 ? { kind } : { kind, shape },
    read: read as KindDeclaration<T>['read'],
  } as KindDeclaration<T>;
}

const checkMigrations = (kind: string, shape: number, migrate: NonNullable<Shape['migrate']>): void => {
  const earlier = Object.keys(migrate);
  const isWhole = earlier.length === shape - 1 && earlier.every((_, index) => migrate[index + 1] !== undefined);
  if (!isWhole) throw new TypeError(`'${kind}' has shape ${shape} and needs one migration from each shape before it`);
};

/** A change of an item of the declared kind, both images in the current shape; undefined: it is of another kind. */
export const changeOf = <T extends Item>(declaration: KindDeclaration<T>, change: Change): Change<T> | undefined => {
  const { before, after, ...rest } = change;
  if ((after ?? before)?.kind !== declaration.kind) return undefined;
  return {
    ...rest,
    ...(before === undefined ? {} : { before: declaration.read(before) }),
    ...(after === undefined ? {} : { after: declaration.read(after) }),
  };
};
