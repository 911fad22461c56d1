import type { VenueProfile } from '#shared/exchange/account-venue';
import { accountRules } from './account-rules.ts';
import { credentialParts, neededCredentials, takesKeys } from './credentials.ts';
import { exchangeIds, importExchange } from './exchanges.ts';

/**
 * What an exchange of ccxt supports for accounts, without a request to it. This loads the exchange; `profiles.ts` has what is
 * known without loading it.
 * @returns undefined where there is no such exchange, or its accounts need other credentials than a key
 */
export const readProfile = async (id: string): Promise<VenueProfile | undefined> => {
  if (!exchangeIds().includes(id)) return undefined;
  const exchange = new (await importExchange(id))({});
  if (!takesKeys(exchange)) return undefined;
  const offers = (...names: readonly string[]) => names.some((name) => Boolean(exchange.has[name]));
  const needed = neededCredentials(exchange);
  return {
    id,
    name: exchange.name ?? id,
    credentials: credentialParts.filter((part) => needed.includes(part)),
    supports: {
      balances: offers('fetchBalance'),
      positions: accountRules(id).contracts !== undefined || accountRules(id).positions !== undefined,
      openOrders: offers('fetchOpenOrders'),
      closedOrders: offers('fetchCanceledAndClosedOrders', 'fetchClosedOrders', 'fetchOrders'),
      trades: offers('fetchMyTrades'),
      transfers: offers('fetchDeposits') && offers('fetchWithdrawals'),
    },
  };
};

/** A profile as `profiles.ts` holds it. */
export const profileRow = ({ name, credentials, supports }: VenueProfile): [string, string, string] => [
  name,
  credentials.join(' '),
  Object.entries(supports)
    .flatMap(([part, isSupported]) => (isSupported ? [part] : []))
    .join(' '),
];
