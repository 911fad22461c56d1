import { accountsItems } from '#shared/accounts/items';
import { alertsItems } from '#shared/alerts/items';
import { auditItems } from '#shared/audit/items';
import { authItems } from '#shared/auth/items';
import { connectionsItems } from '#shared/connections/items';
import { exchangeItems } from '#shared/exchange/items';
import { identityItems } from '#shared/identity/items';
import { limitsItems } from '#shared/limits/items';
import { marketItems } from '#shared/market/items';
import { notificationsItems } from '#shared/notifications/items';
import type { KindDeclaration } from '#shared/platform/item-kind';
import { streamStatusKind } from '#shared/platform/stream-status';
import { realtimeItems } from '#shared/realtime/items';
import { usersItems } from '#shared/users/items';

/** Every kind of item that the table holds, as its capability declares it (docs/decisions/item-kinds.md). */
export const itemKinds = [
  streamStatusKind,
  ...limitsItems,
  ...identityItems,
  ...auditItems,
  ...connectionsItems,
  ...exchangeItems,
  ...marketItems,
  ...authItems,
  ...notificationsItems,
  ...accountsItems,
  ...alertsItems,
  ...usersItems,
  ...realtimeItems,
] as const;

/** The name of a kind of stored item. */
export type ItemKind = (typeof itemKinds)[number]['kind'];

const byKind = new Map<string, KindDeclaration>(itemKinds.map((declaration) => [declaration.kind, declaration]));

/** @returns undefined: nothing of this version stores such items */
export const declarationOf = (kind: string): KindDeclaration | undefined => byKind.get(kind);
