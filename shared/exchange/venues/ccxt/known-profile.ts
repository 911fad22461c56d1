import type { VenueProfile } from '#shared/exchange/account-venue';
import { credentialParts } from './credentials.ts';
import { exchangeIds } from './exchanges.ts';
import { ccxtProfiles } from './profiles.ts';

/** What an exchange supports for accounts, without loading it; undefined where it is unknown. */
export const knownProfile = (id: string): VenueProfile | undefined => {
  if (!Object.hasOwn(ccxtProfiles, id) || !exchangeIds().includes(id)) return undefined;
  const [name = id, credentials = '', supports = ''] = ccxtProfiles[id] ?? [];
  const parts = credentials.split(' ');
  const offered = supports.split(' ');
  return {
    id,
    name,
    credentials: credentialParts.filter((part) => parts.includes(part)),
    supports: {
      balances: offered.includes('balances'),
      positions: offered.includes('positions'),
      openOrders: offered.includes('openOrders'),
      closedOrders: offered.includes('closedOrders'),
      trades: offered.includes('trades'),
      transfers: offered.includes('transfers'),
    },
  };
};
