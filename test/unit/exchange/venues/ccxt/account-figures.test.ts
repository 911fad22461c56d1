import { describe, expect, it } from 'vitest';
import { balancesOf } from '../../../../support/memory-venue.ts';
import { recordedAt, recordedFile, recordedVenue } from '../../../../support/venues/recorded.ts';

const kraken = {
  listed: { XXBTZUSD: 'BTC/USD', XETHZEUR: 'ETH/EUR', DOTEUR: 'DOT/EUR' },
  assetIds: { BTC: 'XXBT', USD: 'ZUSD', EUR: 'ZEUR', ETH: 'XETH' },
};
const binance = { listed: { BTCUSDT: 'BTC/USDT', LDOUSDT: 'LDO/USDT' } };
const bybitAnswers = [
  ...recordedFile('bybit-execution-borrow', recordedAt),
  { path: '/v5/account/info', json: { retCode: 0, result: { unifiedMarginStatus: 6 } } },
  { path: '/v5/user/query-api', json: { retCode: 0, result: { unified: 0, uta: 1, permissions: {} } } },
  { path: '/v5/asset/withdraw/query-record', json: { retCode: 0, result: { rows: [], nextPageCursor: '' } } },
];
const bybit = { listed: { BTCUSDT: 'BTC/USDT:USDT', ETHUSDT: 'ETH/USDT' } };

describe('what Simple Earn of Binance holds', () => {
  const answers = recordedFile('binance-ld', recordedAt);

  it('is counted once, as earn, and Lido DAO is an asset', async () => {
    const { account } = await recordedVenue('binance', answers, binance);
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'LDO', total: '3' },
      { wallet: 'earn', asset: 'BTC', total: '0.5' },
      { wallet: 'earn', asset: 'USDT', total: '1000' },
    ]);
  });

  it('is read from its tokens while it fails, and from itself again afterwards', async () => {
    const venue = await recordedVenue('binance', answers, binance);
    venue.answer({ path: '/simple-earn/flexible/position', status: 500, json: { code: -1000, msg: 'unknown' } });
    expect((await venue.account.balances()).find(({ wallet }) => wallet === 'earn')).toMatchObject({
      status: 'ok',
      isStandIn: true,
      balances: [
        { asset: 'BTC', total: '0.5' },
        { asset: 'USDT', total: '1000' },
      ],
    });
    venue.answer(...answers);
    const earn = (await venue.account.balances()).find(({ wallet }) => wallet === 'earn');
    expect(earn).not.toHaveProperty('isStandIn');
    expect(earn).toMatchObject({ status: 'ok', balances: [{ total: '0.5' }, { total: '1000' }] });
  });

  it('fails alone where no token shows it', async () => {
    const json = { balances: [{ asset: 'BTC', free: '1', locked: '0' }] };
    const venue = await recordedVenue('binance', [{ path: '/api/v3/account', json }, ...answers.slice(2)], binance);
    expect(await venue.account.balances()).toMatchObject([
      { wallet: 'spot', status: 'ok', balances: [{ asset: 'BTC', total: '1' }] },
      { wallet: 'funding', status: 'failing' },
      { wallet: 'margin', status: 'failing' },
      { wallet: 'earn', status: 'failing' },
      { wallet: 'contract', status: 'failing' },
    ]);
  });
});

describe('a wallet that is not offered', () => {
  it.each([
    [
      'for the country, in words',
      400,
      { code: -9000, msg: 'This service is not available in your country or region.' },
    ],
    ['for the country, by status', 451, { code: 0, msg: 'Service unavailable from a restricted location.' }],
    ['by a gateway', 403, { message: 'forbidden' }],
  ])('%s, hides no other', async (_, status, json) => {
    const answers = [{ path: '/margin/account', status, json }, ...recordedFile('binance-ld', recordedAt)];
    const { account } = await recordedVenue('binance', answers, binance);
    const readings = await account.balances();
    expect(readings.find(({ wallet }) => wallet === 'margin')).toMatchObject({
      status: 'not-offered',
      detail: expect.stringContaining('binance'),
    });
    expect(readings.find(({ wallet }) => wallet === 'spot')).toMatchObject({ status: 'ok' });
  });

  it('by Bybit under its rules hides no other', async () => {
    const refused = { retCode: 10024, retMsg: 'The product or service you are seeking to access is not available.' };
    const answers = [{ path: '/query-account-coins-balance', json: { ...refused, result: {} } }, ...bybitAnswers];
    const { account } = await recordedVenue('bybit', answers, bybit);
    expect(await account.balances()).toMatchObject([
      { wallet: 'spot', status: 'ok' },
      { wallet: 'funding', status: 'not-offered' },
    ]);
  });
});

