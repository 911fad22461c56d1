import { describe, expect, it } from 'vitest';
import { balancesOf } from '../../../../support/memory-venue.ts';
import { type RecordedAnswer, recordedAt, recordedVenue } from '../../../../support/venues/recorded.ts';

const dayMs = 86_400_000;
const spot = (id: string) => ({ listed: { [id]: 'BTC/USDT' } });
const ok = (data: unknown) => ({ code: '0', msg: '', data });

describe('OKX', () => {
  const venue = (...answers: RecordedAnswer[]) => recordedVenue('okx', answers, spot('BTC-USDT'));

  it('reads the trading and the funding account, with what is owed beside what is held', async () => {
    const details = [
      { ccy: 'BTC', eq: '1.2', cashBal: '1', availBal: '0.9', frozenBal: '0.1', liab: '', upl: '0.2' },
      { ccy: 'USDT', eq: '-50', cashBal: '-50', availBal: '0', frozenBal: '0', liab: '50.1', upl: '0' },
    ];
    const { account } = await venue(
      { path: '/account/balance', json: ok([{ uTime: '1', details }]) },
      { path: '/asset/balances', json: ok([{ ccy: 'ETH', bal: '2', availBal: '1.5', frozenBal: '0.5' }]) },
    );
    expect(balancesOf(await account.balances())).toMatchObject([
      { wallet: 'spot', asset: 'BTC', free: '0.9', locked: '0.1', total: '1', debt: '0' },
      { wallet: 'spot', asset: 'USDT', free: '0', total: '0', debt: '50.1' },
      { wallet: 'funding', asset: 'ETH', free: '1.5', locked: '0.5', total: '2' },
    ]);
  });

  it('reads the trading account while the funding account fails', async () => {
    const { account } = await venue({ path: '/account/balance', json: ok([{ details: [] }]) });
    expect(await account.balances()).toMatchObject([{ status: 'ok' }, { wallet: 'funding', status: 'failing' }]);
  });

  const fill = { instId: 'BTC-USDT', side: 'buy', fillPx: '2', fillSz: '1', feeCcy: 'BTC', fee: '-0.1', execType: 'T' };
  it('reads trades on margin beside those of spot, also in markets that are not listed', async () => {
    const at = { ordId: '1', ts: String(recordedAt - 1000), fillTime: String(recordedAt - 1000) };
    const { account } = await venue(
      { path: '/trade/fills-history', where: 'instType=SPOT', json: ok([{ ...fill, ...at, tradeId: '1' }]) },
      {
        ...{ path: '/trade/fills-history', where: 'instType=MARGIN' },
        json: ok([{ ...fill, ...at, tradeId: '2', instId: 'LUNA-USDT' }]),
      },
    );
    const { items } = await account.trades(null, `${recordedAt - dayMs}/${dayMs}`);
    expect(items).toMatchObject([{ symbol: 'BTC/USDT' }, { symbol: 'LUNA/USDT', fees: [{ asset: 'BTC' }] }]);
  });

  it('reads orders of every end, and those that wait for a price', async () => {
    const { account, requests } = await venue(
      { path: '/trade/orders-pending', json: ok([]) },
      { path: '/trade/orders-algo-pending', json: ok([]) },
      { path: '/trade/orders-history', json: ok([]) },
    );
    await account.openOrders([]);
    await account.closedOrders([], recordedAt - dayMs);
    expect(requests.map(({ path, query }) => `${path.split('/').at(-1)} ${query.get('ordType')}`).slice(0, 4)).toEqual([
      'orders-pending null',
      'orders-algo-pending conditional,oco',
      'orders-algo-pending trigger',
      'orders-algo-pending move_order_stop',
    ]);
    const ended = requests.slice(4);
    expect(ended.map(({ query }) => [query.get('instType'), query.get('state')])).toEqual(
      ended.map((_, index) => [index < ended.length / 2 ? 'SPOT' : 'MARGIN', null]),
    );
  });

  it('gives deposits without an id one that stays', async () => {
    const deposit = { ccy: 'BTC', amt: '1', ts: String(recordedAt - 5000), state: '2', txId: 'tx', to: 'a', depId: '' };
    const { account } = await venue(
      { path: '/asset/deposit-history', json: ok([deposit, { ...deposit, to: 'b' }]) },
      { path: '/asset/withdrawal-history', json: ok([]) },
    );
    const { items } = await account.transfers(recordedAt - dayMs);
    expect(new Set(items.map(({ transferId }) => transferId)).size).toBe(2);
  });
});

