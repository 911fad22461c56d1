import type { Wait } from '#shared/market/crossing-entry';
import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import { alertOf, type StoredAlert } from './stored.ts';

/** An alert in its first shape, when it waited at one level at most. */
interface AlertAtLevel extends Item {
  readonly level: Wait | null;
}

export const alertKind = itemKind<StoredAlert>({
  kind: 'alert',
  owner: 'user',
  export: { view: (alert, { clock }) => alertOf(alert, clock) },
  erase: 'eraser',
  shape: 2,
  migrate: { 1: ({ level, ...alert }: AlertAtLevel) => ({ ...alert, waits: level === null ? [] : [level] }) },
});
