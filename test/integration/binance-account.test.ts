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
import type { BinanceDouble } from '../support/venues/binance.ts';
import { startBinance } from '../support/venues/binance.ts';

const apiKey = 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A';
const secret = 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j';
const dayMs = 24 * 60 * 60 * 1000;

describe('an account at Binance', () => {
  let binance: BinanceDouble;
  let account: AccountVenue;
  let listing: ReturnType<typeof createCcxtListing>;
  const logged: unknown[] = [];

  const connect = (credentials = new Credentials({ apiKey, secret }), requestTimeoutMs = 2000) =>
    createCcxtAccount({
      id: 'binance',
      credentials,
      network: { fetch },
      clock,
      originOverride: binance.url,
      requestTimeoutMs,
      listing,
      // Room enough: the pace that ccxt keeps by itself would have tests wait.
      budget: new VenueBudget({ ...testPlatform().platform, clock }, 'binance', 'accounts'),
      logger: { warn: (...line) => void logged.push(line) },
    });
  const failure = async (attempt: Promise<unknown>) => {
    const error: unknown = await attempt.then(
      () => 'nothing failed',
      (reason: unknown) => reason,
    );
    const shown = inspect([error, logged], { depth: 9, showHidden: true }) + JSON.stringify(error);
    for (const hidden of [apiKey, secret, 'signature', binance.url]) expect(shown).not.toContain(hidden);
    return error;
  };
  const paths = () => binance.requests.map(({ path }) => path);

  beforeAll(async () => {
    binance = await startBinance();
    const { url } = binance;
    listing = createCcxtListing({ id: 'binance', network: { fetch }, clock, originOverride: url });
    await listing();
    await binance.close();
  });
  beforeEach(async () => {
    binance = await startBinance();
    binance.accounts.addKey({ apiKey, secret });
    account = await connect();
    logged.length = 0;
  });
  afterEach(() => binance.close());

  it('asks nothing before the first call, and then nothing about the markets', async () => {
    expect(paths()).toEqual([]);
    binance.accounts.addKey({ apiKey, secret, permissions: ['read', 'futures'] });
    await account.openOrders([]);
    expect(paths()).toEqual(['/api/v3/openOrders', '/fapi/v1/openOrders', '/fapi/v1/openAlgoOrders']);
  });

  it('tells what every wallet holds, to the last digit', async () => {
    binance.accounts.setBalance(apiKey, 'BTC', '0.00000001', '123456789.12345678');
    binance.accounts.setBalance(apiKey, 'USDT', '0.1', '0.2');
    binance.accounts.setBalance(apiKey, 'USDT', '10', '0.5', 'funding');
    binance.accounts.setBalance(apiKey, 'ETH', '2', '0', 'margin');
    binance.accounts.setBalance(apiKey, 'BNB', '1.1', '2.2', 'earn');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'BTC', free: '0.00000001', locked: '123456789.12345678', total: '123456789.12345679' },
      { wallet: 'spot', asset: 'USDT', free: '0.1', locked: '0.2', total: '0.3', venueTime: expect.any(Number) },
      { wallet: 'funding', asset: 'USDT', free: '10', locked: '0.5', total: '10.5', debt: '0' },
      { wallet: 'margin', asset: 'ETH', free: '2', locked: '0', total: '2' },
      { wallet: 'earn', asset: 'BNB', free: '1.1', locked: '2.2', total: '3.3' },
    ]);
  });

  it('tells what is owed on margin beside what is held', async () => {
    binance.accounts.setBalance(apiKey, 'ETH', '2', '0.5', 'margin', '1.25');
    binance.accounts.setBalance(apiKey, 'USDT', '0', '0', 'margin', '100');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'margin', asset: 'ETH', free: '2', locked: '0.5', total: '2.5', debt: '1.25' },
      { wallet: 'margin', asset: 'USDT', free: '0', total: '0', debt: '100' },
    ]);
  });

  it('reads all wallets by six requests', async () => {
    binance.accounts.addKey({ apiKey, secret, permissions: ['read', 'futures'] });
    binance.accounts.setBalance(apiKey, 'BTC', '1', '0', 'earn');
    await account.balances();
    binance.forget();
    await account.balances();
    expect(paths()).toHaveLength(6);
  });

  it('tells what lies in futures, without the profit of open positions', async () => {
    binance.accounts.addKey({ apiKey, secret, permissions: ['read', 'futures'] });
    binance.accounts.setBalance(apiKey, 'USDT', '100.5', '20', 'contract');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'contract', asset: 'USDT', free: '100.5', locked: '20', total: '120.5', debt: '0' },
    ]);
  });

  it('tells what lies elsewhere to a key that sees no futures', async () => {
    binance.accounts.setBalance(apiKey, 'BTC', '1');
    binance.accounts.setBalance(apiKey, 'USDT', '100', '0', 'contract');
    expect(balancesOf(await account.balances())).toMatchObject([{ wallet: 'spot', asset: 'BTC' }]);
  });

  it.each([
    [['read'], { canTrade: false, canWithdraw: false }],
    [['read', 'trade'], { canTrade: true, canWithdraw: false }],
    [['read', 'trade', 'withdraw'], { canTrade: true, canWithdraw: true }],
  ] as const)('tells what a key may do that may %s', async (permissions, expected) => {
    binance.accounts.addKey({ apiKey, secret, permissions });
    expect(await account.permissions()).toEqual(expected);
  });

  it('tells open orders of all symbols', async () => {
    const number = binance.accounts.addOrder(apiKey, orderOf({ filled: '0.2', price: '70000.10' }));
    binance.accounts.addOrder(apiKey, orderOf({ symbol: 'ETH/BTC', side: 'buy' }));
    binance.accounts.addOrder(apiKey, orderOf({ status: 'canceled' }));
    const { items: orders } = await account.openOrders([]);
    expect(orders).toMatchObject([
      { orderId: String(number), symbol: 'BTC/USDT', side: 'sell', price: '70000.1', amount: '0.5', filled: '0.2' },
      { symbol: 'ETH/BTC', side: 'buy', type: 'limit', status: 'open', average: null, stopPrice: null },
    ]);
    expect(paths().filter((path) => path.startsWith('/api/'))).toEqual(['/api/v3/openOrders']);
  });

  it('tells orders that ended since, also those that were placed long before', async () => {
    const now = Date.now();
    binance.accounts.addOrder(apiKey, orderOf({ status: 'filled', filled: '0.5', at: now - 90 * dayMs }));
    binance.accounts.addOrder(apiKey, orderOf({ status: 'canceled', updatedAt: now - 3 * dayMs }));
    binance.accounts.addOrder(apiKey, orderOf());
    const { items: orders } = await account.closedOrders(['BTC/USDT', 'ETH/USDT'], now - dayMs);
    expect(orders).toMatchObject([{ status: 'filled', average: '70000', createdAt: now - 90 * dayMs }]);
  });

  it('tells every one of more ended orders than fit in an answer', async () => {
    const at = Date.now() - dayMs;
    for (let index = 0; index < 2300; index++) {
      binance.accounts.addOrder(apiKey, orderOf({ status: 'canceled', at: at + index, updatedAt: at + index }));
    }
    const { items: orders } = await account.closedOrders(['BTC/USDT'], at);
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(2300);
    expect(orders).toHaveLength(2300);
  });

  const allTrades = async (cursor: string | null = null) => {
    const items: OwnTrade[] = [];
    let stretch = await account.trades('BTC/USDT', cursor);
    items.push(...stretch.items);
    while (stretch.more) {
      stretch = await account.trades('BTC/USDT', stretch.cursor);
      items.push(...stretch.items);
    }
    return { items, cursor: stretch.cursor };
  };

  it('tells a trade with its fee in another currency', async () => {
    const at = Date.now() - 400 * dayMs;
    const number = binance.accounts.addTrade(apiKey, tradeOf({ at, maker: true }));
    expect((await allTrades()).items).toEqual([
      {
        tradeId: String(number),
        orderId: '77',
        symbol: 'BTC/USDT',
        side: 'buy',
        role: 'maker',
        price: '65000.1',
        amount: '0.001',
        cost: '65.0001',
        fees: [{ asset: 'BNB', cost: '0.00000075' }],
        at,
      },
    ]);
  });

  it.each([999, 1000, 1001, 2000])('tells each of %i trades once, many of them at the same time', async (count) => {
    const at = Date.now() - dayMs;
    const numbers = Array.from({ length: count }, (_, index) =>
      String(binance.accounts.addTrade(apiKey, tradeOf({ at: at + Math.floor(index / 700) }))),
    );
    const { items } = await allTrades();
    expect(items.map(({ tradeId }) => tradeId)).toEqual(numbers);
  });

  it('goes on with the trades after those that were told', async () => {
    binance.accounts.addTrade(apiKey, tradeOf());
    const { cursor } = await allTrades();
    expect((await allTrades(cursor)).items).toEqual([]);
    const number = binance.accounts.addTrade(apiKey, tradeOf());
    expect((await allTrades(cursor)).items.map(({ tradeId }) => tradeId)).toEqual([String(number)]);
  });

  it('tells deposits and withdrawals since a time, over several of the stretches that Binance allows', async () => {
    const now = Date.now();
    binance.accounts.addTransfer(apiKey, transferOf({ at: now - 400 * dayMs }));
    binance.accounts.addTransfer(apiKey, transferOf({ at: now - 200 * dayMs }));
    binance.accounts.addTransfer(
      apiKey,
      transferOf({ kind: 'withdrawal', amount: '5', fee: '0.25', status: 'pending', txId: '' }),
    );
    expect((await account.transfers(now - 300 * dayMs)).items).toMatchObject([
      { type: 'deposit', asset: 'USDT', amount: '1234.56789', status: 'ok', fee: null, at: now - 200 * dayMs },
      { type: 'withdrawal', amount: '5', fee: { asset: 'USDT', cost: '0.25' }, status: 'pending', txId: null },
    ]);
  });

  it('tells positions in futures, and none to a key that sees no futures', async () => {
    const position = {
      symbol: 'BTC/USDT:USDT',
      side: 'long',
      size: '0.5',
      entryPrice: '64000.5',
      leverage: '5',
    } as const;
    const prices = { markPrice: '65000', liquidationPrice: '41000', margin: '6400.05', unrealizedPnl: '499.75' };
    binance.accounts.setPositions(apiKey, [{ ...position, ...prices }]);
    expect(await account.positions()).toEqual([]);
    binance.accounts.addKey({ apiKey, secret, permissions: ['read', 'futures'] });
    account = await connect();
    expect(await account.positions()).toMatchObject([{ symbol: 'BTC/USDT:USDT', side: 'long', contracts: '0.5' }]);
  });

  describe('when Binance refuses', () => {
    it('tells a wrong secret', async () => {
      account = await connect(new Credentials({ apiKey, secret: `${secret.slice(1)}x` }));
      expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
    });

    it.each(['unknownkey', 'not a key'])('tells the key %j', async (wrong) => {
      account = await connect(new Credentials({ apiKey: wrong, secret }));
      expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
    });

    it('tells a key that was revoked after it worked, and does not take it for a limit', async () => {
      await account.openOrders([]);
      binance.accounts.removeKey(apiKey);
      expect(await failure(account.openOrders([]))).toMatchObject({ failure: 'authentication' });
    });

    it('does not take a key that ends meanwhile for one without futures', async () => {
      binance.accounts.addKey({ apiKey, secret, permissions: ['read', 'futures'] });
      const ended = { status: 401, body: { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' } };
      binance.fail({ ...ended, path: '/fapi/v3/account' });
      binance.fail({ ...ended, path: '/sapi/v1/account/apiRestrictions' });
      expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
    });

    it('tells a key that may not read', async () => {
      binance.accounts.addKey({ apiKey, secret, permissions: ['trade'] });
      expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
    });

    it.each([-20_000, 20_000])('corrects a clock that is %i ms off, once', async (ms) => {
      binance.skew(ms);
      binance.accounts.setBalance(apiKey, 'BTC', '1');
      expect(balancesOf(await account.balances())).toHaveLength(1);
      await account.openOrders([]);
      expect(paths().filter((path) => path === '/api/v3/time')).toHaveLength(1);
    });

    it('gives up when correcting the clock does not help', async () => {
      const body = { code: -1021, msg: 'Timestamp for this request is outside of the recvWindow.' };
      binance.fail({ status: 400, body, times: 9, path: '/api/v3/openOrders' });
      expect(await failure(account.openOrders([]))).toMatchObject({ failure: 'retryable' });
      expect(paths()).toEqual(['/api/v3/openOrders', '/api/v3/time', '/api/v3/openOrders']);
    });

    it('does not repeat a key that Binance repeats', async () => {
      const body = { code: -2015, msg: `Invalid API-key ${apiKey.slice(0, 12)}` };
      account = await connect(new Credentials({ apiKey: apiKey.slice(0, 12), secret }));
      binance.fail({ status: 401, body });
      const error = await failure(account.openOrders([]));
      expect(String(error)).not.toContain(apiKey.slice(0, 12));
    });
  });

  describe('when Binance fails', () => {
    it('tells a limit with the time to come back', async () => {
      binance.fail({ status: 429, headers: { 'retry-after': '7' }, body: { code: -1003, msg: 'Too many.' } });
      expect(await failure(account.balances())).toMatchObject({
        failure: 'rate-limited',
        retryAfterMs: expect.closeTo(7000, -3),
      });
    });

    it('tells maintenance', async () => {
      binance.maintenance(true);
      expect(await failure(account.balances())).toMatchObject({ failure: 'maintenance' });
    });

    it('tells a cut connection as passing', async () => {
      binance.drop(2);
      expect(await failure(account.openOrders([]))).toMatchObject({ failure: 'retryable' });
    });

    it('ends within its timeout', async () => {
      account = await connect(new Credentials({ apiKey, secret }), 50);
      binance.hang();
      expect(await failure(account.openOrders([]))).toMatchObject({ failure: 'retryable' });
    });

    it('waits for a slow answer', async () => {
      binance.slow(50);
      expect((await account.openOrders([])).items).toEqual([]);
    });

    /** What one wallet holds; its error where it can't be read. */
    const held = async (wallet: WalletType) => {
      const reading = (await account.balances()).find((found) => found.wallet === wallet);
      if (reading?.status === 'failing') throw reading.error;
      return reading;
    };

    const reads: [string, string, () => Promise<unknown>][] = [
      ['balances', '/api/v3/account', () => held('spot')],
      ['what lies in funding', '/sapi/v1/asset/get-funding-asset', () => held('funding')],
      ['what lies in margin', '/sapi/v1/margin/account', () => held('margin')],
      ['what lies in earn', '/sapi/v1/simple-earn/flexible/position', () => held('earn')],
      ['what lies in futures', '/fapi/v3/account', () => held('contract')],
      ['open orders', '/api/v3/openOrders', () => account.openOrders([])],
      ['ended orders', '/api/v3/allOrders', () => account.closedOrders(['BTC/USDT'], 0)],
      ['trades', '/api/v3/myTrades', () => account.trades('BTC/USDT', null)],
      ['deposits', '/sapi/v1/capital/deposit/hisrec', () => account.transfers(Date.now() - dayMs)],
      ['withdrawals', '/sapi/v1/capital/withdraw/history', () => account.transfers(Date.now() - dayMs)],
      ['permissions', '/sapi/v1/account/apiRestrictions', () => account.permissions()],
    ];

    it.each(reads)('tells no %s out of broken JSON', async (_, path, read) => {
      binance.malformed(1, path);
      expect(await failure(read())).toMatchObject({ failure: 'retryable' });
    });

    it.each(reads)('tells no %s out of an answer of another shape', async (_, path, read) => {
      binance.fail({ status: 200, body: {}, path });
      expect(await failure(read())).toMatchObject({ failure: 'retryable' });
    });

    it.each([
      ['a balance that is no number', '/api/v3/account', { balances: [{ asset: 'BTC', free: 'soon', locked: '0' }] }],
      ['a balance without an amount', '/api/v3/account', { balances: [{ asset: 'BTC' }] }],
    ])('tells nothing out of an answer with %s', async (_, path, body) => {
      binance.fail({ status: 200, body, path });
      expect(await failure(held('spot'))).toMatchObject({ failure: 'retryable' });
    });

    it('sets an order without a time aside, and reads the others', async () => {
      const number = binance.accounts.addOrder(apiKey, orderOf({}));
      const [sound] = (await account.openOrders([])).items;
      const odd = { symbol: 'BTCUSDT', orderId: 1, side: 'BUY' };
      const row = {
        ...odd,
        orderId: number,
        price: '1',
        origQty: '1',
        executedQty: '0',
        status: 'NEW',
        time: Date.now(),
      };
      binance.fail({ status: 200, body: [odd, row], path: '/api/v3/openOrders' });
      expect(await account.openOrders([])).toMatchObject({
        items: [{ orderId: sound?.orderId }],
        rejected: [{ list: 'open-orders', id: '1', reason: 'malformed order time' }],
      });
    });
  });
});