describe('KuCoin', () => {
  const answer = (data: unknown) => ({ code: '200000', data });
  const mode = { path: '/account/mode', json: answer({ selfAccountMode: 'CLASSIC' }) };

  it('reads accounts of all types, also those of high-frequency trading, by one request', async () => {
    const row = { balance: '1', available: '0.9', holds: '0.1', currency: 'BTC' };
    const rows = ['main', 'trade', 'trade_hf', 'margin', 'other'].map((type) => ({ ...row, type }));
    const { account, requests } = await recordedVenue('kucoin', [{ path: '/api/v1/accounts', json: answer(rows) }]);
    expect(balancesOf(await account.balances()).map(({ wallet, total }) => [wallet, total])).toEqual([
      ['spot', '2'],
      ['funding', '1'],
      ['margin', '1'],
    ]);
    expect(requests).toHaveLength(1);
  });

  it('reads trades from before and after an account was moved, each once', async () => {
    const trade = { symbol: 'BTC-USDT', tradeId: '1', orderId: 'o', side: 'buy', price: '2', size: '1', funds: '2' };
    const fill = { ...trade, fee: '0.1', feeCurrency: 'USDT', createdAt: recordedAt - 1000, liquidity: 'taker' };
    const { account } = await recordedVenue(
      'kucoin',
      [
        mode,
        { path: '/api/v1/fills', json: answer({ items: [fill] }) },
        { path: '/api/v1/hf/fills', json: answer({ items: [fill, { ...fill, tradeId: '2' }] }) },
      ],
      spot('BTC-USDT'),
    );
    const { items } = await account.trades('BTC/USDT', `${recordedAt - dayMs}/${dayMs}`);
    expect(items.map(({ tradeId }) => tradeId)).toEqual(['1', '2']);
  });
});

describe('a list that an account does not have', () => {
  const none = { path: '/account/mode', json: { code: '200000', data: { selfAccountMode: 'CLASSIC' } } };
  const trade = { symbol: 'BTC-USDT', tradeId: '1', orderId: 'o', side: 'buy', price: '2', size: '1', funds: '2' };
  const fills = {
    path: '/api/v1/fills',
    json: { code: '200000', data: { items: [{ ...trade, fee: '0', createdAt: recordedAt - 1000 }] } },
  };
  const read = async (refusal: object) => {
    const answers = [none, fills, { path: '/api/v1/hf/fills', status: 400, json: refusal }];
    const { account } = await recordedVenue('kucoin', answers, spot('BTC-USDT'));
    return account.trades('BTC/USDT', `${recordedAt - dayMs}/${dayMs}`);
  };

  it('hides nothing of the one that it has', async () => {
    expect((await read({ code: '400100', msg: 'Parameter Error' })).items).toHaveLength(1);
  });

  it('is not taken for one that fails', async () => {
    await expect(read({ code: '500000', msg: 'Internal Server Error' })).rejects.toMatchObject({
      failure: 'retryable',
    });
  });
});

describe('Gate', () => {
  const detail = { path: '/account/detail', json: { key: { mode: 1 } } };

  it('reads trades of all accounts, also in markets that are not listed', async () => {
    const trade = { id: '1', create_time_ms: `${recordedAt - 1000}.5`, currency_pair: 'OLD_USDT', side: 'buy' };
    const { account, requests } = await recordedVenue(
      'gate',
      [
        detail,
        {
          path: '/spot/my_trades',
          json: [{ ...trade, role: 'taker', amount: '1', price: '2', order_id: '9', fee: '0.1', fee_currency: 'OLD' }],
        },
      ],
      spot('BTC_USDT'),
    );
    const { items } = await account.trades(null, `${recordedAt - dayMs}/${dayMs}`);
    expect(items).toMatchObject([{ symbol: 'OLD/USDT', fees: [{ asset: 'OLD', cost: '0.1' }] }]);
    expect(requests.at(-1)?.query.get('account')).toBeNull();
  });

  it('reads deposits of one transaction by their own ids', async () => {
    const deposit = {
      currency: 'BTC',
      amount: '1',
      txid: 'tx',
      timestamp: String(recordedAt / 1000 - 5),
      status: 'DONE',
    };
    const { account } = await recordedVenue('gate', [
      detail,
      { path: '/wallet/deposits', json: ['d1', 'd2'].map((id) => ({ ...deposit, id })) },
      { path: '/wallet/withdrawals', json: [] },
    ]);
    expect((await account.transfers(recordedAt - dayMs)).items).toHaveLength(2);
  });
});

