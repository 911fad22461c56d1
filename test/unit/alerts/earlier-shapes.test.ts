import { beforeEach, describe, expect, it } from 'vitest';
import { Alerts } from '#shared/alerts/alerts';
import { alertCountKey, alertKey } from '#shared/alerts/stored';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import type { Item } from '#shared/platform/table';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const alertId = '01890000-0000-7000-8000-0000000000a1';

let given: TestPlatform;
let alerts: Alerts;
beforeEach(async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT']);
  await tick('99');
});

const tick = async (...prices: string[]) => {
  for (const price of prices) {
    await given.tick('BTC/USDT', price);
    await given.settle();
    await given.clock.advance(1000);
  }
};
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '100' } as const;
const entryUp = { pk: 'LEVEL#sim#BTC/USDT#up', sk: `03:100#${alertId}` };
const entryDown = { pk: 'LEVEL#sim#BTC/USDT#down', sk: `02:99.9#${alertId}` };

/** Stores an alert and its level as they were when an alert waited at one level at most. */
const store = async (repeat: 'once' | 'always', waits: 'to fire' | 'to be armed' | 'no more' = 'to fire') => {
  const at = waits === 'to fire' ? entryUp : entryDown;
  const alert: Item = {
    ...{ pk: `USER#${ada}`, sk: `ALERT#${alertId}`, kind: 'alert', userId: ada, alertId, version: 3, name: 'Old' },
    ...{ condition, channels: ['websocket'], severity: 'info', repeat, cooldownSeconds: 0, endsAt: null },
    ...{ status: waits === 'no more' ? 'triggered' : 'active', createdAt: 1000, updatedAt: 2000 },
    ...{ lastFiredAt: null, firedCount: 0, level: waits === 'no more' ? null : { ...at, seen: 1 } },
  };
  const role = waits === 'to fire' ? 'fire' : 'rearm';
  const level: Item = { ...at, kind: 'level', userId: ada, alertId, role, operator: 'above', seen: 1 };
  await given.store.writeMany([{ put: alert }, ...(waits === 'no more' ? [] : [{ put: level }])]);
  await given.store.put({ ...alertCountKey(ada), kind: 'alert-count', alerts: 1 });
};
const firings = async () =>
  (await notificationHistory(given.table, ada, { limit: 100 })).items.map(({ value }) => value).reverse();
const listed = async () => (await alerts.list(ada, { symbol: 'BTC/USDT' }, { limit: 10 })).items;
const entries = async () => {
  const pages = ['up', 'down'].map((direction) => given.store.query({ pk: `LEVEL#sim#BTC/USDT#${direction}` }));
  return (await Promise.all(pages)).flatMap(({ items }) => items.map(({ pk, sk }) => ({ pk, sk })));
};

describe('an alert that an earlier version stored with one level', () => {
  it('is listed as it was', async () => {
    await store('once');
    expect(await listed()).toEqual([
      {
        ...{ alertId, version: 3, name: 'Old', condition, channels: ['websocket'], severity: 'info', repeat: 'once' },
        ...{ cooldownSeconds: 0, expiresAt: null, status: 'active', createdAt: 1000, updatedAt: 2000 },
        ...{ lastFiredAt: null, firedCount: 0 },
      },
    ]);
  });

  it('fires once, leaves its level, and is stored in the present shape', async () => {
    await store('once');
    await tick('101', '99', '101');
    expect(await firings()).toEqual(['101']);
    expect(await entries()).toEqual([]);
    const stored = await given.store.get(alertKey(ada, alertId));
    expect(stored).toMatchObject({ shape: 2, version: 4, status: 'triggered', waits: [] });
    expect(stored).not.toHaveProperty('level');
  });

  it('that repeats is armed again and fires again', async () => {
    await store('always');
    await tick('101', '99.95', '101', '99.9');
    expect(await entries()).toEqual([entryUp]);
    await tick('102');
    expect(await firings()).toEqual(['101', '102']);
  });

  it('that had fired is armed again at its re-arm level', async () => {
    await store('always', 'to be armed');
    await tick('101', '99.5', '102');
    expect(await firings()).toEqual(['102']);
  });

  it('that had fired for good is armed by a change', async () => {
    await store('once', 'no more');
    await alerts.change(ada, { alertId, repeat: 'always' }, testOrigin);
    await tick('101');
    expect(await firings()).toEqual(['101']);
  });

  it('keeps its level when it is renamed', async () => {
    await store('once');
    const renamed = await alerts.change(ada, { alertId, version: 3, name: 'New' }, testOrigin);
    expect(renamed).toMatchObject({ version: 4, name: 'New', status: 'active' });
    await tick('101');
    expect(await firings()).toEqual(['101']);
  });

  it('leaves its level when its condition is changed', async () => {
    await store('once');
    await alerts.change(ada, { alertId, condition: { ...condition, value: '105' } }, testOrigin);
    await tick('101');
    expect([await firings(), await entries()]).toEqual([[], [{ ...entryUp, sk: `03:105#${alertId}` }]]);
    await tick('106');
    expect(await firings()).toEqual(['106']);
  });

  it('takes its level with it when it is deleted', async () => {
    await store('once');
    await alerts.remove(ada, alertId, testOrigin);
    await tick('101');
    expect([await listed(), await entries(), await firings()]).toEqual([[], [], []]);
  });

  it('takes its level with it when its user is deleted', async () => {
    await store('once');
    await alerts.removeAll(ada);
    expect([await listed(), await entries()]).toEqual([[], []]);
  });
});
