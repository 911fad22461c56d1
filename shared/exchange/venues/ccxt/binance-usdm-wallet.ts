import type { Exchange } from 'ccxt';
import type { ContractPosition } from '#shared/exchange/account-venue';
import { toHolding, toPosition } from './account-mapping.ts';
import type { WalletRule } from './account-rule.ts';
import { at, listAt } from './answers.ts';
import { askUsdm, contractSymbol, isUnseen, noteEmpty } from './binance-usdm.ts';
import { NotOffered } from './not-offered.ts';

/** The USD-M futures wallet, without the unrealized profit of open positions, which the positions report. */
export const usdmWallet: WalletRule = {
  type: 'contract',
  read: async (exchange) => {
    const answer = await askUsdm(exchange, 'account');
    if (isUnseen(exchange)) throw new NotOffered('The key does not see futures, or the account has none');
    const holdings = listAt(answer, 'assets').map((row) =>
      // With several assets as margin, one of them may be below zero. What is available includes the profit of open
      // positions, so that it says nothing about what is locked.
      toHolding(
        'contract',
        exchange.safeCurrencyCode(String(at(row, 'asset'))) ?? '',
        { total: at(row, 'walletBalance'), used: at(row, 'initialMargin') },
        null,
      ),
    );
    if (holdings.every(({ total }) => Number(total) === 0)) noteEmpty(exchange);
    return holdings;
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
      // The whole wallet backs a position on cross margin.
      collateral: isolated ? at(row, 'isolatedMargin') : undefined,
      unrealizedPnl: at(row, 'unRealizedProfit'),
      timestamp: Number(text('updateTime')),
    };
    return toPosition(native) ?? [];
  });
