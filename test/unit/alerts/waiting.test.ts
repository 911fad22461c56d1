import { beforeEach, describe, expect, it } from 'vitest';
import { type AlertStatus, NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { Catalog } from '#shared/market/catalog';
import { writeVenueStatus } from '#shared/market/venue-status';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import { NotFound } from '#shared/platform/errors';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const staleMs = 15_001;

let given: TestPlatform;
let alerts: Alerts;
beforeEach(async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']);
});

type Options = { readonly symbol?: string } & Partial<Pick<NewAlert, 'expiresAt' | 'repeat'>>;
const alert = (operator: string, value: string, { symbol = 'BTC/USDT', ...more }: Options = {}) =>
  NewAlert.parse({ condition: { type: 'price', venue: 'sim', symbol, operator, value }, ...more });
const add = (...args: Parameters<typeof alert>) => alerts.add(ada, alert(...args), testOrigin);
const tick = async (price: string, symbol = 'BTC/USDT') => {
  await given.tick(symbol, price);
  await given.settle();
};
/** The venue answers, with the same prices as before, but for these symbols. */
const confirm = (unconfirmed: Readonly<Record<string, number>> = {}) => {
  const now = given.clock.now();
  return writeVenueStatus(given.table, {
    ...{ venue: 'sim', source: 'simulated', lastSuccessAt: now, lastAttemptAt: now, lastChangeAt: now, durationMs: 1 },
    ...{ items: 3, failure: null, detail: null, consecutiveFailures: 0, unconfirmed },
  });
};
const listed = async (status?: AlertStatus) =>
  (await alerts.list(ada, status === undefined ? {} : { status }, { limit: 50 })).items;
const firings = async () =>
  (await notificationHistory(given.table, ada, { limit: 50 })).items.map(({ value }) => value).reverse();

describe('an alert', () => {
  it('waits while its symbol has no price', async () => {
    const made = await add('above', '100');
    expect(made).toMatchObject({ status: 'waiting', reasonCode: 'no-price' });
    expect(made.reason).toBe('There is no price of BTC/USDT at sim yet.');
    await tick('99');
    expect(await alerts.get(ada, made.alertId)).not.toHaveProperty('reason');
    expect(await listed()).toMatchObject([{ status: 'active' }]);
  });

  it('waits once its price is stale, and is active when the venue confirms it', async () => {
    await tick('99');
    const { alertId, status } = await add('above', '100');
    expect(status).toBe('active');
    const observedAt = new Date(given.clock.now()).toISOString();
    await given.clock.advance(staleMs);
    expect(await alerts.get(ada, alertId)).toMatchObject({
      status: 'waiting',
      reasonCode: 'stale-price',
      reason: `The price of BTC/USDT at sim has not been confirmed since ${observedAt}.`,
    });
    await confirm();
    expect(await alerts.get(ada, alertId)).toMatchObject({ status: 'active' });
  });

  it('waits while the venue answers, but not for its symbol', async () => {
    await tick('99');
    await tick('9', 'ETH/USDT');
    const [bitcoin, ether] = [await add('above', '100'), await add('above', '100', { symbol: 'ETH/USDT' })];
    const before = given.clock.now();
    await given.clock.advance(staleMs);
    await confirm({ 'BTC/USDT': before });
    expect(await listed('waiting')).toMatchObject([{ alertId: bitcoin.alertId, reasonCode: 'stale-price' }]);
    expect(await listed('active')).toMatchObject([{ alertId: ether.alertId }]);
  });

  it('waits while the venue does not trade its symbol, and says so', async () => {
    await tick('99');
    const { alertId } = await add('above', '100');
    await given.list('sim', ['ETH/USDT']);
    await confirm();
    expect(await alerts.get(ada, alertId)).toMatchObject({
      status: 'waiting',
      reasonCode: 'not-traded',
      reason: 'sim does not trade BTC/USDT at present: it is halted or delisted.',
    });
    await given.list('sim', ['BTC/USDT', 'ETH/USDT']);
    expect(await alerts.get(ada, alertId)).toMatchObject({ status: 'active' });
  });

  it('does not wait when it is over', async () => {
    await tick('101');
    await add('above', '100');
    await add('above', '200', { expiresAt: given.clock.now() + 1000 });
    await given.clock.advance(staleMs);
    const both = await listed();
    expect(both.map(({ status }) => status)).toEqual(['expired', 'triggered']);
    for (const over of both) expect(over).not.toHaveProperty('reason');
    expect(await listed('waiting')).toEqual([]);
  });

  it("that is another user's, or nobody's, is not found", async () => {
    const { alertId } = await add('above', '100');
    await expect(alerts.get('eve' as UserId, alertId)).rejects.toBeInstanceOf(NotFound);
    await expect(alerts.get(ada, '01890000-0000-7000-8000-000000000000')).rejects.toBeInstanceOf(NotFound);
  });
});

