import * as z from 'zod';
import { listOf, PageQuery } from '#functions/http/page';
import { perMinute, route } from '#functions/http/route';
import { Account, AccountId, AccountUpdate, NewAccount } from '#shared/accounts/account';
import { AccountBalance, AccountOrder, AccountTrade, OrderStatus, WalletStatus } from '#shared/accounts/records';
import { MarketSymbol } from '#shared/model/symbols';

const params = z.strictObject({ accountId: AccountId });

/** A page of what is known of an account, with its age. */
const recordsOf = <T extends z.ZodType>(record: T) =>
  z.strictObject({
    accountId: z.string(),
    asOf: z.int().nullable().describe('When all of it was last read from the venue; null: not yet, or not all of it'),
    stale: z.boolean().describe('The venue has not confirmed it for too long'),
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
  summary: 'Connects an exchange account, or begins a paper account',
  body: NewAccount,
  response: { 201: Account },
  idempotent: true,
});

export const updateAccount = route({
  method: 'PUT',
  path: '/api/exchange/accounts/{accountId}',
  scope: 'exchange:write',
  throttle: perMinute(60),
  summary: 'Changes label and schedule of an account, or replaces its key',
  params,
  body: AccountUpdate,
  response: { 200: Account },
});

export const deleteAccount = route({
  method: 'DELETE',
  path: '/api/exchange/accounts/{accountId}',
  scope: 'exchange:write',
  throttle: perMinute(60),
  summary: 'Deletes an account with its key and everything that was synchronised',
  params,
  response: { 204: null },
});

export const syncAccount = route({
  method: 'POST',
  path: '/api/exchange/accounts/{accountId}/sync',
  scope: 'exchange:write',
  throttle: perMinute(30),
  summary: 'Has an account synchronised now',
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
  summary: 'The own trades of an account, newest first',
  query: z.strictObject({ accountId: AccountId, symbol: MarketSymbol.exactOptional(), ...PageQuery }),
  response: { 200: recordsOf(AccountTrade) },
});

const ExchangeVenue = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    credentials: z.array(z.enum(['apiKey', 'secret', 'password'])).describe('The parts that its keys have'),
    paper: z.boolean().describe('Whether paper accounts can be made: its prices are watched'),
    live: z.boolean().describe('Whether live accounts can be connected'),
    supports: z.strictObject({
      balances: z.boolean(),
      positions: z.boolean(),
      openOrders: z.boolean(),
      closedOrders: z.boolean(),
      trades: z.boolean(),
      transfers: z.boolean(),
    }),
  })
  .meta({ id: 'ExchangeVenue' });
export type ExchangeVenue = z.infer<typeof ExchangeVenue>;

export const listVenues = route({
  method: 'GET',
  path: '/api/exchange/venues',
  scope: 'exchange:read',
  throttle: perMinute(300),
  summary: 'What each venue supports, and what its keys consist of',
  query: z.strictObject(PageQuery),
  response: { 200: listOf(ExchangeVenue) },
});
