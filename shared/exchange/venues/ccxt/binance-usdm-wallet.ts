import type { Exchange } from 'ccxt';
import type { ContractPosition } from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';
import { toBalances, toPosition } from './account-mapping.ts';
import type { NativeAmounts, WalletRule } from './account-rule.ts';
import { nativeBalances } from './account-rule.ts';
import { at, listAt } from './answers.ts';
import { askUsdm, contractSymbol, noteEmpty } from './binance-usdm.ts';

/** What lies in USD-M futures, without the profit of positions that are still open, which they tell themselves. */
export const usdmWallet: WalletRule = {
  type: 'contract',
  read: async (exchange) => {
    const amounts = new Map<string, NativeAmounts>();
    for (const row of listAt(await askUsdm(exchange, 'account'), 'assets')) {
      const held = new Decimal(String(at(row, 'walletBalance')));
      amounts.set(exchange.safeCurrencyCode(String(at(row, 'asset'))) ?? '', {
        free: String(at(row, 'availableBalance')),
        used: String(at(row, 'initialMargin')),
        total: Decimal.max(held, 0).toFixed(),
        // With several assets as margin, one of them may be owed.
        debt: held.lt(0) ? held.negated().toFixed() : undefined,
      });
    }
    const balances = toBalances('contract', nativeBalances(amounts));
    if (balances.length === 0) noteEmpty(exchange);
    return balances;
  },
};

export const usdmPositions = async (exchange: Exchange): Promise<ContractPosition[]> =>
  listAt(await askUsdm(exchange, 'positionRisk')).flatMap((row) => {
    const text = (name: string) => String(at(row, name) ?? '');
    const isolated = Number(text('isolatedMargin')) > 0;
    const known = (name: string) => (Number(text(name)) === 0 ? undefined : at(row, name));
    const native = {
      symbol: contractSymbol(text('symbol')),
      side: text('positionAmt').startsWith('-') ? 'short' : 'long',
      marginMode: isolated ? 'isolated' : 'cross',
      contracts: at(row, 'positionAmt'),
      contractSize: 1,
      entryPrice: known('entryPrice'),
      markPrice: known('markPrice'),
      liquidationPrice: known('liquidationPrice'),
      // All that lies in the wallet backs a position on cross margin.
      collateral: isolated ? at(row, 'isolatedMargin') : undefined,
      unrealizedPnl: at(row, 'unRealizedProfit'),
      timestamp: Number(text('updateTime')),
    };
    return toPosition(native) ?? [];
  });
