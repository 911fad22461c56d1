/** Reports of other people about other programs, fed to ours. Shapes are those of the reports. */
import { describe, expect, it } from 'vitest';
import { settled } from '#shared/exchange/venues/ccxt/account-balances';
import { balancesOf } from '../../../../support/memory-venue.ts';
import { type RecordedAnswer, recordedAt, recordedVenue } from '../../../../support/venues/recorded.ts';

const kraken = (listed: Record<string, string>, ...answers: RecordedAnswer[]) =>
  recordedVenue('kraken', answers, { listed, assetIds: { BTC: 'XXBT', USD: 'ZUSD', EUR: 'ZEUR', ETH: 'XETH' } });
const balanceEx = (result: object) => ({ path: '/0/private/BalanceEx', json: { error: [], result } });
const held = (balance: string, hold_trade = '0') => ({ balance, hold_trade });
const krakenTrades = (...pairs: string[]) => {
  const trade = { ordertxid: 'O', time: 1_500_000_000, type: 'buy', price: '2', cost: '2', fee: '0.1', vol: '1' };
  const trades = Object.fromEntries(pairs.map((pair, index) => [`T${index}`, { ...trade, pair }]));
  return { path: '/0/private/TradesHistory', json: { error: [], result: { count: pairs.length, trades } } };
};
const binanceSpot = (...assets: string[]) => ({
  path: '/api/v3/account',
  json: { balances: assets.map((asset) => ({ asset, free: '1', locked: '0' })) },
});

describe('a public report', () => {
  it('rotki#201: a delisted asset (ICN) at Kraken', async () => {
    const { account } = await kraken(
      { XXBTZUSD: 'BTC/USD', XETHXXBT: 'ETH/BTC' },
      krakenTrades('XICNXETH', 'XICNXXBT'),
    );
    const { items, rejected } = await account.trades(null, null);
    const found = items.map(({ symbol, fees }) => `${symbol} ${fees[0]?.asset}`);
    expect([found.toSorted(), rejected]).toEqual([['ICN/BTC BTC', 'ICN/ETH ETH'], []]);
  });

  it('kraken-infinity-grid#121 and freqtrade#11118: auto earn holds what the spot balance reports as zero', async () => {
    const { account } = await kraken(
      { XXBTZUSD: 'BTC/USD', SOLEUR: 'SOL/EUR' },
      balanceEx({ SOL: held('0', '1.5'), 'SOL.F': held('4'), ZEUR: held('0'), 'EUR.F': held('100') }),
    );
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'earn', asset: 'SOL', free: '2.5', locked: '1.5', total: '4' },
      { wallet: 'earn', asset: 'EUR', total: '100' },
    ]);
  });

  it('rotki#6591 and rotki#7526: bonded, yield bearing and special assets of Kraken', async () => {
    const { account } = await kraken(
      { XXBTZUSD: 'BTC/USD', KSMEUR: 'KSM/EUR', DOTEUR: 'DOT/EUR', XETHZEUR: 'ETH/EUR' },
      balanceEx({
        'KSM07.S': held('1'),
        'DOT28.S': held('2'),
        'USD.M': held('3'),
        'XBT.B': held('4'),
        'ETH2.S': held('5'),
      }),
    );
    expect(
      balancesOf(await account.balances()).map(({ wallet, asset, total }) => `${wallet} ${asset} ${total}`),
    ).toEqual(['earn KSM 1', 'earn DOT 2', 'earn USD 3', 'earn BTC 4', 'earn ETH 5']);
  });

  it('rotki#7546, rotki#1502 and Binance.Net#833: LD tokens, one of them with a letter more', async () => {
    const { account } = await recordedVenue('binance', [binanceSpot('LDBNB', 'LDUSDT', 'LDBAKET', 'LDO')], {
      listed: { BNBUSDT: 'BNB/USDT', BAKEUSDT: 'BAKE/USDT', LDOUSDT: 'LDO/USDT' },
    });
    expect(balancesOf(await account.balances()).map(({ wallet, asset }) => `${wallet} ${asset}`)).toEqual([
      'spot LDO',
      'earn BNB',
      'earn USDT',
      'earn BAKE',
    ]);
  });

  it('ccxt#3639: a delisted market of which only the name is left (hitbtc CLBTC)', async () => {
    const fill = { id: 1, orderId: 2, clientOrderId: 'c', symbol: 'CLBTC', side: 'buy', quantity: '1', price: '2' };
    const { account } = await recordedVenue(
      'hitbtc',
      [
        {
          path: '/spot/history/trade',
          json: [{ ...fill, fee: '0.1', timestamp: new Date(recordedAt - 1000).toISOString(), taker: true }],
        },
      ],
      { listed: { ETHBTC: 'ETH/BTC' } },
    );
    const { items } = await account.trades(null, null);
    expect(items).toMatchObject([{ symbol: 'CL/BTC', fees: [{ cost: '0.1' }] }]);
  });

  it('ccxt#4879: rewards at KuCoin without a transaction', async () => {
    const row = { currency: 'KCS', amount: '0.5', fee: '0', status: 'SUCCESS', createdAt: recordedAt - 1000 };
    const list = (items: object[]) => ({ code: '200000', data: { items } });
    const { account } = await recordedVenue('kucoin', [
      { path: '/deposits', json: list([{ ...row, walletTxId: null }, row]) },
      { path: '/withdrawals', json: list([]) },
    ]);
    const { items, rejected } = await account.transfers(recordedAt - 86_400_000);
    expect([items.length, new Set(items.map(({ transferId }) => transferId)).size, rejected]).toEqual([2, 2, []]);
  });

  it('ccxt#24878: what is free of a unified account at Bybit with isolated margin', async () => {
    const coin = {
      coin: 'USDT',
      availableToWithdraw: '',
      locked: '0',
      totalOrderIM: '0',
      totalPositionIM: '2466.37380399',
    };
    const json = {
      retCode: 0,
      result: {
        list: [{ accountType: 'UNIFIED', coin: [{ ...coin, borrowAmount: '0', walletBalance: '4271.12149513' }] }],
      },
    };
    const { account } = await recordedVenue('bybit', [
      { path: '/wallet-balance', json },
      { path: '/v5/account/info', json: { retCode: 0, result: { unifiedMarginStatus: 6 } } },
      { path: '/v5/user/query-api', json: { retCode: 0, result: { uta: 1, permissions: {} } } },
    ]);
    expect(balancesOf(await account.balances())).toMatchObject([{ free: '1804.74769114', total: '4271.12149513' }]);
  });

  it('ccxt#1123: a balance of minus a few satoshi at Bitfinex is owed, not held', () => {
    const holding = {
      wallet: 'spot',
      asset: 'EOS',
      total: '-0.00000032',
      locked: '0',
      debt: '0',
      venueTime: null,
    } as const;
    expect(settled([holding])).toMatchObject([{ free: '0', total: '0', debt: '0.00000032' }]);
  });

  it('ccxt#23575 and ccxt#23613: accounts at KuCoin that were moved to high-frequency trading', async () => {
    const row = { currency: 'USDT', balance: '14.3', available: '14.3', holds: '0', type: 'trade_hf' };
    const { account } = await recordedVenue('kucoin', [{ path: '/accounts', json: { code: '200000', data: [row] } }]);
    expect(balancesOf(await account.balances())).toMatchObject([{ wallet: 'spot', asset: 'USDT', total: '14.3' }]);
  });
});
