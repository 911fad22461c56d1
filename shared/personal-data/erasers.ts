import { AccountRemoval } from '#shared/accounts/account-removal';
import { itemsOfAccount } from '#shared/accounts/items';
import { Alerts } from '#shared/alerts/alerts';
import { alertKind } from '#shared/alerts/items';
import { ApiKeys } from '#shared/auth/api-keys';
import { apiKeyKind, apiKeyOwnerKind } from '#shared/auth/items';
import { levelKind } from '#shared/market/crossing-entry';
import type { UserId } from '#shared/model/user-id';
import type { KindDeclaration } from '#shared/platform/item-kind';
import type { Platform } from '#shared/platform/ports';

export type EraserPorts = Pick<
  Platform,
  'table' | 'queue' | 'secrets' | 'clock' | 'ids' | 'random' | 'config' | 'logger' | 'push'
>;

/** Deletes what a capability stores about a user and the sweep of the user's partition does not reach, or must not reach first. */
export interface Eraser {
  /** The kinds of items that it deletes: those that are declared with `erase: 'eraser'`. */
  readonly erases: readonly KindDeclaration[];
  /** May be interrupted and called again: it deletes what is left. */
  removeAll(userId: UserId): Promise<void>;
}

/** The erasers of all capabilities in the order in which they run. */
export const erasersOf = (ports: EraserPorts): readonly Eraser[] => {
  const accounts = new AccountRemoval(ports);
  const alerts = new Alerts(ports);
  const apiKeys = new ApiKeys(ports);
  return [
    {
      // First, because they wait for a running sync and may end with a conflict while everything else is still there.
      erases: itemsOfAccount,
      removeAll: (userId) => accounts.removeAll(userId),
    },
    // Levels lie in the crossing index.
    { erases: [alertKind, levelKind], removeAll: (userId) => alerts.removeAll(userId) },
    // Keys are found by their hashes.
    { erases: [apiKeyKind, apiKeyOwnerKind], removeAll: (userId) => apiKeys.removeAll(userId) },
  ];
};
