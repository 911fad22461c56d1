import { itemKind } from '#shared/platform/item-kind';
import type { StoredEntry, StoredHead, StoredTally } from './stored.ts';

/** Why the trail outlives its user: docs/decisions/user-deletion.md. */
const kept = 'the chain is append-only and would break; entries name users by id alone';

/** The kinds of items of the audit log. */
export const auditItems = [
  itemKind<StoredEntry>({
    kind: 'audit-entry',
    owner: 'user',
    export: { omitted: 'lies outside of the partition: the export reads the trail itself' },
    erase: { kept },
  }),
  itemKind<StoredHead>({
    kind: 'audit-head',
    owner: 'user',
    export: { omitted: 'number and hash of the newest entry, which is exported' },
    erase: { kept },
  }),
  itemKind<StoredTally>({
    kind: 'audit-tally',
    owner: 'user',
    export: { omitted: 'counts events that are exported as entries' },
    erase: { kept },
  }),
] as const;
