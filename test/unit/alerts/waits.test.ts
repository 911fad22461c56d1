import { beforeEach, describe, expect, it } from 'vitest';
import { NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { alertKey, type StoredAlert } from '#shared/alerts/stored';
import { crossingEntry, priceSeries, waitOf } from '#shared/market/crossing-entry';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;

let given: TestPlatform;
let alerts: Alerts;
beforeEach(async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT']);
  await given.tick('BTC/USDT', '99');
  await given.settle();
});

const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '100' };
const add = async () => (await alerts.add(ada, NewAlert.parse({ condition }), testOrigin)).alertId;
const series = 'ind:sim:BTC/USDT:1h:rsi:14';

/** Has an alert wait at as many levels of another series as well. */
const alsoAt = async (alertId: string, count: number) => {
  const waiter = { userId: ada, id: alertId, role: 'fire' };
  const more = Array.from({ length: count }, (_, index) =>
    crossingEntry({ series, direction: 'up', value: String(index), reachedByFirst: false }, waiter, 0),
  );
  await given.store.writeMany(more.map((put) => ({ put })));
  const stored = await given.store.get<StoredAlert>(alertKey(ada, alertId));
  const waits = [...(stored?.waits ?? []), ...more.map(waitOf)];
  await given.store.update(alertKey(ada, alertId), { set: { waits: waits as never } });
};
const entries = async () => {
  const partitions = ['LEVEL#sim#BTC/USDT#up', `LEVEL#${series}#up`];
  const pages = await Promise.all(partitions.map((pk) => given.store.query({ pk })));
  return pages.flatMap(({ items }) => items.map(({ id }) => id));
};
const reach = async () => {
  await given.tick('BTC/USDT', '101');
  await given.settle();
};
const fired = async () =>
  (await notificationHistory(given.table, ada, { limit: 100 })).items.map(({ alertId }) => alertId).sort();

describe('an alert that waits at many levels', () => {
  it('leaves all of them when it fires at one, however many alerts do so at once', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await add());
    for (const id of ids) await alsoAt(id, 30);
    await reach();
    expect(await fired()).toEqual(ids.toSorted());
    expect(await entries()).toEqual([]);
    const { items } = await given.store.query({ pk: `USER#${ada}`, sk: { prefix: 'NOTIFICATION#' } });
    expect(items.map(({ seq }) => seq)).toEqual(ids.map((_, index) => index + 1));
  });

  it('leaves all of them when it is changed or deleted', async () => {
    const [changed, deleted] = [await add(), await add()];
    await alsoAt(changed, 5);
    await alsoAt(deleted, 5);
    await alerts.change(ada, { alertId: changed, repeat: 'always' }, testOrigin);
    await alerts.remove(ada, deleted, testOrigin);
    expect(await entries()).toEqual([changed]);
  });

  it('leaves all of them when its user is deleted', async () => {
    for (const id of [await add(), await add(), await add()]) await alsoAt(id, 60);
    await alerts.removeAll(ada);
    expect(await entries()).toEqual([]);
    expect((await alerts.list(ada, {}, { limit: 10 })).items).toEqual([]);
  });
});

it('what else waits at a level, such as a paper order, is left to its own consumer', async () => {
  const id = await add();
  const level = {
    series: priceSeries('sim', 'BTC/USDT'),
    direction: 'up',
    value: '100',
    reachedByFirst: false,
  } as const;
  const order = crossingEntry(level, { userId: ada, id: 'an-order', role: 'fill' }, 0);
  await given.store.put(order);
  await reach();
  expect([await fired(), await entries()]).toEqual([[id], ['an-order']]);
});
