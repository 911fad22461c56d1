import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AccountVenue, type OwnTrade, orderName, type VenuePage } from '#shared/exchange/account-venue';
import { VenueBudget } from '#shared/exchange/budget/venue-budget';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtAccount, createCcxtListing } from '#shared/exchange/venues/ccxt/account';
import { testPlatform } from '../support/test-platform.ts';
import { orderOf, tradeOf } from '../support/venues/account-fixtures.ts';
import type { BinanceDouble } from '../support/venues/binance.ts';
import { startBinance } from '../support/venues/binance.ts';

const key = { apiKey: 'contractskey0123456789', secret: 'contractssecret0123456789' };
const dayMs = 24 * 60 * 60 * 1000;
const weekMs = 7 * dayMs;
const symbol = 'BTC/USDT:USDT';
const now = Date.UTC(2026, 5, 1);
const contractOrder = (order = {}) => orderOf({ symbol, at: now - 60_000, updatedAt: now - 60_000, ...order });
const contractTrade = (trade = {}) => tradeOf({ symbol, feeAsset: 'USDT', at: now - 60_000, ...trade });

describe('contracts in USD-M futures of Binance', () => {
  let binance: BinanceDouble;
  let account: AccountVenue;
  let listing: ReturnType<typeof createCcxtListing>;
  /** The venue's time as the client and the double have it. */
  let time = now;
  const clock = {
    now: () => time,
    // What has a signal only limits how long something else may take.
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (signal !== undefined)
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      time += ms;
    },
  };

  const connect = () =>
    createCcxtAccount({
      ...{ id: 'binance', credentials: new Credentials(key), network: { fetch }, clock, listing },
      originOverride: binance.url,
      budget: new VenueBudget({ ...testPlatform().platform, clock }, 'binance', 'accounts'),
    });
  const asked = (path: string) => binance.requests.filter((request) => request.path === path);

  beforeAll(async () => {
    binance = await startBinance({ now: () => time });
    const { url } = binance;
    listing = createCcxtListing({ id: 'binance', network: { fetch }, clock, originOverride: url });
    await listing();
    await binance.close();
  });
  beforeEach(async () => {
    time = now;
    binance = await startBinance({ now: () => time });
    binance.accounts.addKey({ ...key, permissions: ['read', 'futures'] });
    binance.accounts.setBalance(key.apiKey, 'USDT', '1000', '0', 'contract');
    account = await connect();
  });
  afterEach(() => binance.close());

  describe('orders', () => {
    it('that are open are told of all contracts, beside those of spot', async () => {
      binance.accounts.addOrder(key.apiKey, orderOf());
      const number = binance.accounts.addOrder(key.apiKey, contractOrder({ filled: '0.2', price: '70000.1' }));
      binance.accounts.addOrder(key.apiKey, contractOrder({ symbol: 'ETH/USDC:USDC-260925', side: 'buy' }));
      expect((await account.openOrders([])).items).toMatchObject([
        { symbol: 'BTC/USDT' },
        {
          ...{ orderId: String(number), clientOrderId: `own-${number}`, symbol, side: 'sell', type: 'limit' },
          ...{ status: 'open', amount: '0.5', filled: '0.2', price: '70000.1', average: '70000.1', reduceOnly: false },
        },
        { symbol: 'ETH/USDC:USDC-260925', side: 'buy', average: null, stopPrice: null },
      ]);
    });

    it('that wait for a price are open as well', async () => {
      const number = binance.accounts.addOrder(key.apiKey, contractOrder({ type: 'market', stopPrice: '60000' }));
      binance.accounts.addOrder(key.apiKey, contractOrder({ stopPrice: '60000', price: '59000' }));
      expect((await account.openOrders([])).items).toMatchObject([
        { orderId: `algo-${number}`, symbol, type: 'stop', stopPrice: '60000', price: null, reduceOnly: true },
        { symbol, type: 'stop_limit', stopPrice: '60000', price: '59000', amount: '0.5', status: 'open' },
      ]);
    });

    it('whose price was reached ended, and the order that they became tells of the fill', async () => {
      binance.accounts.addOrder(key.apiKey, contractOrder({ type: 'market', stopPrice: '60000', status: 'filled' }));
      binance.accounts.addOrder(key.apiKey, contractOrder({ type: 'market', status: 'filled', filled: '0.5' }));
      expect((await account.closedOrders([symbol], now - dayMs)).items).toMatchObject([
        { type: 'market', status: 'filled', filled: '0.5' },
        { type: 'stop', status: 'expired', filled: '0' },
      ]);
    });

    it('and those of spot with the same number are two', async () => {
      const answer = {
        orderId: 5,
        symbol: 'BTCUSDT',
        side: 'BUY',
        type: 'LIMIT',
        status: 'NEW',
        time: now,
        origQty: '1',
      };
      binance.fail({ status: 200, body: [answer], path: '/api/v3/openOrders' });
      binance.fail({ status: 200, body: [{ ...answer, positionSide: 'BOTH' }], path: '/fapi/v1/openOrders' });
      const { items: orders } = await account.openOrders([]);
      expect(orders.map(orderName)).toEqual(['BTC/USDT 5', 'BTC/USDT:USDT 5']);
    });

    it('that ended are told since a time, with one question each for orders and for those that waited', async () => {
      binance.accounts.addOrder(key.apiKey, contractOrder({ status: 'filled', filled: '0.5', at: now - 5 * dayMs }));
      binance.accounts.addOrder(key.apiKey, contractOrder({ status: 'canceled', updatedAt: now - 2 * dayMs }));
      binance.accounts.addOrder(key.apiKey, contractOrder());
      binance.accounts.addOrder(key.apiKey, contractOrder({ symbol: 'ETH/USDT:USDT', status: 'canceled' }));
      const { items: orders } = await account.closedOrders([symbol], now - dayMs / 2);
      expect(orders).toMatchObject([{ status: 'filled', filled: '0.5', createdAt: now - 5 * dayMs }]);
      expect([asked('/fapi/v1/allOrders').length, asked('/fapi/v1/allAlgoOrders').length]).toEqual([1, 1]);
    });

    it('that rested for long are told when it is asked back to when they were placed', async () => {
      binance.accounts.addOrder(key.apiKey, contractOrder({ status: 'filled', filled: '0.5', at: now - 60 * dayMs }));
      expect((await account.closedOrders([symbol], now - 60 * dayMs)).items).toHaveLength(1);
    });

    it('are each told once, also where more were placed than fit in an answer', async () => {
      for (let index = 0; index < 1700; index++) {
        binance.accounts.addOrder(key.apiKey, contractOrder({ status: 'canceled', at: now - dayMs + index * 1000 }));
      }
      const { items: orders } = await account.closedOrders([symbol], now - dayMs);
      expect([orders.length, new Set(orders.map(({ orderId }) => orderId)).size]).toEqual([1700, 1700]);
    });
  });

  describe('trades', () => {
    const readAll = async (cursor: string | null = null): Promise<{ items: OwnTrade[]; cursor: string }> => {
      const items: OwnTrade[] = [];
      let stretch: VenuePage<OwnTrade> = { items, rejected: [], cursor: cursor ?? '', more: true };
      for (let at = cursor; stretch.more; at = stretch.cursor) {
        stretch = await account.trades(symbol, at);
        items.push(...stretch.items);
      }
      return { items, cursor: stretch.cursor };
    };
    const ids = (trades: readonly OwnTrade[]) => trades.map(({ tradeId }) => Number(tradeId));

    it('are told with their fee and the order that they belong to', async () => {
      const at = now - 100 * dayMs;
      const number = binance.accounts.addTrade(
        key.apiKey,
        contractTrade({ at, fee: '0.026', side: 'sell', maker: true }),
      );
      binance.accounts.addTrade(key.apiKey, tradeOf());
      binance.accounts.addTrade(key.apiKey, contractTrade({ symbol: 'ETH/USDT:USDT' }));
      expect((await readAll()).items).toEqual([
        {
          ...{ tradeId: String(number), orderId: '77', symbol, side: 'sell', role: 'maker', at },
          ...{ price: '65000.1', amount: '0.001', cost: '65.0001', fees: [{ asset: 'USDT', cost: '0.026' }] },
        },
      ]);
    });

    it('at the edges of the weeks that Binance tells at once are told once each', async () => {
      const begin = now - 180 * dayMs;
      const edges = [0, weekMs - 2, weekMs - 1, weekMs, weekMs + 1, 2 * weekMs - 1, 2 * weekMs, 90 * dayMs];
      const numbers = [...edges, 180 * dayMs - 61_000, 180 * dayMs - 1].map((afterMs) =>
        binance.accounts.addTrade(key.apiKey, contractTrade({ at: begin + afterMs })),
      );
      expect(ids((await readAll()).items)).toEqual(numbers);
    });

    it.each([1000, 2500])('of one moment are told once each, be they %i', async (count) => {
      const numbers = Array.from({ length: count }, () =>
        binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - dayMs })),
      );
      numbers.push(binance.accounts.addTrade(key.apiKey, contractTrade()));
      expect(ids((await readAll()).items)).toEqual(numbers);
    });

    it('of one moment months ago are told once each, where Binance tells by id what is that old', async () => {
      await binance.close();
      binance = await startBinance({ now: () => time, idsReachBack: true });
      binance.accounts.addKey({ ...key, permissions: ['read', 'futures'] });
      account = await connect();
      const at = now - 100 * dayMs;
      const numbers = Array.from({ length: 2500 }, () => binance.accounts.addTrade(key.apiKey, contractTrade({ at })));
      numbers.push(binance.accounts.addTrade(key.apiKey, contractTrade({ at: at + 5 })));
      expect(ids((await readAll()).items)).toEqual(numbers);
    });

    it('that fill pages close together months ago are told once each', async () => {
      const numbers = Array.from({ length: 2300 }, (_, index) =>
        binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - 100 * dayMs + index * 60_000 })),
      );
      expect(ids((await readAll()).items)).toEqual(numbers);
    });

    it('are read on from the last one, by its id, with one question', async () => {
      binance.accounts.addTrade(key.apiKey, contractTrade());
      const { cursor } = await readAll();
      binance.forget();
      expect((await readAll(cursor)).items).toEqual([]);
      // Later trades are not left out for being told with an earlier time.
      const number = binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - dayMs }));
      expect(ids((await readAll(cursor)).items)).toEqual([number]);
      expect(asked('/fapi/v1/userTrades').map(({ query }) => query.startTime)).toEqual([undefined, undefined]);
    });

    it('that were made in a long pause are told, also those of before the last week', async () => {
      binance.accounts.addTrade(key.apiKey, contractTrade());
      const { cursor } = await readAll();
      time = now + 40 * dayMs;
      const numbers = [3, 20, 39].map((day) =>
        binance.accounts.addTrade(key.apiKey, contractTrade({ at: now + day * dayMs })),
      );
      expect(ids((await readAll(cursor)).items).slice(-3)).toEqual(numbers);
    });

    it('of a contract that is not there are none to ask for', async () => {
      await expect(account.trades('NONE/USDT:USDT', null)).rejects.toMatchObject({ failure: 'not-supported' });
    });
  });

  describe('that were traded', () => {
    const readAll = async (cursor: string | null = null): Promise<{ items: string[]; cursor: string }> => {
      const items: string[] = [];
      let at = cursor;
      for (let more = true; more; ) {
        const stretch: VenuePage<string> | undefined = await account.tradedSymbols?.(at);
        if (stretch === undefined) break;
        items.push(...stretch.items);
        ({ cursor: at, more } = stretch);
      }
      return { items, cursor: at ?? '' };
    };

    it('are told as far back as Binance tells, and then with one question', async () => {
      binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - 88 * dayMs, symbol: 'ETH/USDC:USDC' }));
      binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - 7 * dayMs }));
      binance.accounts.addTrade(key.apiKey, tradeOf({ symbol: 'SOL/USDT', at: now }));
      const { items, cursor } = await readAll();
      expect(items).toEqual(['ETH/USDC:USDC', symbol]);
      binance.forget();
      expect((await readAll(cursor)).items).toEqual([]);
      expect(asked('/fapi/v1/income')).toHaveLength(1);
    });

    it.each([2100])('are told behind %i trades of another one at the same moment', async (count) => {
      const at = now - 30 * dayMs;
      for (let trade = 0; trade < count; trade++) binance.accounts.addTrade(key.apiKey, contractTrade({ at }));
      binance.accounts.addTrade(key.apiKey, contractTrade({ at, symbol: 'ETH/USDT:USDT' }));
      expect(new Set((await readAll()).items)).toEqual(new Set([symbol, 'ETH/USDT:USDT']));
    });

    it('are told from the start to a key that is allowed to see them later', async () => {
      binance.accounts.addTrade(key.apiKey, contractTrade({ at: now - 30 * dayMs }));
      binance.accounts.addKey(key);
      const { items, cursor } = await readAll();
      const { cursor: tradeCursor } = await account.trades(symbol, null);
      binance.accounts.addKey({ ...key, permissions: ['read', 'futures'] });
      account = await connect();
      expect([items, (await readAll(cursor)).items]).toEqual([[], [symbol]]);
      expect((await account.trades(symbol, tradeCursor)).more).toBe(true);
    });
  });

  describe('to a key that sees no futures', () => {
    beforeEach(() => binance.accounts.addKey(key));

    it('are none, which costs one refusal for all that is asked', async () => {
      await account.balances();
      expect(await account.positions()).toEqual([]);
      expect((await account.openOrders([])).items).toEqual([]);
      expect((await account.closedOrders([symbol], 0)).items).toEqual([]);
      expect(await account.trades(symbol, null)).toMatchObject({ items: [], more: false });
      expect(await account.tradedSymbols?.(null)).toMatchObject({ items: [], more: false });
      const paths = binance.requests.map(({ path }) => path).filter((path) => /fapi|apiRestrictions/.test(path));
      expect(paths).toEqual(['/fapi/v3/account', '/sapi/v1/account/apiRestrictions']);
    });
  });

  it('of an empty wallet have no open orders to ask for', async () => {
    binance.accounts.setBalance(key.apiKey, 'USDT', '0', '0', 'contract');
    await account.balances();
    expect((await account.openOrders([])).items).toEqual([]);
    expect([asked('/fapi/v1/openOrders').length, asked('/fapi/v1/openAlgoOrders').length]).toEqual([0, 0]);
  });

  const reads: [string, string, () => Promise<unknown>][] = [
    ['open orders', '/fapi/v1/openOrders', () => account.openOrders([])],
    ['open orders that wait for a price', '/fapi/v1/openAlgoOrders', () => account.openOrders([])],
    ['ended orders', '/fapi/v1/allOrders', () => account.closedOrders([symbol], now)],
    ['ended orders that waited for a price', '/fapi/v1/allAlgoOrders', () => account.closedOrders([symbol], now)],
    ['trades', '/fapi/v1/userTrades', () => account.trades(symbol, null)],
    ['traded contracts', '/fapi/v1/income', async () => account.tradedSymbols?.(null)],
  ];

  it.each(reads)('have no %s out of an answer of another shape', async (_, path, read) => {
    binance.fail({ status: 200, body: {}, path });
    await expect(read()).rejects.toMatchObject({ failure: 'retryable' });
  });

  it.each(reads.filter(([name]) => name !== 'traded contracts'))(
    'set a row of %s aside that says nothing',
    async (_, path, read) => {
      binance.fail({ status: 200, body: [{}], path });
      expect(await read()).toMatchObject({ items: [], rejected: [{ id: null }] });
    },
  );

  it('are not known to be traded by a row without a time', async () => {
    binance.fail({ status: 200, body: [{}], path: '/fapi/v1/income' });
    await expect(account.tradedSymbols?.(null)).rejects.toMatchObject({ failure: 'retryable' });
  });
});
