/** What the endpoints of USD-M futures of the Binance double have in common. */
import type { Answer, Exchange, SignedRoute } from './binance-routes.ts';
import { refusal } from './binance-routes.ts';
import type { VenueAccount } from './venue-accounts.ts';

/** A key sees futures only when it was allowed to, which takes an account there. */
export const onlyFutures =
  (route: SignedRoute): SignedRoute =>
  (exchange, owner, query) =>
    owner.key.permissions.includes('futures')
      ? route(exchange, owner, query)
      : refusal(-2015, 'Invalid API-key, IP, or permissions for action, request ip: 203.0.113.9', 401);

/** `BTC/USDT:USDT-261225` is `BTCUSDT_261225` there. */
export const contractId = (symbol: string): string => {
  const [pair = '', settlement = ''] = symbol.split(':');
  const expiry = settlement.split('-')[1];
  return pair.replace('/', '') + (expiry === undefined ? '' : `_${expiry}`);
};

export const isContract = ({ symbol }: { readonly symbol: string }): boolean => symbol.includes(':');

/** The contract that a request names: one of a pair that is listed, or one that the account knows of. */
export const contractNamed = ({ pairs }: Exchange, owner: VenueAccount, query: URLSearchParams): string | Answer => {
  const id = query.get('symbol');
  if (!id) return refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  const own = [...owner.trades, ...owner.orders].filter(isContract).some(({ symbol }) => contractId(symbol) === id);
  return own || pairs.has(id.split('_')[0] ?? '') ? id : refusal(-1121, 'Invalid symbol.');
};
