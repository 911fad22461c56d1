import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountVenue, OwnTrade, WalletType } from '#shared/exchange/account-venue';
import { VenueBudget } from '#shared/exchange/budget/venue-budget';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtAccount, createCcxtListing } from '#shared/exchange/venues/ccxt/account';
import { systemClock as clock } from '#shared/platform/system';
import { balancesOf } from '../support/memory-venue.ts';
import { testPlatform } from '../support/test-platform.ts';
import { orderOf, tradeOf, transferOf } from '../support/venues/account-fixtures.ts';
import type { BybitDouble } from '../support/venues/bybit.ts';
import { startBybit } from '../support/venues/bybit.ts';
import { bybitId } from '../support/venues/bybit-routes.ts';

const apiKey = 'XXXXXXXXXXbybitkey';
const secret = 'bybitsecretbybitsecretbybitsecret';
const dayMs = 24 * 60 * 60 * 1000;

describe('a unified account at Bybit', () => {
  let bybit: BybitDouble;
  let account: AccountVenue;
  let listing: ReturnType<typeof createCcxtListing>;

  const connect = (credentials = new Credentials({ apiKey, secret })) =>
    createCcxtAccount({
      id: 'bybit',
      credentials,
      network: { fetch },
      clock,
      originOverride: bybit.url,
      requestTimeoutMs: 2000,
      listing,
      budget: new VenueBudget({ ...testPlatform().platform, clock }, 'bybit', 'accounts'),
    });
  const failure = async (attempt: Promise<unknown>) => {
    const error: unknown = await attempt.then(
      () => 'nothing failed',
      (reason: unknown) => reason,
    );
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const hidden of [apiKey, secret, bybit.url]) expect(shown).not.toContain(hidden);
    return error;
  };
  /** Trades were read until 9 days ago: those of two years take some hundred requests. */
  const lately = () => `${Date.now() - 9 * dayMs}/${dayMs}`;
  const allTrades = async (cursor = lately()) => {
    const items: OwnTrade[] = [];
    for (let stretch = await account.trades(null, cursor); ; stretch = await account.trades(null, stretch.cursor)) {
      items.push(...stretch.items);
      if (!stretch.more) return { items, cursor: stretch.cursor };
    }
  };

  beforeAll(async () => {
    bybit = await startBybit();
    listing = createCcxtListing({ id: 'bybit', network: { fetch }, clock, originOverride: bybit.url });
    await listing();
    await bybit.close();
  });
  beforeEach(async () => {
    bybit = await startBybit();
    bybit.accounts.addKey({ apiKey, secret });
    account = await connect();
  });
  afterEach(() => bybit.close());

  it('tells what the unified account and the funding account hold', async () => {
    bybit.accounts.setBalance(apiKey, 'BTC', '0.3', '0.1');
    bybit.accounts.setBalance(apiKey, 'USDT', '10', '0.5', 'funding');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'BTC', free: '0.3', locked: '0.1', total: '0.4', debt: '0' },
      { wallet: 'funding', asset: 'USDT', free: '10', locked: '0.5', total: '10.5' },
    ]);
  });

  it.each([
    [['read'], { canTrade: false, canWithdraw: false }],
    [['read', 'trade'], { canTrade: true, canWithdraw: false }],
    [['read', 'trade', 'withdraw'], { canTrade: true, canWithdraw: true }],
  ] as const)('tells what a key may do that may %s', async (permissions, expected) => {
    bybit.accounts.addKey({ apiKey, secret, permissions });
    expect(await account.permissions()).toEqual(expected);
  });

  it('tells positions of contracts, whatever they settle in', async () => {
    const position = {
      side: 'long',
      size: '0.5',
      entryPrice: '64000.5',
      markPrice: '65000',
      liquidationPrice: '41000',
      leverage: '5',
      margin: '6400.05',
      unrealizedPnl: '499.75',
    } as const;
    bybit.accounts.setPositions(apiKey, [
      { ...position, symbol: 'BTC/USDT:USDT' },
      { ...position, symbol: 'ETH/USD:ETH', side: 'short' },
    ]);
    expect(await account.positions()).toMatchObject([
      {
        symbol: 'BTC/USDT:USDT',
        side: 'long',
        contracts: '0.5',
        contractSize: '1',
        entryPrice: '64000.5',
        markPrice: '65000',
        liquidationPrice: '41000',
        leverage: '5',
        collateral: '6400.05',
        unrealizedPnl: '499.75',
      },
      { symbol: 'ETH/USD:ETH', side: 'short' },
    ]);
  });

  it('tells open orders beyond one page, of spot and contracts', async () => {
    const numbers = Array.from({ length: 45 }, () => bybit.accounts.addOrder(apiKey, orderOf()));
    numbers.push(bybit.accounts.addOrder(apiKey, orderOf({ symbol: 'ETH/USDT:USDT' })));
    bybit.accounts.addOrder(apiKey, orderOf({ status: 'canceled' }));
    const { items: orders } = await account.openOrders([]);
    expect(orders.map(({ orderId }) => orderId).toSorted()).toEqual(numbers.map(bybitId).toSorted());
    expect(orders.at(-1)?.symbol).toBe('ETH/USDT:USDT');
  });

  it('tells orders that ended since', async () => {
    const now = Date.now();
    bybit.accounts.addOrder(apiKey, orderOf({ status: 'filled', filled: '0.5', at: now - 3 * dayMs }));
    bybit.accounts.addOrder(apiKey, orderOf({ status: 'canceled', updatedAt: now - 9 * dayMs }));
    const { items: orders } = await account.closedOrders([], now - dayMs);
    expect(orders).toMatchObject([{ status: 'filled', filled: '0.5', average: '70000', symbol: 'BTC/USDT' }]);
  });

  it('tells what the venue itself traded, and no funding', async () => {
    const symbol = 'BTC/USDT:USDT';
    const kinds = ['liquidation', 'deleveraging', 'settlement', 'funding'] as const;
    const numbers = kinds.map((kind) => bybit.accounts.addTrade(apiKey, tradeOf({ symbol, kind, feeAsset: 'USDT' })));
    const ids = new Set<string>();
    for (let [cursor, more]: [string | null, boolean] = [null, true]; more; ) {
      const page = await account.trades(null, cursor);
      for (const { tradeId } of page.items) ids.add(tradeId);
      ({ cursor, more } = page);
    }
    expect(ids).toEqual(new Set(numbers.slice(0, 3).map(bybitId)));
  });

  it('tells what is owed beside what is held', async () => {
    bybit.accounts.setBalance(apiKey, 'ETH', '1.5', '0', 'spot', '1');
    bybit.accounts.setBalance(apiKey, 'USDT', '0', '0', 'spot', '120.5');
    expect(balancesOf(await account.balances())).toMatchObject([
      { asset: 'ETH', free: '1.5', total: '1.5', debt: '1' },
      { asset: 'USDT', free: '0', total: '0', debt: '120.5' },
    ]);
  });

  it('keeps two deposits of one transaction that have no id', async () => {
    for (const address of ['one', 'two']) {
      bybit.accounts.addTransfer(
        apiKey,
        transferOf({ withoutId: true, txId: 'same', address, at: Date.now() - dayMs }),
      );
    }
    const read = async () =>
      (await account.transfers(Date.now() - 2 * dayMs)).items.map(({ transferId }) => transferId);
    const [first, second] = [await read(), await read()];
    expect([new Set(first).size, second]).toEqual([2, first]);
  });

  it('tells every trade of weeks once, of spot and contracts, however many lie close together', async () => {
    const now = Date.now();
    const numbers = [
      bybit.accounts.addTrade(apiKey, tradeOf({ at: now - 8 * dayMs })),
      ...Array.from({ length: 150 }, (_, index) =>
        bybit.accounts.addTrade(apiKey, tradeOf({ at: now - 2 * dayMs + index * 60_000 })),
      ),
      bybit.accounts.addTrade(apiKey, tradeOf({ symbol: 'BTC/USDT:USDT', feeAsset: 'USDT' })),
    ];
    const { items } = await allTrades();
    expect(items.map(({ tradeId }) => tradeId)).toEqual(numbers.map(bybitId));
    expect(items.at(-1)).toMatchObject({ symbol: 'BTC/USDT:USDT', fees: [{ asset: 'USDT', cost: '0.00000075' }] });
  });

  it('begins with the trades as far back as Bybit goes', async () => {
    const number = bybit.accounts.addTrade(apiKey, tradeOf({ at: Date.now() - 725 * dayMs }));
    const { items, more } = await account.trades(null, null);
    expect(items.map(({ tradeId }) => tradeId)).toEqual([bybitId(number)]);
    expect(more).toBe(true);
  });

  it('goes on with the trades after those that were told', async () => {
    const { cursor } = await allTrades();
    const number = bybit.accounts.addTrade(apiKey, tradeOf({ at: Date.now() - 5 }));
    expect((await allTrades(cursor)).items.map(({ tradeId }) => tradeId)).toEqual([bybitId(number)]);
  });

  it('tells deposits and withdrawals since a time, over several of the stretches that Bybit allows', async () => {
    const now = Date.now();
    for (let index = 0; index < 60; index++) {
      bybit.accounts.addTransfer(apiKey, transferOf({ at: now - 50 * dayMs + (index * dayMs) / 4 }));
    }
    bybit.accounts.addTransfer(apiKey, transferOf({ kind: 'withdrawal', fee: '1', status: 'failed' }));
    const { items: transfers } = await account.transfers(now - 90 * dayMs);
    expect(transfers).toHaveLength(61);
    expect(transfers.at(-1)).toMatchObject({ type: 'withdrawal', fee: { asset: 'USDT', cost: '1' }, status: 'failed' });
  });

  it.each([
    ['a wrong secret', { apiKey, secret: 'other' }],
    ['an unknown key', { apiKey: 'other', secret }],
  ])('tells %s', async (_, parts) => {
    account = await connect(new Credentials(parts));
    expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
  });

  it('tells a key that may not read', async () => {
    bybit.accounts.addKey({ apiKey, secret, permissions: ['trade'] });
    expect(await failure(account.balances())).toMatchObject({ failure: 'permission' });
  });

  it.each([-20_000, 20_000])('corrects a clock that is %i ms off', async (ms) => {
    bybit.skew(ms);
    expect((await account.openOrders([])).items).toEqual([]);
  });

  it('tells a limit', async () => {
    await bybit.close();
    bybit = await startBybit({ requestsPerSecond: 0 });
    bybit.accounts.addKey({ apiKey, secret });
    account = await connect();
    expect(await failure(account.balances())).toMatchObject({ failure: 'rate-limited' });
  });

  /** What one wallet holds; its error where it can't be read. */
  const held = async (wallet: WalletType) => {
    const reading = (await account.balances()).find((found) => found.wallet === wallet);
    if (reading?.status === 'failing') throw reading.error;
    return reading;
  };

  const reads: [string, string, () => Promise<unknown>][] = [
    ['balances', '/v5/account/wallet-balance', () => held('spot')],
    ['positions', '/v5/position/list', () => account.positions()],
    ['open orders', '/v5/order/realtime', () => account.openOrders([])],
    ['trades', '/v5/execution/list', () => account.trades(null, null)],
    ['transfers', '/v5/asset/deposit/query-record', () => account.transfers(Date.now() - dayMs)],
    ['permissions', '/v5/user/query-api', () => account.permissions()],
  ];

  it.each(reads)('tells no %s out of a malformed answer', async (_, path, read) => {
    bybit.malformed(1, path);
    expect(await failure(read())).toMatchObject({ failure: 'retryable' });
    bybit.fail({ status: 200, body: { retCode: 0, retMsg: 'OK', result: {} }, path });
    expect(await failure(read())).toMatchObject({ failure: 'retryable' });
  });
});
