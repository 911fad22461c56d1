import { itemKind } from '#shared/platform/item-kind';
import type { AccountCount } from './accounts.ts';
import { shown } from './record-view.ts';
import { AccountBalance, AccountOrder, AccountPosition, AccountTrade, AccountTransfer } from './records.ts';
import {
  accountOf,
  type OfAccount,
  type StoredAccount,
  type StoredBalance,
  type StoredCursor,
  type StoredOrder,
  type StoredPack,
  type StoredPosition,
  type StoredSchedule,
  type StoredSymbols,
  type StoredTrade,
  type StoredTransfer,
} from './stored.ts';
import type { StoredDispatchStatus } from './sync/dispatch-status.ts';
import type { PackCount } from './vault.ts';

/** A kind of what was synchronised of an account, exported as its schema shows it. */
const accountRecord = <T extends OfAccount>(kind: T['kind'], schema: Parameters<typeof shown>[0]) =>
  itemKind<T>({
    kind,
    owner: 'user',
    export: { view: (item) => ({ accountId: item.accountId, ...shown<object>(schema, item) }) },
    erase: 'eraser',
  });

export const accountKind = itemKind<StoredAccount>({
  kind: 'account',
  owner: 'user',
  export: { view: (account, { config }) => ({ ...accountOf(account, config), paper: account.paper }) },
  erase: 'eraser',
});

/** What goes with an account when it is deleted. */
export const itemsOfAccount = [
  accountKind,
  itemKind<StoredSchedule>({
    kind: 'account-schedule',
    owner: 'user',
    export: { omitted: 'when an account is synchronised next: its period is exported' },
    erase: 'eraser',
  }),
  accountRecord<StoredBalance>('balance', AccountBalance),
  accountRecord<StoredPosition>('position', AccountPosition),
  accountRecord<StoredOrder>('order', AccountOrder),
  accountRecord<StoredTrade>('trade', AccountTrade),
  accountRecord<StoredTransfer>('transfer', AccountTransfer),
  itemKind<StoredCursor>({
    kind: 'trade-cursor',
    owner: 'user',
    export: { omitted: "how far a venue's list was read" },
    erase: 'eraser',
  }),
  itemKind<StoredSymbols>({
    kind: 'account-symbols',
    owner: 'user',
    export: { omitted: 'which symbols to fetch from a venue, taken from balances, orders and trades' },
    erase: 'eraser',
  }),
] as const;

/** The kinds of items of exchange accounts, of their sync and of the vault. */
export const accountsItems = [
  ...itemsOfAccount,
  itemKind<AccountCount>({
    kind: 'account-count',
    owner: 'user',
    export: { omitted: 'the number of accounts, which are exported' },
    erase: 'swept',
  }),
  itemKind<StoredDispatchStatus>({ kind: 'dispatch-status', owner: 'installation' }),
  // Secrets hold credentials of many users; the removal of an account takes its own out of them.
  itemKind<StoredPack>({ kind: 'credentials-pack', owner: 'installation' }),
  itemKind<PackCount>({ kind: 'credentials-pack-count', owner: 'installation' }),
] as const;
