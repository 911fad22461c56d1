import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { accepted, created, noContent, ok } from '#functions/http/reply';
import { AccountRecords } from '#shared/accounts/account-records';
import { AccountRemoval } from '#shared/accounts/account-removal';
import { Accounts, type AccountVenuesKnown } from '#shared/accounts/accounts';
import { AccountVenues } from '#shared/exchange/account-venues';
import { VenueCatalog } from '#shared/exchange/venue-catalog';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './exchange.routes.ts';

export const createExchangeApi = (
  platform: Platform,
  venues: AccountVenuesKnown & Pick<AccountVenues, 'ids'> = new AccountVenues(platform),
) => {
  const accounts = new Accounts(platform, venues);
  const removal = new AccountRemoval(platform);
  const records = new AccountRecords(platform);
  const catalog = new VenueCatalog(platform.config, venues);
  return api(platform, [
    on(routes.createAccount, async ({ caller, body, origin }) =>
      created(await accounts.add(caller.userId, body, origin)),
    ),
    on(routes.updateAccount, async ({ caller, params, body, origin }) =>
      ok(await accounts.change(caller.userId, params.accountId, body, origin)),
    ),
    on(routes.deleteAccount, async ({ caller, params, origin }) => {
      await removal.remove(caller.userId, params.accountId, origin);
      return noContent();
    }),
    on(routes.syncAccount, async ({ caller, params: { accountId } }) => {
      await accounts.syncNow(caller.userId, accountId);
      return accepted({ accountId });
    }),
    on(routes.listAccounts, async ({ caller, page }) => page.of(await accounts.list(caller.userId, page.request))),
    on(routes.getBalance, async ({ caller, query: { accountId }, page }) =>
      page.of({ accountId, ...(await records.balances(caller.userId, accountId, page.request)) }),
    ),
    on(routes.listOrders, async ({ caller, query: { accountId, ...filter }, page }) =>
      page.of({ accountId, ...(await records.orders(caller.userId, accountId, { ...filter, ...page.request })) }),
    ),
    on(routes.listTrades, async ({ caller, query: { accountId, ...filter }, page }) =>
      page.of({ accountId, ...(await records.trades(caller.userId, accountId, { ...filter, ...page.request })) }),
    ),
    on(routes.listVenues, async ({ page }) => page.of(await catalog.list(page.request))),
  ]);
};

export const handler = onLambda(createExchangeApi);
