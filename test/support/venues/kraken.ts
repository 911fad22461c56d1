/** Kraken's Spot REST API on a loopback port, as far as ccxt's `kraken` uses it, with faults on demand. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { permissionsOf, privateRoutes } from './kraken-account-routes.ts';
import type { KrakenListing } from './kraken-market.ts';
import { defaultKrakenListings, krakenPair } from './kraken-market.ts';
import type { KrakenAnswer } from './kraken-routes.ts';
import { publicRoutes, refused } from './kraken-routes.ts';
import type { VenueAccount } from './venue-accounts.ts';
import { VenueAccounts } from './venue-accounts.ts';
import type { VenueAnswer, VenueRequest, VenueServer } from './venue-server.ts';
import { startVenueServer } from './venue-server.ts';

export interface KrakenOptions {
  readonly listings?: readonly KrakenListing[];
  /** What the call counter of a key may reach; 15 as in the tier `Starter` when left out. */
  readonly counterMax?: number;
  /** What the call counter goes down by, each second. */
  readonly counterDecay?: number;
  readonly port?: number;
  /** Kraken's time, epoch ms; that of the machine when left out. */
  readonly now?: () => number;
}

export interface KrakenDouble extends VenueServer {
  /** Keys, and what they give access to. Secrets are base64. */
  readonly accounts: VenueAccounts;
  setPrice(symbol: string, price: string): void;
  /** Takes a symbol off the exchange, as a delisting does. */
  delist(symbol: string): void;
  /** While on, every request is refused as during system maintenance. */
  maintenance(on: boolean): void;
}

export const startKraken = async (options: KrakenOptions = {}): Promise<KrakenDouble> => {
  const { listings = defaultKrakenListings, counterMax = 15, counterDecay = 0.33, port = 0, now = Date.now } = options;
  const pairs = new Map(listings.map(krakenPair).map((pair) => [pair.id, pair]));
  const accounts = new VenueAccounts();
  const counters = new Map<string, { readonly at: number; readonly calls: number }>();
  const nonces = new Map<string, bigint>();
  let inMaintenance = false;

  const isTooOften = (apiKey: string, counts: number, at: number): boolean => {
    const last = counters.get(apiKey) ?? { at, calls: 0 };
    const calls = Math.max(last.calls - ((at - last.at) / 1000) * counterDecay, 0) + counts;
    counters.set(apiKey, { at, calls });
    return calls > counterMax;
  };

  /** A nonce is used up by a request that was signed with it, whatever else is wrong. */
  const isNewNonce = (apiKey: string, nonce: bigint): boolean => {
    const isNew = nonce > (nonces.get(apiKey) ?? -1n);
    if (isNew) nonces.set(apiKey, nonce);
    return isNew;
  };

  const answerTo = (request: VenueRequest): KrakenAnswer => {
    if (inMaintenance) return refused('EService:Unavailable');
    const { path, query, method, at } = request;
    const exchange = { pairs, now: at };
    const publicRoute = publicRoutes[path];
    if (publicRoute !== undefined) return publicRoute(exchange, query);
    const privateRoute = privateRoutes[path];
    if (privateRoute === undefined || method !== 'POST') return refused('EGeneral:Unknown method');
    const account = signer(accounts, request);
    if ('error' in account) return account;
    const { apiKey } = account.key;
    const parameters = new URLSearchParams(request.body);
    if (!isNewNonce(apiKey, BigInt(parameters.get('nonce') ?? 0))) return refused('EAPI:Invalid nonce');
    if (isTooOften(apiKey, privateRoute.counts, at)) return refused('EAPI:Rate limit exceeded');
    const { needs } = privateRoute;
    const granted = permissionsOf(account);
    if (needs !== undefined && !needs.some((permission) => granted.includes(permission))) {
      return refused('EGeneral:Permission denied');
    }
    return privateRoute.answer(exchange, account, parameters);
  };

  const answer = (request: VenueRequest): VenueAnswer => ({ body: answerTo(request) });
  const pairNamed = (symbol: string) => {
    const pair = [...pairs.values()].find((listed) => listed.symbol === symbol);
    if (pair === undefined) throw new Error(`${symbol} is not listed`);
    return pair;
  };
  const setPrice = (symbol: string, price: string): void => {
    const pair = pairNamed(symbol);
    pair.last = price;
    if (Number(price) > Number(pair.high)) pair.high = price;
    if (Number(price) < Number(pair.low)) pair.low = price;
  };
  const malformedBody = '{"error":[],"result":{"XXBT';
  const server = await startVenueServer({ port, now, answer, malformedBody, setPrice });
  return {
    ...server,
    accounts,
    setPrice,
    delist: (symbol) => void pairs.delete(pairNamed(symbol).id),
    maintenance: (on) => {
      inMaintenance = on;
    },
  };
};

/** @returns the account whose key signed the request; the refusal otherwise */
const signer = (accounts: VenueAccounts, { path, headers, body }: VenueRequest): VenueAccount | KrakenAnswer => {
  const account = accounts.find(String(headers['api-key'] ?? ''));
  if (account === undefined) return refused('EAPI:Invalid key');
  const nonce = new URLSearchParams(body).get('nonce') ?? '';
  const expected = createHmac('sha512', Buffer.from(account.key.secret, 'base64'))
    .update(path)
    .update(createHash('sha256').update(`${nonce}${body}`).digest())
    .digest();
  const sent = Buffer.from(String(headers['api-sign'] ?? ''), 'base64');
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) return refused('EAPI:Invalid signature');
  return /^\d{1,20}$/.test(nonce) ? account : refused('EAPI:Invalid nonce');
};
