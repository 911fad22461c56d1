import { itemKind } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import { profileOf } from './profile.ts';
import type { AdminCount, EmailOwner, StoredUser } from './stored-user.ts';

interface FirstUser extends Item {
  readonly kind: 'first-user';
}

/** The kinds of items that say who the users are. */
export const identityItems = [
  itemKind<StoredUser>({
    kind: 'user',
    owner: 'user',
    export: { view: (user, { config }) => profileOf(user, config) },
    erase: 'with-user',
  }),
  itemKind<EmailOwner>({
    kind: 'email',
    owner: 'user',
    export: { omitted: 'finds a user by their address, which the profile shows' },
    erase: 'with-user',
  }),
  itemKind<FirstUser>({ kind: 'first-user', owner: 'installation' }),
  itemKind<AdminCount>({ kind: 'admin-count', owner: 'installation' }),
] as const;