describe('a venue that is down', () => {
  it('is asked for two wallets, not for all', async () => {
    const answers = [{ path: '', status: 503, json: { code: 0, msg: 'Service Unavailable' } }];
    const { account, requests } = await recordedVenue('binance', answers, binance);
    await expect(account.balances()).rejects.toMatchObject({ failure: 'retryable' });
    expect(requests).toHaveLength(2);
  });
});

describe('a unified account at Bybit that borrows', () => {
  it('has totals not below zero, and what it owes beside them', async () => {
    const { account } = await recordedVenue('bybit', bybitAnswers, bybit);
    expect(balancesOf(await account.balances())).toMatchObject([
      { asset: 'USDT', free: '0', locked: '0', total: '0', debt: '120.51' },
      { asset: 'ETH', free: '1.5', locked: '0', total: '1.5', debt: '1.0001' },
      { asset: 'USDC', free: '1804.74769114', locked: '2466.37380399', total: '4271.12149513', debt: '0' },
      { asset: '1000PEPE', total: '0.00000001', debt: '0' },
    ]);
  });
});

describe('executions at Bybit', () => {
  const empty = { retCode: 0, retMsg: 'OK', result: { list: [], nextPageCursor: '' } };
  const row = (more: object) => ({
    ...{ symbol: 'BTCUSDT', orderId: 'o', side: 'Sell', execId: 'x', execType: 'Trade', execPrice: '2', execQty: '1' },
    ...{ execValue: '2', execFee: '0.1', isMaker: false, execTime: String(recordedAt - 1000), feeCurrency: '' },
    ...more,
  });
  const linear = (...list: object[]) => ({
    ...{ path: '/v5/execution/list', where: 'category=linear', whereNot: 'execType=' },
    json: { retCode: 0, retMsg: 'OK', result: { category: 'linear', list, nextPageCursor: '' } },
  });
  const spot = (...list: object[]) => ({ ...linear(...list), where: 'category=spot' });
  const all = { path: '/v5/execution/list', json: empty };
  const read = async (...answers: Parameters<typeof recordedVenue>[1]) =>
    (await recordedVenue('bybit', [...answers, all], bybit)).account.trades(null, `${recordedAt - 3_600_000}/3600000`);

  it('of every kind but funding are trades', async () => {
    const kinds = ['Trade', 'AdlTrade', 'BustTrade', 'Settle', 'Delivery', 'Funding'];
    const { items } = await read(
      linear(...kinds.map((execType) => row({ execType, execId: execType, createType: '' }))),
    );
    expect(items.map(({ tradeId }) => tradeId).toSorted()).toEqual(
      kinds.filter((kind) => kind !== 'Funding').toSorted(),
    );
    expect(items[0]).toMatchObject({ symbol: 'BTC/USDT:USDT', fees: [{ asset: 'USDT', cost: '0.1' }] });
  });

  it('in a spot market that is not listed any more are not taken for its contract', async () => {
    const { items } = await read(spot(row({ feeCoin: 'BTC' }), row({ symbol: 'MATICUSDT', execId: 'y' })));
    expect(items.map(({ symbol }) => symbol).toSorted()).toEqual(['BTC/USDT', 'MATIC/USDT']);
  });

  it('that can not be read are set aside', async () => {
    const { items, rejected } = await read(linear(row({ execId: 'good' }), row({ execId: 'bad', execPrice: 'soon' })));
    expect(items.map(({ tradeId }) => tradeId)).toEqual(['good']);
    expect(rejected).toMatchObject([{ list: 'trades', id: 'bad' }]);
  });

  it('keep a fee whose currency is not known', async () => {
    const { items } = await read(spot(row({ symbol: 'FOOBUSD', execId: 'z' })));
    expect(items).toMatchObject([{ symbol: 'FOOBUSD', fees: [{ asset: null, cost: '0.1' }] }]);
  });

  it('without a time are set aside, not dropped', async () => {
    const { rejected } = await read(linear(row({ execTime: '' })));
    expect(rejected).toMatchObject([{ list: 'trades', id: 'x', reason: 'malformed trade time' }]);
  });
});

