import type { Exchange } from 'ccxt';
import {
  type AccountVenue,
  type ContractPosition,
  type OwnTrade,
  orderName,
  type Transfer,
  type VenueList,
  type VenueOrder,
  type VenuePage,
} from '#shared/exchange/account-venue';
import type { Credentials } from '#shared/exchange/credentials';
import { VenueError } from '#shared/exchange/errors';
import { toPosition, toTransfers } from './account-mapping.ts';
import { readEndedOrders, readOpenOrders } from './account-orders.ts';
import type { AccountRules } from './account-rules.ts';
import { accountRules } from './account-rules.ts';
import { readTrades } from './account-trades.ts';
import { readWallets } from './account-wallets.ts';
import type { CcxtClientOptions } from './client.ts';
import { createCcxtClient } from './client.ts';
import { neededCredentials, takesKeys } from './credentials.ts';
import { optionalList } from './optional-list.ts';
import { concatenated } from './rows.ts';
import { namedMarket } from './unlisted.ts';
import { readAll, wholeList } from './windows.ts';

export interface CcxtAccountOptions extends Omit<CcxtClientOptions, 'credentials' | 'marketTypes' | 'hasShape'> {
  readonly credentials: Credentials;
  /** Gives a client that knows the markets, so that many accounts share one list; by default each loads its own. */
  readonly listing?: () => Promise<Exchange>;
}

/**
 * Reads the markets of a venue once, for all the accounts that are opened there. A failed read is retried.
 * @returns the `listing` for {@link createCcxtAccount}
 */
export const createCcxtListing = (options: Omit<CcxtAccountOptions, 'credentials' | 'listing'>) => {
  const { marketTypes } = accountRules(options.id);
  let listing: Promise<Exchange> | undefined;
  return (): Promise<Exchange> => {
    listing ??= (async () => {
      const client = await createCcxtClient({ ...options, marketTypes });
      client.exchange.has.fetchCurrencies = false;
      await client.run((exchange) => exchange.loadMarkets());
      return client.exchange;
    })().catch((error: unknown) => {
      listing = undefined;
      throw error;
    });
    return listing;
  };
};

/**
 * An account at a live exchange, through ccxt. No request is made before the first call.
 * @throws {VenueError} `not-supported`: ccxt has no such exchange, or it needs other credentials than a key and a secret
 */
