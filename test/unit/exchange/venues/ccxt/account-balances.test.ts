import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Holding, settled } from '#shared/exchange/venues/ccxt/account-balances';
import { Decimal } from '#shared/model/decimal';

const held = (holding: Partial<Holding>): Holding => ({
  ...{ wallet: 'spot', asset: 'BTC', total: '0', locked: '0', debt: '0', venueTime: null },
  ...holding,
});

const amount = fc.integer({ min: 0, max: 10_000 }).map((cents) => new Decimal(cents).div(100).toFixed());
const holding: fc.Arbitrary<Holding> = fc.record({
  wallet: fc.constantFrom('spot', 'funding', 'margin', 'earn', 'contract'),
  asset: fc.constantFrom('BTC', 'ETH'),
  total: fc.oneof(amount, fc.constant('-3.5')),
  locked: amount,
  debt: fc.oneof(fc.constant('0'), fc.constant('1.25')),
  venueTime: fc.constant(null),
});
const sum = (amounts: readonly string[]): Decimal => amounts.reduce((total, value) => total.add(value), new Decimal(0));

describe('balances of all wallets', () => {
  it('hold by one definition, whatever a venue reports', () => {
    void fc.assert(
      fc.property(fc.array(holding, { maxLength: 12 }), (holdings) => {
        const balances = settled(holdings);
        for (const { free, locked, total, debt } of balances) {
          for (const value of [free, locked, total, debt]) expect(new Decimal(value).gte(0)).toBe(true);
          expect(new Decimal(free).add(locked).eq(total)).toBe(true);
        }
        expect(new Set(balances.map(({ wallet, asset }) => `${wallet} ${asset}`)).size).toBe(balances.length);
      }),
    );
  });

  it('lose nothing of what is held, owed or bound by orders', () => {
    void fc.assert(
      fc.property(fc.array(holding, { maxLength: 12 }), (all) => {
        const holdings = all.map((entry) => ({ ...entry, total: entry.total.replace('-', ''), debt: '0' }));
        for (const asset of ['BTC', 'ETH']) {
          const [before, after] = [holdings, settled(holdings)].map((list) =>
            list.filter((one) => one.asset === asset),
          );
          const total = sum((before ?? []).map((entry) => entry.total));
          expect(sum((after ?? []).map((entry) => entry.total)).eq(total)).toBe(true);
          const locked = Decimal.min(sum((before ?? []).map((entry) => entry.locked)), total);
          expect(sum((after ?? []).map((entry) => entry.locked)).eq(locked)).toBe(true);
        }
      }),
    );
  });

  it('lock in the earn wallet what orders hold of an empty spot wallet', () => {
    const balances = settled([held({ locked: '0.1' }), held({ wallet: 'earn', total: '0.25' })]);
    expect(balances).toMatchObject([{ wallet: 'earn', free: '0.15', locked: '0.1', total: '0.25' }]);
  });

  it('take a balance below zero and the loan reported beside it for one debt', () => {
    expect(settled([held({ total: '-120.5', debt: '120.51' })])).toMatchObject([{ total: '0', debt: '120.51' }]);
    expect(settled([held({ total: '-7' })])).toMatchObject([{ free: '0', total: '0', debt: '7' }]);
  });

  it('bind nothing elsewhere for what is held on credit', () => {
    const owing = held({ wallet: 'margin', total: '0', locked: '2', debt: '2' });
    expect(settled([owing, held({ wallet: 'earn', total: '5' })])).toMatchObject([
      { wallet: 'margin', locked: '0', debt: '2' },
      { wallet: 'earn', free: '5' },
    ]);
  });
});
