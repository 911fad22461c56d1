import { beforeEach, describe, expect, it } from 'vitest';
import type { RejectedRow } from '#shared/exchange/account-venue';
import { memoryAccount, owner } from '../../../support/memory-account.ts';
import { orderAt, tradeAt, transferOfId } from '../../../support/memory-venue.ts';

let account: Awaited<ReturnType<typeof memoryAccount>>;
beforeEach(async () => {
  account = await memoryAccount();
});

const row = (list: RejectedRow['list'], id: string | null = '9'): RejectedRow => ({
  list,
  id,
  reason: 'malformed price',
});
const trades = async () => (await account.records.trades(owner, account.accountId, { limit: 200 })).items;
const orders = async () => (await account.records.orders(owner, account.accountId, { limit: 200 })).items;

describe('a row that can not be read', () => {
  it('is counted with its reason, and the rest is stored', async () => {
    account.venue.moved = [transferOfId('1', account.given.clock.now())];
    account.venue.made = [tradeAt('1', 1000)];
    account.venue.rejected = [row('transfers'), row('trades')];
    await account.given.settle();
    expect(await trades()).toHaveLength(1);
    for (const name of ['transfers', 'trades']) {
      const shown = (await account.shown()).find(({ step }) => step === name);
      expect(shown).toMatchObject({ status: 'ok', rejected: 1, items: 1 });
      expect(shown?.detail).toContain('9: malformed price');
    }
    expect(await account.step('balances')).not.toHaveProperty('rejected');
  });

  it('of trades stays counted after its page was passed, until it can be read', async () => {
    account.venue.made = [tradeAt('1', 1000)];
    account.venue.rejected = [row('trades')];
    await account.given.settle();
    account.venue.rejected = [];
    await account.pass(90);
    expect(await account.step('trades')).toMatchObject({ rejected: 1 });
    account.venue.made.push(tradeAt('9', 2000));
    await account.pass(90);
    expect(await account.step('trades')).not.toHaveProperty('rejected');
  });

  it.each([['9'], [null]])('of an open order (id %s) does not make that order unknown', async (id) => {
    account.venue.orders = [orderAt('9')];
    await account.given.settle();
    account.venue.orders = [];
    account.venue.rejected = [row('open-orders', id)];
    await account.pass(90);
    expect((await orders()).map(({ status }) => status)).toEqual(['open']);
    account.venue.rejected = [];
    await account.pass(90);
    expect((await orders()).map(({ status }) => status)).toEqual(['unknown']);
  });

  it('costs nothing while nothing else changes', async () => {
    account.venue.rejected = [row('trades'), row('transfers')];
    await account.pass(120);
    account.given.table.takeWritten();
    await account.pass(300);
    expect(account.given.table.takeWritten().filter((key) => key.includes('TRADE_CURSOR'))).toEqual([]);
  });
});

describe('a trade whose market and fee currency the venue does not tell', () => {
  const unknown = tradeAt('1', 1000, { symbol: 'MATICEUR', fees: [{ asset: null, cost: '0.18' }] });
  const known = tradeAt('1', 1000, { symbol: 'MATIC/EUR', fees: [{ asset: 'EUR', cost: '0.18' }] });

  it('is stored as it is, and mended once the venue tells', async () => {
    account.venue.made = [unknown, tradeAt('2', 2000), tradeAt('3', 3000)];
    await account.given.settle();
    expect((await trades()).map(({ symbol }) => symbol)).toContain('MATICEUR');
    account.venue.made = [known, tradeAt('2', 2000), tradeAt('3', 3000)];
    await account.pass(90);
    await account.given.clock.advance(86_400_000);
    await account.pass(90);
    const found = (await trades()).filter(({ tradeId }) => tradeId === '1');
    expect(found).toMatchObject([{ symbol: 'MATIC/EUR', fees: [{ asset: 'EUR', cost: '0.18' }] }]);
    expect(await trades()).toHaveLength(3);
  });

  it('has its fee mended where only that was unknown', async () => {
    account.venue.made = [tradeAt('1', 1000, { fees: [{ asset: null, cost: '6' }] })];
    await account.given.settle();
    account.venue.made = [tradeAt('1', 1000)];
    await account.given.clock.advance(86_400_000);
    await account.pass(90);
    expect(await trades()).toMatchObject([{ fees: [{ asset: 'USDT', cost: '6' }] }]);
  });

  it('that stays unknown is read again ever more rarely', async () => {
    account.venue.made = [unknown];
    await account.given.settle();
    const days: number[] = [];
    for (let day = 1; day <= 12; day += 1) {
      await account.given.clock.advance(86_300_000);
      account.venue.calls.length = 0;
      await account.pass(90);
      const readTwice = account.venue.calls.filter((call) => call === 'trades all').length;
      const syncs = account.venue.calls.filter((call) => call === 'balances').length;
      if (readTwice > syncs) days.push(day);
    }
    expect(days.length).toBeGreaterThanOrEqual(1);
    expect(days.length).toBeLessThanOrEqual(3);
    expect(await trades()).toHaveLength(1);
  });
});