export const createCcxtAccount = async (options: CcxtAccountOptions): Promise<AccountVenue> => {
  const { id, clock, credentials, listing = createCcxtListing(options) } = options;
  const rules = accountRules(id);
  const client = await createCcxtClient({ ...options, marketTypes: rules.marketTypes, hasShape: shapeOf(rules) });
  const { exchange } = client;
  refuseOtherCredentials(exchange, credentials);
  rules.prepare?.(exchange);

  const loadMarkets = async (): Promise<void> => {
    if (exchange.markets !== undefined) return;
    const source = await listing();
    exchange.setMarketsFromExchange(source);
  };
  const run = async <T>(operation: () => Promise<T>): Promise<T> => {
    await loadMarkets();
    return client.run(operation);
  };
  const needs = (capability: string) => {
    if (!exchange.has[capability]) throw new VenueError(id, 'not-supported', `${id} does not offer this`);
  };
  const types = rules.contracts === undefined ? [{}] : [{ type: 'spot' }, ...rules.contracts];
  const endedTypes = rules.orderParameters ?? types;
  const needsSymbols = symbolRequired(exchange);
  const { ownContracts } = rules;
  const isOwn = (symbol: string | null | undefined): symbol is string =>
    typeof symbol === 'string' && ownContracts?.has(symbol) === true;

  return {
    id,
    needsSymbols,

    permissions: () =>
      client.run(async () => (await rules.permissions?.(exchange)) ?? { canTrade: true, canWithdraw: null }),

    balances: async () => {
      needs('fetchBalance');
      await loadMarkets();
      return readWallets(client, rules, () => clock.now());
    },

    positions: () =>
      run(async () => {
        if (rules.positions !== undefined) return rules.positions(exchange);
        if (rules.contracts === undefined) throw new VenueError(id, 'not-supported', `${id} does not offer this`);
        const found: ContractPosition[] = [];
        for (const parameters of rules.contracts) {
          const natives = await exchange.fetchPositions(undefined, { ...parameters });
          found.push(...natives.flatMap((native) => toPosition(native) ?? []));
        }
        return found;
      }),

    openOrders: (symbols) =>
      run(async () => {
        needs('fetchOpenOrders');
        const bySymbol = needsSymbols && rules.isOpenOrdersListWhole !== true;
        const found: VenueList<VenueOrder>[] = [];
        for (const symbol of bySymbol ? symbols : [undefined]) {
          for (const parameters of types) found.push(await readOpenOrders(exchange, symbol, parameters));
          for (const parameters of rules.openOrderKinds ?? []) {
            const list = await optionalList(true, () => readOpenOrders(exchange, symbol, parameters));
            if (list !== undefined) found.push(list);
          }
        }
        if (ownContracts !== undefined) found.push(await ownContracts.openOrders(exchange));
        const { items, rejected } = concatenated(found);
        return { items: unique(items, orderName), rejected };
      }),

    closedOrders: (symbols, since) =>
      run(async () => {
        const found: VenueList<VenueOrder>[] = [];
        for (const symbol of needsSymbols ? symbols : [undefined]) {
          if (ownContracts !== undefined && isOwn(symbol)) {
            found.push(await ownContracts.endedOrders(exchange, symbol, since, clock.now()));
            continue;
          }
          for (const [index, parameters] of endedTypes.entries()) {
            const read = () => readEndedOrders(exchange, rules, symbol, parameters, since, clock.now());
            const list = await optionalList(index > 0 && rules.orderParameters !== undefined, read);
            if (list !== undefined) found.push(list);
          }
        }
        const { items, rejected } = concatenated(found);
        const ended = unique(items, orderName).filter((order) => order.status !== 'open' && endedAt(order) >= since);
        return { items: ended.sort((a, b) => endedAt(a) - endedAt(b)), rejected };
      }),

    trades: (symbol, cursor): Promise<VenuePage<OwnTrade>> =>
      run(() => {
        needs('fetchMyTrades');
        if (ownContracts !== undefined && isOwn(symbol)) {
          return ownContracts.trades(exchange, symbol, cursor, clock.now());
        }
        return readTrades(exchange, rules, symbol ?? undefined, cursor, clock.now());
      }),

    ...(ownContracts === undefined
      ? {}
      : { tradedSymbols: (cursor) => run(() => ownContracts.traded(exchange, cursor, clock.now())) }),

    marketSymbols: (names) =>
      run(
        async () =>
          new Map(
            names.flatMap((name): [string, string][] => {
              const { symbol } = namedMarket(exchange, name);
              return symbol === name ? [] : [[name, symbol]];
            }),
          ),
      ),

    transfers: (since) =>
      run(async () => {
        const found: VenueList<Transfer>[] = [];
        const range = { from: since, to: clock.now() };
        for (const [capability, read] of [
          ['fetchDeposits', exchange.fetchDeposits.bind(exchange)],
          ['fetchWithdrawals', exchange.fetchWithdrawals.bind(exchange)],
        ] as const) {
          needs(capability);
          const limits = rules.transfers ?? wholeList;
          const natives = await readAll(range, limits, async ({ from, to }) => {
            const { pageEntries } = limits;
            const named = rules.transferParameters?.(from, to, pageEntries);
            const entries =
              rules.transfers === undefined
                ? await read(undefined, from)
                : named === undefined
                  ? await read(undefined, from, pageEntries, { until: to })
                  : await read(undefined, undefined, undefined, { ...named });
            return { entries, filled: entries.length / limits.pageEntries };
          });
          found.push(toTransfers(id, natives));
        }
        const { items, rejected } = concatenated(found);
        const recent = unique(
          items.filter((transfer) => transfer.at >= since),
          ({ type, transferId }) => `${type} ${transferId}`,
        );
        return { items: recent.sort((a, b) => a.at - b.at), rejected };
      }),
  };
};

const shapeOf =
  ({ shapes = {} }: AccountRules) =>
  (path: string, answer: unknown): boolean =>
    Object.entries(shapes).every(([end, hasShape]) => !path.endsWith(end) || hasShape(answer));

const refuseOtherCredentials = (exchange: Exchange, credentials: Credentials): void => {
  if (!takesKeys(exchange)) {
    throw new VenueError(exchange.id, 'not-supported', `${exchange.id} needs other credentials than keys`);
  }
  const parts = new Map(Object.entries(credentials.reveal()));
  const missing = neededCredentials(exchange).filter((name) => !parts.get(name));
  if (missing.length === 0) return;
  throw new VenueError(
    exchange.id,
    'authentication',
    `${exchange.id} needs the ${missing.join(', ')} of the key as well`,
  );
};

/** What ccxt knows about a venue's list of the user's trades. */
const symbolRequired = (exchange: Exchange): boolean => exchange.features?.spot?.fetchMyTrades?.symbolRequired === true;

const endedAt = ({ updatedAt, createdAt }: VenueOrder): number => updatedAt ?? createdAt;

const unique = <T>(entries: readonly T[], idOf: (entry: T) => string): T[] => [
  ...new Map(entries.map((entry) => [idOf(entry), entry])).values(),
];
