import * as z from 'zod';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { Account, AccountId, AccountUpdate, NewAccount } from '#shared/accounts/account';
import { AccountBalance, AccountOrder, AccountTrade, OrderStatus, WalletStatus } from '#shared/accounts/records';
import { ExchangeVenue } from '#shared/exchange/exchange-venue';
import { MarketSymbol } from '#shared/model/symbols';

const params = z.strictObject({ accountId: AccountId });

/** A page of an account's records, with their age. */
const recordsOf = <T extends z.ZodType>(record: T) =>
  z.strictObject({
    accountId: z.string(),
    asOf: z
      .int()
      .nullable()
      .describe('When all records were last read from the venue; null: not yet, or not all of them'),
    stale: z.boolean().describe('The venue has not confirmed the records for too long'),
    items: z.array(record).describe('May be fewer than the limit, or none, before the last page'),
    nextCursor: z.string().nullable(),
  });

export const listAccounts = route({
  method: 'GET',
  path: '/api/exchange/accounts',
  scope: 'exchange:read',
  throttle: perMinute(1200),
  summary: "The caller's exchange accounts with the state of their sync, oldest first",
  query: z.strictObject(PageQuery),
  response: { 200: listOf(Account) },
});

export const createAccount = route({
  method: 'POST',
  path: '/api/exchange/accounts',
  scope: 'exchange:write',
  throttle: perMinute(60),
  confirmation: ['credentials'],
  summary: 'Connects an exchange account, or opens a paper account',
  body: NewAccount,
  response: { 201: Account },
  idempotent: true,
});

export const updateAccount = route({
  method: 'PUT',
  path: '/api/exchange/accounts/{accountId}',
  scope: 'exchange:write',
  throttle: perMinute(60),
  confirmation: ['credentials'],
  summary: 'Changes the label or schedule of an account, or replaces its key',
  params,
  body: AccountUpdate,
  response: { 200: Account },
});

export const deleteAccount = route({
  method: 'DELETE',
  path: '/api/exchange/accounts/{accountId}',
  scope: 'exchange:write',
  throttle: perMinute(60),
  summary: 'Deletes an account with its key and all synchronised records',
  params,
  response: { 204: null },
});

export const syncAccount = route({
  method: 'POST',
  path: '/api/exchange/accounts/{accountId}/sync',
  scope: 'exchange:write',
  throttle: perMinute(30),
  summary: 'Starts a sync of an account',
  params,
  response: { 202: z.strictObject({ accountId: z.string() }) },
});

export const getBalance = route({
  method: 'GET',
  path: '/api/exchange/balance',
  scope: 'exchange:read',
  throttle: perMinute(1200),
  summary: 'The balances of an account, with the state of each wallet',
  query: z.strictObject({ accountId: AccountId, ...PageQuery }),
  response: {
    200: recordsOf(AccountBalance).extend({
      complete: z.boolean().describe('Whether every wallet that the account has was read by the last sync'),
      wallets: z.array(WalletStatus).describe('The state of each wallet'),
    }),
  },
});

export const listOrders = route({
  method: 'GET',
  path: '/api/exchange/orders',
  scope: 'exchange:read',
  throttle: perMinute(120),
  summary: 'The orders of an account, newest first',
  query: z.strictObject({
    accountId: AccountId,
    symbol: MarketSymbol.exactOptional(),
    status: OrderStatus.exactOptional(),
    ...PageQuery,
  }),
  response: { 200: recordsOf(AccountOrder) },
});

export const listTrades = route({
  method: 'GET',
  path: '/api/exchange/trades',
  scope: 'exchange:read',
  throttle: perMinute(120),
  summary: 'The trades of an account, newest first',
  query: z.strictObject({ accountId: AccountId, symbol: MarketSymbol.exactOptional(), ...PageQuery }),
  response: { 200: recordsOf(AccountTrade) },
});

export const listVenues = route({
  method: 'GET',
  path: '/api/exchange/venues',
  scope: 'exchange:read',
  throttle: perMinute(300),
  summary: 'The venues, with what each supports and which parts its API keys have',
  query: z.strictObject(PageQuery),
  response: { 200: listOf(ExchangeVenue) },
});
