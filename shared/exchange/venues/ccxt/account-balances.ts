import type { Balance, WalletType } from '#shared/exchange/account-venue';
import { Decimal } from '#shared/model/decimal';

/**
 * What a venue reports of an asset in a wallet, decimal strings. `total` below zero is a debt; `locked` may exceed it, as
 * where a venue moves what orders hold to another wallet.
 */
export interface Holding {
  readonly wallet: WalletType;
  readonly asset: string;
  readonly total: string;
  readonly locked: string;
  readonly debt: string;
  readonly venueTime: number | null;
}

interface Sum {
  readonly wallet: WalletType;
  readonly asset: string;
  total: Decimal;
  /** Held by orders, margin or a term, within the total. */
  locked: Decimal;
  debt: Decimal;
  venueTime: number | null;
}

/** The wallet from which a hold beyond a wallet's total is taken first: Kraken backs orders with balances that earn rewards. */
const backing: readonly WalletType[] = ['earn', 'spot', 'funding', 'margin', 'contract'];

/**
 * The holdings of all wallets of an account by the one definition of {@link Balance}. No total is changed, so nothing is
 * lost; a hold beyond a wallet's total locks the asset in its other wallets, up to what they have. A wallet that owes
 * the asset passes no hold on: the credit backs it.
 */
export const settled = (holdings: readonly Holding[]): Balance[] => {
  const sums = new Map<string, Sum>();
  for (const { wallet, asset, ...held } of holdings) {
    const name = `${wallet} ${asset}`;
    const zero = new Decimal(0);
    const sum = sums.get(name) ?? { wallet, asset, total: zero, locked: zero, debt: zero, venueTime: null };
    sums.set(name, sum);
    const total = new Decimal(held.total);
    sum.total = sum.total.add(Decimal.max(total, 0));
    sum.locked = sum.locked.add(Decimal.max(held.locked, 0));
    // A negative balance is the debt itself, which some venues report a second time.
    sum.debt = sum.debt.add(Decimal.max(held.debt, total.negated(), 0));
    sum.venueTime = held.venueTime ?? sum.venueTime;
  }
  const all = [...sums.values()];
  for (const sum of all) {
    const excess = sum.locked.sub(sum.total);
    if (excess.lte(0)) continue;
    sum.locked = sum.total;
    if (sum.debt.isZero()) lockElsewhere(sum, excess, all);
  }
  return all.flatMap(({ wallet, asset, total, locked, debt, venueTime }) => {
    if (total.isZero() && debt.isZero()) return [];
    const amounts = { free: total.sub(locked).toFixed(), locked: locked.toFixed(), total: total.toFixed() };
    return [{ wallet, asset, ...amounts, debt: debt.toFixed(), venueTime }];
  });
};

const lockElsewhere = (from: Sum, excess: Decimal, all: readonly Sum[]): void => {
  let left = excess;
  for (const wallet of backing) {
    const other = all.find((sum) => sum !== from && sum.asset === from.asset && sum.wallet === wallet);
    if (other === undefined) continue;
    const taken = Decimal.min(left, Decimal.max(other.total.sub(other.locked), 0));
    other.locked = other.locked.add(taken);
    left = left.sub(taken);
  }
};
