import { accepted, api, created, noContent, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import { AccountRecords, type RecordsPage } from '#shared/accounts/account-records';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts, type AccountVenuesKnown } from '#shared/accounts/accounts';
import { AccountVenues } from '#shared/exchange/account-venues';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './exchange.routes.ts';

/** Venues of our own, which have paper accounts alone. */
const paperVenues: Readonly<Record<string, string>> = { sim: 'Simulator', replay: 'Recorded candles' };
const nothing = {
  ...{ balances: false, positions: false, openOrders: false },
  ...{ closedOrders: false, trades: false, transfers: false },
};

export const createExchangeApi = (
  platform: Platform,
  venues: AccountVenuesKnown & Pick<AccountVenues, 'ids'> = new AccountVenues(platform),
) => {
  const accounts = new Accounts(platform, venues);
  const removal = new AccountRemoval(platform);
  const records = new AccountRecords(platform);
  const { config } = platform;

  const described = async (id: string): Promise<routes.ExchangeVenue[]> => {
    const paper = config.venues.includes(id);
    const own = paperVenues[id];
    if (own !== undefined) return [{ id, name: own, credentials: [], paper, live: false, supports: nothing }];
    const profile = await venues.profile(id);
    if (profile === undefined) return [];
    const { name, credentials, supports } = profile;
    return [{ id, name, credentials: [...credentials], paper, live: supports.balances, supports }];
  };

  return api(platform, [
    on(routes.createAccount, async ({ caller, body, ...request }) =>
      created(await accounts.add(caller.userId, body, originOf({ ...request, caller }))),
    ),
    on(routes.updateAccount, async ({ caller, params: { accountId }, body, ...request }) =>
      ok(await accounts.change(caller.userId, accountId, body, originOf({ ...request, caller }))),
    ),
    on(routes.deleteAccount, async ({ caller, params: { accountId }, ...request }) => {
      await removal.remove(caller.userId, accountId, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.syncAccount, async ({ caller, params: { accountId } }) => {
      await accounts.syncNow(caller.userId, accountId);
      return accepted({ accountId });
    }),
    on(routes.listAccounts, async ({ caller, query: { limit, cursor } }) => {
      const list = `accounts ${caller.userId}`;
      const page = await accounts.list(caller.userId, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.getBalance, async ({ caller: { userId }, query: { accountId, limit, cursor } }) => {
      const list = `balance ${userId} ${accountId}`;
      const page = { limit, ...openCursor(list, cursor) };
      const { complete, wallets, ...found } = await records.balances(userId, accountId, page);
      return ok({ ...answered(list, accountId, found), complete, wallets: [...wallets] });
    }),
    on(routes.listOrders, async ({ caller: { userId }, query: { accountId, limit, cursor, ...filter } }) => {
      const list = `orders ${userId} ${accountId} ${filter.status ?? ''} ${filter.symbol ?? ''}`;
      const page = { ...filter, limit, ...openCursor(list, cursor) };
      return ok(answered(list, accountId, await records.orders(userId, accountId, page)));
    }),
    on(routes.listTrades, async ({ caller: { userId }, query: { accountId, limit, cursor, ...filter } }) => {
      const list = `trades ${userId} ${accountId} ${filter.symbol ?? ''}`;
      const page = { ...filter, limit, ...openCursor(list, cursor) };
      return ok(answered(list, accountId, await records.trades(userId, accountId, page)));
    }),
    on(routes.listVenues, async ({ query: { limit, cursor } }) => {
      const after = openCursor('venues', cursor).cursor ?? '';
      const own = config.venues.filter((id) => paperVenues[id] !== undefined);
      const ids = [...own, ...(await venues.ids())].toSorted().filter((id) => id > after);
      const page = ids.slice(0, limit);
      const items = (await Promise.all(page.map(described))).flat();
      return ok(pageOf('venues', items, ids.length > limit ? page.at(-1) : undefined));
    }),
  ]);
};

const answered = <T>(list: string, accountId: string, { items, cursor, asOf, stale }: RecordsPage<T>) => ({
  ...{ accountId, asOf, stale },
  ...pageOf(list, items, cursor),
});

export const handler = onLambda(createExchangeApi);
