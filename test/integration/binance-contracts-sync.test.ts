import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountAtDouble } from '../support/account-at-double.ts';
import { owner } from '../support/account-system.ts';
import { healthySyncState, storedRecords, syncStateOf } from '../support/account-world.ts';
import { type TestPlatform, testPlatform } from '../support/test-platform.ts';
import { orderOf, tradeOf } from '../support/venues/account-fixtures.ts';
import type { BinanceDouble } from '../support/venues/binance.ts';
import { startBinance } from '../support/venues/binance.ts';

const key = { apiKey: 'contractskey'.padEnd(64, '0'), secret: 'contractssecret'.padEnd(64, '0') };
const { apiKey } = key;
const minuteMs = 60_000;
const dayMs = 24 * 60 * 60 * 1000;
const symbol = 'BTC/USDT:USDT';
const position = (size: string, entryPrice = '65000') => ({
  ...{ symbol, side: 'long' as const, size, entryPrice, markPrice: '65100', liquidationPrice: '41000' },
  ...{ leverage: '5', margin: '6400', unrealizedPnl: '50' },
});

describe('an account with contracts at Binance', () => {
  let system: TestPlatform;
  let binance: BinanceDouble;
  let account: Awaited<ReturnType<typeof accountAtDouble>>;

  beforeEach(async () => {
    system = testPlatform({ market: { venues: ['sim'] } });
    binance = await startBinance({ now: () => system.clock.now() });
    binance.accounts.addKey({ ...key, permissions: ['read', 'trade', 'futures'] });
    account = await accountAtDouble(system, 'binance', binance.url, key);
  });
  afterEach(() => binance.close());

  const now = () => system.clock.now();
  /** A sync at the next full minute. */
  const sync = async () => {
    await system.clock.advance(minuteMs - (now() % minuteMs));
    await account.book.syncNow(owner, account.accountId);
    await account.through((await account.work())?.ended);
  };
  const stored = async (kind: string) =>
    (await storedRecords(system.store, owner, account.accountId)).filter((record) => record.startsWith(kind));
  const order = (more = {}) => orderOf({ symbol, at: now(), updatedAt: now(), ...more });
  const trade = (more = {}) => tradeOf({ symbol, feeAsset: 'USDT', at: now(), ...more });

  it('has its orders and trades told, whether a position, an open order or only its wallet tells of the contract', async () => {
    binance.accounts.setPositions(apiKey, [position('0.5')]);
    binance.accounts.setBalance(apiKey, 'USDT', '900', '100', 'contract');
    binance.accounts.addTrade(apiKey, trade({ at: now() - 120 * dayMs, price: '60000' }));
    binance.accounts.addOrder(apiKey, order({ symbol: 'ETH/USDT:USDT', price: '3000' }));
    binance.accounts.addTrade(apiKey, trade({ symbol: 'ETH/USDT:USDT', at: now() - 110 * dayMs, price: '2900' }));
    binance.accounts.addTrade(apiKey, trade({ symbol: 'SOL/USDC:USDC', at: now() - 20 * dayMs, price: '150' }));
    binance.accounts.addOrder(
      apiKey,
      order({ symbol: 'SOL/USDC:USDC', price: '150', status: 'filled', filled: '0.5', at: now() - dayMs }),
    );
    await sync();
    await sync();
    expect(await stored('order')).toEqual([
      'order ETH/USDT:USDT 3000 = open 0',
      'order SOL/USDC:USDC 150 = filled 0.5',
    ]);
    expect((await stored('trade')).map((record) => record.split(' = ')[0])).toEqual([
      'trade BTC/USDT:USDT 60000',
      'trade ETH/USDT:USDT 2900',
      'trade SOL/USDC:USDC 150',
    ]);
    expect(await syncStateOf(system.store, owner, account.accountId)).toEqual(healthySyncState);
  });

  it('has the fill of a contract order told with the next sync, however long it rested', async () => {
    binance.accounts.setBalance(apiKey, 'USDT', '900', '100', 'contract');
    const number = binance.accounts.addOrder(apiKey, order({ at: now() - 40 * dayMs, price: '64000' }));
    await sync();
    expect(await stored('order')).toEqual(['order BTC/USDT:USDT 64000 = open 0']);
    binance.accounts.changeOrder(apiKey, number, { status: 'filled', filled: '0.5', updatedAt: now() });
    const at = now();
    binance.accounts.addTrade(apiKey, trade({ orderId: String(number), price: '64000', amount: '0.5', at }));
    await sync();
    expect(await stored('order')).toEqual(['order BTC/USDT:USDT 64000 = filled 0.5']);
    expect(await stored('trade')).toEqual([`trade BTC/USDT:USDT 64000 = 0.5 ${at}`]);
  });

  it('has a trade told with the next sync that only the position shows', async () => {
    binance.accounts.setBalance(apiKey, 'USDT', '900', '100', 'contract');
    binance.accounts.setPositions(apiKey, [position('0.5')]);
    await sync();
    binance.accounts.setPositions(apiKey, [position('0.6', '65010')]);
    binance.accounts.addTrade(apiKey, trade({ price: '65100', amount: '0.1' }));
    await sync();
    expect(await stored('trade')).toHaveLength(1);
  });

  it('has an order that was canceled without a fill, which Binance soon does not tell any more, unknown', async () => {
    binance.accounts.setBalance(apiKey, 'USDT', '900', '100', 'contract');
    const number = binance.accounts.addOrder(apiKey, order({ at: now() - 10 * dayMs, price: '64000' }));
    await sync();
    binance.accounts.changeOrder(apiKey, number, { status: 'canceled', updatedAt: now() });
    await sync();
    expect(await stored('order')).toEqual(['order BTC/USDT:USDT 64000 = unknown 0']);
  });

  describe('in twenty quiet minutes', () => {
    /** What futures are asked in that time: how often each path. */
    const quiet = async () => {
      for (let count = 0; count < 15; count++) await sync();
      binance.forget();
      for (let count = 0; count < 20; count++) await sync();
      const asked = new Map<string, number>();
      for (const { path } of binance.requests) {
        if (/fapi|apiRestrictions/.test(path)) asked.set(path, (asked.get(path) ?? 0) + 1);
      }
      return Object.fromEntries(asked);
    };

    it('asks one question that is refused, where its key sees no futures', async () => {
      binance.accounts.addKey(key);
      expect(await quiet()).toEqual({ '/fapi/v3/account': 20, '/sapi/v1/account/apiRestrictions': 20 });
    });

    it('asks no more than every ten minutes, where nothing lies there', async () => {
      expect(await quiet()).toEqual({ '/fapi/v3/account': 20, '/fapi/v3/positionRisk': 20, '/fapi/v1/income': 2 });
    });

    it('asks for what is open with each sync and for the rest every ten minutes, where there are positions', async () => {
      binance.accounts.setBalance(apiKey, 'USDT', '900', '100', 'contract');
      binance.accounts.setPositions(apiKey, [position('0.5')]);
      binance.accounts.addTrade(apiKey, trade({ symbol: 'ETH/USDT:USDT', at: now() - 20 * dayMs }));
      expect(await quiet()).toEqual({
        ...{ '/fapi/v3/account': 20, '/fapi/v3/positionRisk': 20 },
        ...{ '/fapi/v1/openOrders': 20, '/fapi/v1/openAlgoOrders': 20, '/fapi/v1/income': 2 },
        ...{ '/fapi/v1/allOrders': 4, '/fapi/v1/allAlgoOrders': 4, '/fapi/v1/userTrades': 4 },
      });
    });
  });
});