describe('what lies at Kraken', () => {
  const answers = recordedFile('kraken-delisted-autoearn', recordedAt);

  it('is nowhere below zero, and nothing of it is lost', async () => {
    const { account } = await recordedVenue('kraken', answers, kraken);
    const balances = balancesOf(await account.balances());
    expect(balances.map(({ wallet, asset, free, locked, total }) => [wallet, asset, free, locked, total])).toEqual(
      expect.arrayContaining([
        ['spot', 'USD', '1000', '0', '1000'],
        ['earn', 'BTC', '0.15', '0.1', '0.25'],
        ['spot', 'ETH', '0', '0.5', '0.5'],
        ['earn', 'ETH', '2.4', '0.7', '3.1'],
        ['spot', 'EUR', '0', '250', '250'],
        ['earn', 'DOT', '0', '12', '12'],
        ['earn', 'SOL', '3', '0', '3'],
        ['earn', 'ATOM', '7', '0', '7'],
        ['spot', 'KFEE', '7328.19', '0', '7328.19'],
        ['spot', 'SHIB', '0.00002', '0', '0.00002'],
        ['spot', 'DOGE', '0.00000001', '0', '0.00000001'],
      ]),
    );
    expect(balances).toHaveLength(11);
  });

  it('was traded in pairs that are not listed any more, with fees in their quote', async () => {
    const { account } = await recordedVenue('kraken', answers, kraken);
    const { items, rejected } = await account.trades(null, null);
    expect(rejected).toEqual([]);
    expect(items.map(({ symbol, fees }) => [symbol, fees[0]?.asset, fees[0]?.cost])).toEqual([
      ['REP/EUR', 'EUR', '0.39'],
      ['WAVES/EUR', 'EUR', '0.13'],
      ['MATIC/EUR', 'EUR', '0.182'],
      ['BTC/USD', 'USD', '0.169'],
    ]);
  });

  it('had orders there', async () => {
    const { account } = await recordedVenue('kraken', answers, kraken);
    const { items } = await account.closedOrders([], 0);
    expect(items).toMatchObject([{ symbol: 'MATIC/EUR', status: 'canceled' }]);
  });

  it('is named by its market once that is known', async () => {
    const { account } = await recordedVenue('kraken', answers, kraken);
    expect(await account.marketSymbols?.(['MATICEUR', 'FOOBUSD', 'BTC/USD'])).toEqual(
      new Map([['MATICEUR', 'MATIC/EUR']]),
    );
  });
});

describe('deposits', () => {
  it('of one transaction are all kept, at KuCoin', async () => {
    const { account } = await recordedVenue('kucoin', recordedFile('kucoin-two-in-one-tx', recordedAt));
    const { items, rejected } = await account.transfers(recordedAt - 86_400_000);
    expect(items.map(({ asset, amount }) => `${asset} ${amount}`).toSorted()).toEqual([
      'BTC 0.25',
      'BTC 0.5',
      'USDT 6',
    ]);
    expect([new Set(items.map(({ transferId }) => transferId)).size, rejected]).toEqual([3, []]);
  });

  it('without id and transaction have an id that stays', async () => {
    const read = async () => {
      const { account } = await recordedVenue('kucoin', recordedFile('kucoin-inner-deposit', recordedAt));
      return (await account.transfers(recordedAt - 86_400_000)).items;
    };
    const [first, second] = [await read(), await read()];
    expect(first).toHaveLength(4);
    expect(first.every(({ transferId }) => /^made-[0-9a-f]{32}$/.test(transferId))).toBe(true);
    expect(second).toEqual(first);
  });

  it('that are equal in all are as many as there are, and an odd one is set aside', async () => {
    const row = {
      currency: 'USDT',
      amount: '1',
      fee: '0',
      status: 'SUCCESS',
      isInner: true,
      createdAt: recordedAt - 5000,
    };
    const items = [row, row, { ...row, amount: 'soon' }, { ...row, createdAt: null }];
    const answers = [
      { path: '/api/v1/deposits', json: { code: '200000', data: { items } } },
      ...recordedFile('kucoin-inner-deposit', recordedAt),
    ];
    const { account } = await recordedVenue('kucoin', answers);
    const read = await account.transfers(recordedAt - 86_400_000);
    expect([read.items.length, new Set(read.items.map(({ transferId }) => transferId)).size]).toEqual([2, 2]);
    expect(read.rejected.map(({ reason }) => reason).toSorted()).toEqual(['malformed transfer time', 'unreadable row']);
  });

  it('of one transaction are all kept, at Bybit', async () => {
    const { account } = await recordedVenue('bybit', bybitAnswers, bybit);
    const { items } = await account.transfers(1_795_000_000_000);
    expect(items.map(({ amount, txId }) => [amount, txId?.slice(0, 4)])).toEqual([
      ['0.5', 'de5e'],
      ['0.25', 'de5e'],
    ]);
  });
});
