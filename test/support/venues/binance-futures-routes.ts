/** The signed endpoints of USD-M futures of the Binance double that list what is held there. */

import { futuresRecordRoutes } from './binance-futures-record-routes.ts';
import { contractId, onlyFutures } from './binance-futures-rules.ts';
import { printed } from './binance-market.ts';
import type { SignedRoute } from './binance-routes.ts';
import type { AccountPosition } from './venue-accounts.ts';
import { holdings } from './venue-accounts.ts';

const sum = (a: string, b: string): string => printed(String(Number((Number(a) + Number(b)).toFixed(8))));

/** Tells assets without a balance as well, which were never updated. */
const account: SignedRoute = ({ now }, owner) => {
  const held = holdings(owner, 'contract');
  const asset = (name: string, free: string, locked: string, updateTime: number) => ({
    asset: name,
    walletBalance: sum(free, locked),
    unrealizedProfit: '0.00000000',
    marginBalance: sum(free, locked),
    maintMargin: '0.00000000',
    initialMargin: printed(locked),
    positionInitialMargin: printed(locked),
    openOrderInitialMargin: '0.00000000',
    crossWalletBalance: sum(free, locked),
    crossUnPnl: '0.00000000',
    availableBalance: printed(free),
    maxWithdrawAmount: printed(free),
    updateTime,
  });
  const assets = held.map(([name, { free, locked }]) => asset(name, free, locked, now()));
  return {
    weight: 5,
    body: {
      totalInitialMargin: '0.00000000',
      totalMaintMargin: '0.00000000',
      totalWalletBalance: '0.00000000',
      totalUnrealizedProfit: '0.00000000',
      totalMarginBalance: '0.00000000',
      totalPositionInitialMargin: '0.00000000',
      totalOpenOrderInitialMargin: '0.00000000',
      totalCrossWalletBalance: '0.00000000',
      totalCrossUnPnl: '0.00000000',
      availableBalance: '0.00000000',
      maxWithdrawAmount: '0.00000000',
      assets: [...assets, asset('FDUSD', '0.00000000', '0.00000000', 0)],
      positions: [],
    },
  };
};

const positionBody = (position: AccountPosition, updateTime: number) => {
  const amount = position.side === 'long' ? position.size : `-${position.size}`;
  const isolated = position.marginMode === 'isolated' ? position.margin : '0';
  return {
    symbol: contractId(position.symbol),
    positionSide: 'BOTH',
    positionAmt: amount,
    entryPrice: position.entryPrice,
    breakEvenPrice: position.entryPrice,
    markPrice: printed(position.markPrice),
    unRealizedProfit: printed(position.unrealizedPnl),
    liquidationPrice: position.liquidationPrice,
    isolatedMargin: isolated,
    notional: printed(String(Number((Number(amount) * Number(position.markPrice)).toFixed(8)))),
    marginAsset: /:([A-Z]+)/.exec(position.symbol)?.[1] ?? '',
    isolatedWallet: isolated,
    initialMargin: position.margin,
    maintMargin: '0',
    positionInitialMargin: position.margin,
    openOrderInitialMargin: '0',
    adl: 2,
    bidNotional: '0',
    askNotional: '0',
    updateTime,
  };
};

export const futuresRoutes: Readonly<Record<string, SignedRoute>> = {
  ...futuresRecordRoutes,
  'GET /fapi/v3/account': onlyFutures(account),
  'GET /fapi/v3/positionRisk': onlyFutures(({ now }, owner, query) => {
    const positions = owner.positions.map((position) => positionBody(position, now()));
    const symbol = query.get('symbol');
    return { weight: 5, body: positions.filter((position) => symbol === null || position.symbol === symbol) };
  }),
};
