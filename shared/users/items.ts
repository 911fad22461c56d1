import { itemKind } from '#shared/platform/item-kind';
import type { TotpSetup } from './second-factor.ts';

/** The kinds of items of users who are setting something up. */
export const usersItems = [
  itemKind<TotpSetup>({
    kind: 'totp-setup',
    owner: 'user',
    export: { omitted: 'a sealed secret that is not confirmed yet' },
    erase: 'swept',
  }),
] as const;