describe('the list', () => {
  it('gives full pages of waiting alerts, each once, newest first', async () => {
    await tick('99', 'ETH/USDT');
    const waiting: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      const made = await add('above', '100', { symbol: count % 3 === 0 ? 'SOL/USDT' : 'ETH/USDT' });
      if (made.status === 'waiting') waiting.unshift(made.alertId);
    }
    const first = await alerts.list(ada, { status: 'waiting' }, { limit: 3 });
    const second = await alerts.list(ada, { status: 'waiting' }, { limit: 3, cursor: first.cursor ?? '' });
    expect([first, second].map(({ items }) => items.map(({ alertId }) => alertId))).toEqual([
      waiting.slice(0, 3),
      waiting.slice(3),
    ]);
  });

  it.each([undefined, 'waiting'] as const)(
    'reads no more for many alerts than for one, with the status %s',
    async (status) => {
      const readsOf = async () => {
        given.table.calls.length = 0;
        await listed(status);
        return given.table.calls.map(({ name }) => name).sort();
      };
      await tick('99');
      await add('above', '100');
      await given.clock.advance(staleMs);
      const ofOne = await readsOf();
      for (let count = 0; count < 20; count += 1)
        await add('above', '100', { symbol: count % 2 ? 'ETH/USDT' : 'BTC/USDT' });
      expect(await readsOf()).toEqual(ofOne);
      expect(ofOne).toEqual(['get', 'getMany', 'getMany', 'query']);
    },
  );
});

describe('stale data', () => {
  it('fires nothing, however long it lasts, nor when it is confirmed', async () => {
    await tick('101');
    await add('crosses_above', '100', { repeat: 'always' });
    await add('below', '100', { repeat: 'always' });
    await given.clock.advance(3_600_000);
    await given.settle();
    await confirm();
    await tick('101');
    expect(await firings()).toEqual([]);
  });

  it.each([
    ['above', '102'],
    ['above', '100.5'],
    ['below', '99'],
  ])(
    'that is already %s the level at creation does not fire; the next price that is, does: %s',
    async (operator, next) => {
      await tick(operator === 'above' ? '101' : '99.5');
      await given.clock.advance(staleMs);
      const made = await add(operator, '100');
      expect([made.status, await firings()]).toEqual(['waiting', []]);
      await tick(next);
      expect(await firings()).toEqual([next]);
    },
  );

  it('that is already above the level at creation is forgotten when the next price is below', async () => {
    await tick('101');
    await given.clock.advance(staleMs);
    await add('above', '100');
    await tick('99');
    expect(await firings()).toEqual([]);
    await tick('100');
    expect(await firings()).toEqual(['100']);
  });

  it('does not fire again what fired before it, when the same price comes back', async () => {
    await tick('99');
    await add('above', '100', { repeat: 'always' });
    await tick('101');
    await given.clock.advance(staleMs);
    await confirm();
    await tick('101');
    await tick('101.5');
    expect(await firings()).toEqual(['101']);
  });

  it('is not what a change of an alert fires on either', async () => {
    await tick('99');
    const { alertId } = await add('above', '100');
    await given.clock.advance(staleMs);
    await alerts.change(ada, { alertId, condition: alert('above', '90').condition }, testOrigin);
    expect(await firings()).toEqual([]);
    await tick('95');
    expect(await firings()).toEqual(['95']);
  });

  it('of a symbol that is no longer traded fires nothing at a change', async () => {
    await tick('99');
    const { alertId } = await add('above', '100');
    await new Catalog(given.table).replace('sim', [], given.clock.now());
    const changed = alerts.change(ada, { alertId, repeat: 'always' }, testOrigin);
    expect(await changed).toMatchObject({ status: 'waiting', reasonCode: 'not-traded' });
    expect(await firings()).toEqual([]);
  });
});
