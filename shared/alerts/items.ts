import type { Wait } from '#shared/market/crossing-entry';
import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import { alertOf, type StoredAlert } from './stored.ts';

/** An alert in its first shape, when it waited at one level at most. */
interface AlertAtLevel extends Item {
  readonly level: Wait | null;
}

interface AlertCount extends Item {
  readonly kind: 'alert-count';
}

export const alertKind = itemKind<StoredAlert>({
  kind: 'alert',
  owner: 'user',
  export: { view: (alert, { clock }) => alertOf(alert, clock) },
  erase: 'eraser',
  shape: 2,
  migrate: { 1: ({ level, ...alert }: AlertAtLevel) => ({ ...alert, waits: level === null ? [] : [level] }) },
});

/** The kinds of items of alerts. */
export const alertsItems = [
  alertKind,
  itemKind<AlertCount>({
    kind: 'alert-count',
    owner: 'user',
    export: { omitted: 'the number of alerts, which are exported' },
    erase: 'swept',
  }),
] as const;
