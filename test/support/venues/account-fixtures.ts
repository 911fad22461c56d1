/** Trades, orders and transfers for the accounts of the doubles: a test says what matters to it. */
import type { AccountOrder, AccountTrade, AccountTransfer } from './venue-accounts.ts';

export const tradeOf = (trade: Partial<AccountTrade> = {}): AccountTrade => ({
  symbol: 'BTC/USDT',
  side: 'buy',
  price: '65000.1',
  amount: '0.001',
  fee: '0.00000075',
  feeAsset: 'BNB',
  maker: false,
  orderId: '77',
  at: Date.now() - 60_000,
  ...trade,
});

export const orderOf = (order: Partial<AccountOrder> = {}): AccountOrder => ({
  symbol: 'BTC/USDT',
  side: 'sell',
  type: 'limit',
  price: '70000',
  amount: '0.5',
  filled: '0',
  status: 'open',
  at: Date.now() - 60_000,
  updatedAt: Date.now() - 60_000,
  ...order,
});

export const transferOf = (transfer: Partial<AccountTransfer> = {}): AccountTransfer => ({
  kind: 'deposit',
  asset: 'USDT',
  amount: '1234.56789',
  fee: '0',
  status: 'done',
  network: 'TRX',
  txId: 'bafc5902504d6504a00b7d0306a41154',
  address: 'TYDmtuWL8bsyjvcauUTerpfYyVhFtBjqyo',
  at: Date.now() - 60_000,
  ...transfer,
});