describe('Bitget', () => {
  it('reads open orders of every kind', async () => {
    const { account, requests } = await recordedVenue(
      'bitget',
      [
        { path: '/spot/trade/unfilled-orders', json: { code: '00000', data: [] } },
        { path: '/spot/trade/current-plan-order', json: { code: '00000', data: { orderList: [] } } },
      ],
      spot('BTCUSDT'),
    );
    await account.openOrders(['BTC/USDT']);
    const orders = requests.filter(({ path }) => path.includes('/trade/'));
    expect(orders.map(({ path, query }) => `${path.split('/').at(-1)} ${query.get('tpslType')}`)).toEqual([
      'unfilled-orders null',
      'unfilled-orders tpsl',
      'current-plan-order null',
    ]);
  });

  it('asks for full pages of deposits within the time it allows', async () => {
    const none = { code: '00000', data: [] };
    const { account, requests } = await recordedVenue('bitget', [
      { path: '/deposit-records', json: none },
      { path: '/withdrawal-records', json: none },
    ]);
    await account.transfers(recordedAt - 100 * dayMs);
    const lists = requests.filter(({ path }) => path.endsWith('-records'));
    const spans = lists.map(({ query }) => Number(query.get('endTime')) - Number(query.get('startTime')));
    expect(Math.max(...spans)).toBeLessThan(90 * dayMs);
    expect(lists.map(({ query }) => query.get('limit'))).toEqual(lists.map(() => '100'));
  });
});

describe('Coinbase', () => {
  const row = (currency: string, value: string) => ({
    ...{ currency, type: 'ACCOUNT_TYPE_CRYPTO' },
    ...{ available_balance: { value, currency }, hold: { value: '0.5', currency } },
  });

  it('reads every page of accounts', async () => {
    const path = '/brokerage/accounts';
    const { account } = await recordedVenue('coinbase', [
      { path, where: 'cursor=next', json: { accounts: [row('ETH', '2')], has_next: false, cursor: '' } },
      { path, json: { accounts: [row('BTC', '1')], has_next: true, cursor: 'next' } },
    ]);
    expect(balancesOf(await account.balances())).toMatchObject([
      { asset: 'BTC', free: '1', locked: '0.5', total: '1.5' },
      { asset: 'ETH', free: '2', locked: '0.5', total: '2.5' },
    ]);
  });

  it('reads every page of trades, and canceled orders', async () => {
    const fill = {
      trade_id: '1',
      order_id: 'o',
      product_id: 'OLD-USD',
      side: 'BUY',
      price: '2',
      size: '1',
      commission: '1',
    };
    const at = { trade_time: new Date(recordedAt - 1000).toISOString(), liquidity_indicator: 'TAKER' };
    const order = { order_id: 'o', product_id: 'BTC-USDT', side: 'BUY', status: 'CANCELLED', filled_size: '0' };
    const placed = { created_time: new Date(recordedAt - 5000).toISOString(), order_type: 'LIMIT' };
    const fills = '/historical/fills';
    const { account } = await recordedVenue(
      'coinbase',
      [
        { path: fills, where: 'cursor=next', json: { fills: [{ ...fill, ...at, trade_id: '2' }], cursor: '' } },
        { path: fills, json: { fills: [{ ...fill, ...at }], cursor: 'next' } },
        { path: '/historical/batch', json: { orders: [{ ...order, ...placed }], cursor: '' } },
      ],
      spot('BTC-USDT'),
    );
    const { items } = await account.trades(null, `${recordedAt - dayMs}/${dayMs}`);
    expect(items.map(({ tradeId, symbol }) => `${tradeId} ${symbol}`)).toEqual(['1 OLD/USD', '2 OLD/USD']);
    expect((await account.closedOrders([], recordedAt - dayMs)).items).toMatchObject([{ status: 'canceled' }]);
  });
});
