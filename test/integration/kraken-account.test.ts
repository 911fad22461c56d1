import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountVenue, OwnTrade } from '#shared/exchange/account-venue';
import { Credentials } from '#shared/exchange/credentials';
import { createCcxtAccount, createCcxtListing } from '#shared/exchange/venues/ccxt/account';
import { readEndedOrders } from '#shared/exchange/venues/ccxt/account-orders';
import { accountRules } from '#shared/exchange/venues/ccxt/account-rules';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { systemClock as clock } from '#shared/platform/system';
import { balancesOf } from '../support/memory-venue.ts';
import { orderOf, tradeOf, transferOf } from '../support/venues/account-fixtures.ts';
import type { KrakenDouble } from '../support/venues/kraken.ts';
import { startKraken } from '../support/venues/kraken.ts';
import { krakenId } from '../support/venues/kraken-account-routes.ts';

const apiKey = 'kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==';
const secret = 'kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==';
const dayMs = 24 * 60 * 60 * 1000;

describe('an account at Kraken', () => {
  let kraken: KrakenDouble;
  let account: AccountVenue;
  let listing: ReturnType<typeof createCcxtListing>;

  const connect = (credentials = new Credentials({ apiKey, secret })) =>
    createCcxtAccount({
      id: 'kraken',
      credentials,
      network: { fetch },
      clock,
      originOverride: kraken.url,
      requestTimeoutMs: 2000,
      listing,
    });
  const failure = async (attempt: Promise<unknown>) => {
    const error: unknown = await attempt.then(
      () => 'nothing failed',
      (reason: unknown) => reason,
    );
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const hidden of [apiKey, secret, kraken.url]) expect(shown).not.toContain(hidden);
    return error;
  };
  /** A client that makes no pauses between its requests. */
  const unhurried = async ({ now = clock.now, beforeRequest = () => {} }) => {
    const client = await createCcxtClient({
      id: 'kraken',
      credentials: new Credentials({ apiKey, secret }),
      network: {
        fetch: (...request) => {
          beforeRequest();
          return fetch(...request);
        },
      },
      clock: { ...clock, now },
      originOverride: kraken.url,
    });
    client.exchange.enableRateLimit = false;
    client.exchange.setMarketsFromExchange(await listing());
    return client;
  };
  const paths = () => kraken.requests.map(({ path }) => path);
  const restart = async (options: Parameters<typeof startKraken>[0]) => {
    await kraken.close();
    kraken = await startKraken(options);
    kraken.accounts.addKey({ apiKey, secret });
    account = await connect();
  };

  beforeAll(async () => {
    kraken = await startKraken();
    listing = createCcxtListing({ id: 'kraken', network: { fetch }, clock, originOverride: kraken.url });
    await listing();
    await kraken.close();
  });
  beforeEach(async () => {
    kraken = await startKraken();
    kraken.accounts.addKey({ apiKey, secret });
    account = await connect();
  });
  afterEach(() => kraken.close());

  it('tells what the spot wallet holds, by the names that the world has for assets', async () => {
    kraken.accounts.setBalance(apiKey, 'BTC', '0.3', '0.1');
    kraken.accounts.setBalance(apiKey, 'USD', '10.5');
    kraken.accounts.setBalance(apiKey, 'SOL', '2');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'BTC', free: '0.3', locked: '0.1', total: '0.4', debt: '0' },
      { wallet: 'spot', asset: 'USD', free: '10.5', locked: '0', total: '10.5' },
      { wallet: 'spot', asset: 'SOL', total: '2' },
    ]);
    expect(paths()).toEqual(['/0/private/BalanceEx']);
  });

  it('adds up what lies in several products of Kraken under the asset that it is', async () => {
    kraken.accounts.setBalance(apiKey, 'BTC', '1');
    kraken.accounts.setBalance(apiKey, 'BTC', '0.25', '0', 'earn');
    kraken.accounts.setBalance(apiKey, 'DOT', '0.5', '7', 'earn');
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'BTC', total: '1' },
      { wallet: 'earn', asset: 'BTC', total: '0.25' },
      { wallet: 'earn', asset: 'DOT', total: '7.5' },
    ]);
  });

  it.each([
    [['read'], { canTrade: false, canWithdraw: false }],
    [['read', 'trade'], { canTrade: true, canWithdraw: false }],
    [['withdraw'], { canTrade: false, canWithdraw: true }],
    [['read', 'trade', 'withdraw'], { canTrade: true, canWithdraw: true }],
  ] as const)('tells what a key may do that may %s', async (permissions, expected) => {
    kraken.accounts.addKey({ apiKey, secret, permissions });
    expect(await account.permissions()).toEqual(expected);
  });

  it('tells open orders of all symbols with one request', async () => {
    const number = kraken.accounts.addOrder(apiKey, orderOf({ symbol: 'BTC/USD', filled: '0.2' }));
    kraken.accounts.addOrder(apiKey, orderOf({ symbol: 'SOL/USD', side: 'buy' }));
    kraken.accounts.addOrder(apiKey, orderOf({ symbol: 'SOL/USD', status: 'canceled' }));
    expect((await account.openOrders([])).items).toMatchObject([
      {
        orderId: krakenId('O', number),
        clientOrderId: `own-${number}`,
        symbol: 'BTC/USD',
        side: 'sell',
        type: 'limit',
        status: 'open',
        price: '70000',
        stopPrice: null,
        amount: '0.5',
        filled: '0.2',
        average: '70000',
      },
      { symbol: 'SOL/USD', side: 'buy', filled: '0', average: null },
    ]);
    expect(paths()).toEqual(['/0/private/OpenOrders']);
  });

  it('tells stop orders as such', async () => {
    const stop = { symbol: 'BTC/USD', stopPrice: '60000', price: '59900' } as const;
    kraken.accounts.addOrder(apiKey, orderOf({ ...stop, type: 'market' }));
    kraken.accounts.addOrder(apiKey, orderOf({ ...stop, type: 'limit' }));
    expect((await account.openOrders([])).items).toMatchObject([
      { type: 'stop', stopPrice: '60000', price: null },
      { type: 'stop_limit', stopPrice: '60000', price: '59900' },
    ]);
  });

  it('tells orders that ended since, also those that were placed long before', async () => {
    const now = Date.now();
    const order = orderOf({ symbol: 'ETH/BTC', status: 'filled', filled: '0.5', at: now - 90 * dayMs });
    kraken.accounts.addOrder(apiKey, order);
    kraken.accounts.addOrder(apiKey, orderOf({ status: 'canceled', updatedAt: now - 3 * dayMs }));
    kraken.accounts.addOrder(apiKey, orderOf());
    expect((await account.closedOrders([], now - dayMs)).items).toMatchObject([
      { symbol: 'ETH/BTC', status: 'filled', average: '70000', createdAt: order.at, updatedAt: order.updatedAt },
    ]);
  });

  it('tells every one of more ended orders than fit in an answer, while others end', async () => {
    const client = await unhurried({
      beforeRequest: () =>
        void kraken.accounts.addOrder(apiKey, orderOf({ status: 'canceled', updatedAt: Date.now() })),
    });
    const at = Date.now() - dayMs;
    const numbers = Array.from({ length: 130 }, (_, index) =>
      kraken.accounts.addOrder(apiKey, orderOf({ status: 'canceled', updatedAt: at + index * 10 })),
    );
    const { items: orders } = await client.run((exchange) =>
      readEndedOrders(exchange, accountRules('kraken'), undefined, {}, at, Date.now()),
    );
    expect(orders.map(({ orderId }) => orderId)).toEqual(
      expect.arrayContaining(numbers.map((number) => krakenId('O', number))),
    );
    expect(paths()).toHaveLength(3);
  });

  it('tells trades and orders of a market that was delisted', async () => {
    const symbol = 'SOL/USD';
    kraken.accounts.addTrade(apiKey, tradeOf({ symbol, fee: '0.26', at: Date.now() - dayMs }));
    kraken.accounts.addOrder(apiKey, orderOf({ symbol, status: 'canceled' }));
    kraken.delist(symbol);
    listing = createCcxtListing({ id: 'kraken', network: { fetch }, clock, originOverride: kraken.url });
    account = await connect();
    expect((await account.trades(null, null)).items).toMatchObject([
      { symbol, fees: [{ asset: 'USD', cost: '0.26' }] },
    ]);
    expect((await account.closedOrders([], Date.now() - dayMs)).items).toMatchObject([{ symbol }]);
  });

  it('tells a trade with its fee', async () => {
    const at = Date.now() - 2000 * dayMs;
    const number = kraken.accounts.addTrade(apiKey, tradeOf({ symbol: 'BTC/USD', fee: '0.17', at, maker: true }));
    expect(await account.trades(null, null)).toMatchObject({
      items: [
        {
          tradeId: krakenId('T', number),
          orderId: krakenId('O', '77'),
          symbol: 'BTC/USD',
          side: 'buy',
          role: 'maker',
          price: '65000.1',
          amount: '0.001',
          cost: '65.0001',
          fees: [{ asset: 'USD', cost: '0.17' }],
          at,
        },
      ],
      more: false,
    });
  });

  describe('with many trades', () => {
    const addTrades = (count: number, at: (index: number) => number) =>
      Array.from({ length: count }, (_, index) =>
        krakenId('T', kraken.accounts.addTrade(apiKey, tradeOf({ symbol: 'BTC/USD', at: at(index) }))),
      );
    /** Each page through a client of its own, as after a restart: ccxt would pause between those of one client. */
    const allTrades = async (cursor: string | null = null, between = () => {}) => {
      const items: OwnTrade[] = [];
      for (let from = cursor; ; between()) {
        const stretch = await (await connect()).trades(null, from);
        items.push(...stretch.items);
        from = stretch.cursor;
        if (!stretch.more) return { items, cursor: from };
      }
    };
    const idsOf = (items: readonly OwnTrade[]) => items.map(({ tradeId }) => tradeId);

    beforeEach(() => restart({ counterMax: 1000 }));

    it.each([49, 50, 51, 100, 230])('tells each of %i once, oldest first, all at the same time', async (count) => {
      const at = Date.now() - dayMs;
      const numbers = addTrades(count, () => at);
      expect(idsOf((await allTrades()).items)).toEqual(numbers);
    });

    it('leaves nothing out while others are made', async () => {
      const numbers = addTrades(180, (index) => Date.now() - dayMs + index * 1000);
      const added: string[] = [];
      const { items, cursor } = await allTrades(null, () => {
        added.push(...addTrades(7, () => Date.now()));
      });
      expect(idsOf(items).slice(0, 180)).toEqual(numbers);
      expect(new Set(idsOf(items)).size).toBe(items.length);
      expect(idsOf([...items, ...(await allTrades(cursor)).items])).toEqual(expect.arrayContaining(added));
    });

    it('leaves nothing out when one turns up late', async () => {
      const at = Date.now() - dayMs;
      const numbers = addTrades(180, (index) => at + index * 1000);
      let late: string[] = [];
      const { items } = await allTrades(null, () => {
        if (late.length === 0) late = addTrades(1, () => at + 175_500);
      });
      expect(new Set(idsOf(items))).toEqual(new Set([...numbers, ...late]));
    });

    it('goes on after those that were told', async () => {
      addTrades(1, () => Date.now() - dayMs);
      const { cursor } = await allTrades();
      expect((await allTrades(cursor)).items).toEqual([]);
      const [number] = addTrades(1, () => Date.now() - 2000);
      expect(idsOf((await allTrades(cursor)).items)).toEqual([number]);
    });

    it('tells those of one symbol', async () => {
      addTrades(3, () => Date.now() - dayMs);
      const number = kraken.accounts.addTrade(apiKey, tradeOf({ symbol: 'ETH/USDT' }));
      const { items } = await account.trades('ETH/USDT', null);
      expect(idsOf(items)).toEqual([krakenId('T', number)]);
    });
  });

  it('says that it does not know a cursor of another venue', async () => {
    expect(await failure(account.trades(null, '1700000000000/86400000'))).toMatchObject({ failure: 'unknown' });
  });

  it('tells deposits and withdrawals since a time', async () => {
    const now = Date.now();
    kraken.accounts.addTransfer(apiKey, transferOf({ at: now - 400 * dayMs }));
    kraken.accounts.addTransfer(apiKey, transferOf({ asset: 'BTC', amount: '0.5', at: now - 200 * dayMs }));
    kraken.accounts.addTransfer(
      apiKey,
      transferOf({ kind: 'withdrawal', amount: '5', fee: '0.25', status: 'pending' }),
    );
    expect((await account.transfers(now - 300 * dayMs)).items).toMatchObject([
      { type: 'deposit', asset: 'BTC', amount: '0.5', status: 'ok', fee: null },
      { type: 'withdrawal', asset: 'USDT', amount: '5', fee: { asset: 'USDT', cost: '0.25' }, status: 'pending' },
    ]);
  });

  it('tells positions on margin, the parts that several orders opened together', async () => {
    const part = { symbol: 'BTC/USD', side: 'long', liquidationPrice: '0', leverage: '2' } as const;
    kraken.accounts.setPositions(apiKey, [
      { ...part, size: '0.1', entryPrice: '60000', markPrice: '65000', margin: '3000', unrealizedPnl: '500' },
      { ...part, size: '0.3', entryPrice: '64000', markPrice: '65000', margin: '9600', unrealizedPnl: '300' },
      {
        ...{ ...part, symbol: 'ETH/USDT', side: 'short', size: '2', entryPrice: '3000', markPrice: '3100' },
        ...{ margin: '3000', unrealizedPnl: '-200' },
      },
    ]);
    expect(await account.positions()).toEqual([
      {
        ...{ symbol: 'BTC/USD', side: 'long', marginMode: 'cross', contracts: '0.4', contractSize: '1' },
        ...{ entryPrice: '63000', markPrice: '65000', collateral: '12600', unrealizedPnl: '800' },
        ...{ liquidationPrice: null, leverage: null, venueTime: null },
      },
      expect.objectContaining({ symbol: 'ETH/USDT', side: 'short', contracts: '2', unrealizedPnl: '-200' }),
    ]);
  });

  it.each([
    ['a side', { type: 'hold' }],
    ['an amount', { vol: 'much' }],
  ])('tells no position without %s that can be read', async (_, wrong) => {
    const part = { pair: 'XXBTZUSD', type: 'buy', vol: '1', vol_closed: '0', cost: '60000', margin: '30000' };
    const body = { error: [], result: { 'TGUFMY-FLESJ-VYIX3J': { ...part, ...wrong } } };
    kraken.fail({ status: 200, body, path: '/0/private/OpenPositions' });
    expect(await failure(account.positions())).toMatchObject({ failure: 'retryable' });
  });

  it('tells a trade on margin as any other', async () => {
    const body = {
      ...{ ordertxid: 'OQCLML-BW3P3-BUCMWZ', postxid: 'TKH2SE-M7IF5-CFI7LT', pair: 'XXBTZUSD', time: 1_700_000_000.5 },
      ...{ type: 'buy', ordertype: 'limit', price: '60000.00000', cost: '6000.00000', fee: '1.2', vol: '0.10000000' },
      ...{ margin: '3000.00000', leverage: '2', misc: 'initiated', maker: false },
      ...{ posstatus: 'open', cprice: null, ccost: null, cfee: null, cvol: null, cmargin: null, net: null, trades: [] },
    };
    const answer = { error: [], result: { trades: { 'THVRQM-33VKH-UCI7BS': body }, count: 1 } };
    kraken.fail({ status: 200, body: answer, path: '/0/private/TradesHistory' });
    expect(await account.trades(null, null)).toMatchObject({
      items: [{ symbol: 'BTC/USD', side: 'buy', amount: '0.1', cost: '6000' }],
    });
  });

  it.each([
    ['a wrong secret', { apiKey, secret: Buffer.from('another secret').toString('base64') }],
    ['a secret that is not base64', { apiKey, secret: 'not base64!' }],
    ['an unknown key', { apiKey: 'unknown', secret }],
  ])('tells %s', async (_, parts) => {
    account = await connect(new Credentials(parts));
    expect(await failure(account.balances())).toMatchObject({ failure: 'authentication' });
  });

  it('tells a key that may not read', async () => {
    kraken.accounts.addKey({ apiKey, secret, permissions: ['trade'] });
    expect(await failure(account.balances())).toMatchObject({ failure: 'permission' });
  });

  it('tries once more with a nonce that was used, as another client may have done', async () => {
    let now = Date.now();
    await (await unhurried({ now: () => now })).run((exchange) => exchange.fetchOpenOrders());
    const client = await unhurried({ now: () => now, beforeRequest: () => void now++ });
    expect(await client.run((exchange) => exchange.fetchOpenOrders())).toEqual([]);
    expect(paths()).toEqual(Array(3).fill('/0/private/OpenOrders'));
  });

  it('has no nonce refused of requests within one millisecond', async () => {
    const now = Date.now();
    const client = await unhurried({ now: () => now });
    for (let time = 0; time < 3; time++) await client.run((exchange) => exchange.fetchOpenOrders());
    expect(paths()).toEqual(Array(3).fill('/0/private/OpenOrders'));
  });

  it('tells a nonce that stays behind another one as passing, and asks for no time', async () => {
    await account.openOrders([]);
    const client = await unhurried({ now: () => Date.now() - dayMs });
    expect(await failure(client.run((exchange) => exchange.fetchOpenOrders()))).toMatchObject({ failure: 'retryable' });
    expect(paths()).toEqual(Array(3).fill('/0/private/OpenOrders'));
  });

  it.each([-20_000, 20_000])('is served though its clock is %i ms off', async (ms) => {
    kraken.skew(ms);
    expect((await account.openOrders([])).items).toEqual([]);
  });

  it('tells a limit', async () => {
    await restart({ counterMax: 2 });
    for (let time = 0; time < 2; time++) await (await connect()).openOrders([]);
    expect(await failure((await connect()).openOrders([]))).toMatchObject({ failure: 'rate-limited' });
  });

  it.each([
    ['maintenance', () => kraken.maintenance(true)],
    ['a busy service', () => kraken.fail({ status: 200, body: { error: ['EService:Busy'] } })],
    ['a gateway that finds nobody', () => kraken.fail({ status: 520, body: '<html></html>' })],
    ['a cut connection', () => kraken.drop(2)],
  ])('tells %s as passing', async (_, begin) => {
    begin();
    expect(await failure(account.openOrders([]))).toMatchObject({ failure: 'retryable' });
  });

  const reads: [string, string, () => Promise<unknown>][] = [
    ['balances', '/0/private/BalanceEx', () => account.balances()],
    ['open orders', '/0/private/OpenOrders', () => account.openOrders([])],
    ['ended orders', '/0/private/ClosedOrders', () => account.closedOrders([], 0)],
    ['trades', '/0/private/TradesHistory', () => account.trades(null, null)],
    ['transfers', '/0/private/DepositStatus', () => account.transfers(Date.now() - dayMs)],
    ['permissions', '/0/private/GetApiKeyInfo', () => account.permissions()],
  ];

  it.each(reads)('tells no %s out of a malformed answer', async (_, path, read) => {
    kraken.malformed(1, path);
    expect(await failure(read())).toMatchObject({ failure: 'retryable' });
    account = await connect();
    kraken.fail({ status: 200, body: { error: [] }, path });
    expect(await failure(read())).toMatchObject({ failure: 'retryable' });
  });

  it('tells no trades when fewer are sent than there are', async () => {
    await restart({ counterMax: 1000 });
    for (let index = 0; index < 120; index++) kraken.accounts.addTrade(apiKey, tradeOf({ symbol: 'BTC/USD' }));
    const { cursor } = await account.trades(null, null);
    kraken.fail({ status: 200, body: { error: [], result: { trades: {}, count: 120 } } });
    expect(await failure((await connect()).trades(null, cursor))).toMatchObject({ failure: 'retryable' });
  });
});
