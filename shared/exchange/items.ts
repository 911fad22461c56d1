import { itemKind } from '#shared/platform/item-kind';
import type { StoredSlots } from './budget/concurrency-slots.ts';
import type { StoredBudget } from './budget/stored-budget.ts';
import type { ReplayRun } from './venues.ts';

/** The kinds of items about venues as services. */
export const exchangeItems = [
  itemKind<StoredBudget>({ kind: 'venue-budget', owner: 'installation' }),
  itemKind<StoredSlots>({ kind: 'venue-seats', owner: 'installation' }),
  itemKind<ReplayRun>({ kind: 'replay-run', owner: 'installation' }),
] as const;
