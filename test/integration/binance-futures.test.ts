import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Credentials } from '#shared/exchange/credentials';
import { accountRules } from '#shared/exchange/venues/ccxt/account-rules';
import type { CcxtClient } from '#shared/exchange/venues/ccxt/client';
import { createCcxtClient } from '#shared/exchange/venues/ccxt/client';
import { systemClock as clock } from '#shared/platform/system';
import type { BinanceDouble } from '../support/venues/binance.ts';
import { startBinance } from '../support/venues/binance.ts';

const key = { apiKey: 'futureskey0123456789', secret: 'futuressecret0123456789' };
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

describe('positions in USD-M futures of Binance', () => {
  let binance: BinanceDouble;
  let client: CcxtClient;
  const positions = () =>
    client.run(async (exchange) => (await accountRules('binance').positions?.(exchange)) ?? 'no rule for them');

  beforeEach(async () => {
    binance = await startBinance();
    binance.accounts.addKey({ ...key, permissions: ['read', 'futures'] });
    client = await createCcxtClient({
      id: 'binance',
      credentials: new Credentials(key),
      network: { fetch },
      clock,
      originOverride: binance.url,
    });
  });
  afterEach(() => binance.close());

  it('are told without a list of all contracts', async () => {
    binance.accounts.setPositions(key.apiKey, [
      { ...position, symbol: 'BTC/USDT:USDT' },
      { ...position, symbol: 'ETH/USDC:USDC', side: 'short', marginMode: 'isolated', liquidationPrice: '0' },
      { ...position, symbol: 'BTC/USDT:USDT-261225' },
    ]);
    expect(await positions()).toEqual([
      {
        symbol: 'BTC/USDT:USDT',
        side: 'long',
        marginMode: 'cross',
        contracts: '0.5',
        contractSize: '1',
        entryPrice: '64000.5',
        markPrice: '65000',
        liquidationPrice: '41000',
        leverage: null,
        collateral: null,
        unrealizedPnl: '499.75',
        venueTime: expect.any(Number),
      },
      expect.objectContaining({
        symbol: 'ETH/USDC:USDC',
        side: 'short',
        contracts: '0.5',
        marginMode: 'isolated',
        collateral: '6400.05',
        liquidationPrice: null,
      }),
      expect.objectContaining({ symbol: 'BTC/USDT:USDT-261225' }),
    ]);
    expect(binance.requests.map(({ path }) => path)).toEqual(['/fapi/v3/positionRisk']);
  });

  it('that have none but orders are left out', async () => {
    binance.accounts.setPositions(key.apiKey, [{ ...position, symbol: 'BTC/USDT:USDT', size: '0.000' }]);
    expect(await positions()).toEqual([]);
  });

  it('are none for a key that sees no futures', async () => {
    binance.accounts.addKey(key);
    expect(await positions()).toEqual([]);
  });

  it('are not none for a key that has ended', async () => {
    binance.accounts.removeKey(key.apiKey);
    await expect(positions()).rejects.toMatchObject({ failure: 'authentication' });
  });

  it('are not told out of a number that is none', async () => {
    const body = [{ symbol: 'BTCUSDT', marginAsset: 'USDT', positionAmt: 'much' }];
    binance.fail({ status: 200, body, path: '/fapi/v3/positionRisk' });
    await expect(positions()).rejects.toMatchObject({ failure: 'retryable' });
  });
});
