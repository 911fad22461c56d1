import { beforeEach, describe, expect, it } from 'vitest';
import { createSockets } from '#functions/websocket/sockets';
import { NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { Connections } from '#shared/connections/connections';
import { type StoredTicker, tickerKey } from '#shared/market/tickers';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import type { Item } from '#shared/platform/table';
import { type TestPlatform, testContext, testOrigin, testPlatform, tickerOf } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '100' } as const;

let given: TestPlatform;
let alerts: Alerts;
beforeEach(async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT']);
});

const tick = async (price: string) => {
  await given.tick('BTC/USDT', price);
  await given.settle();
};
const add = (more: object = {}) => alerts.add(ada, NewAlert.parse({ condition, ...more }), testOrigin);
const newest = async () => (await notificationHistory(given.table, ada, { limit: 1 })).items[0];

describe('a firing', () => {
  it('carries the condition, what it was about, the level and the value that reached it', async () => {
    await tick('99');
    const { alertId } = await add();
    await tick('101.5');
    const firing = await newest();
    expect(firing).toMatchObject({
      ...{ alertId, condition, venue: 'sim', symbol: 'BTC/USDT', level: '100', value: '101.5' },
      ...{ values: { 'price:sim:BTC/USDT': '101.5' }, firedAt: given.clock.now() },
    });
    expect(firing).not.toHaveProperty('recordedAt');
  });

  it('at creation carries the same', async () => {
    await tick('101.5');
    await add();
    expect(await newest()).toMatchObject({
      ...{ condition, venue: 'sim', symbol: 'BTC/USDT', level: '100', value: '101.5' },
      values: { 'price:sim:BTC/USDT': '101.5' },
    });
  });

  it('keeps the condition that fired when the alert is changed and when it is deleted', async () => {
    await tick('101');
    const { alertId } = await add();
    await alerts.change(ada, { alertId, condition: { ...condition, value: '500' } }, testOrigin);
    expect(await newest()).toMatchObject({ condition, level: '100' });
    await alerts.remove(ada, alertId, testOrigin);
    expect(await newest()).toMatchObject({ condition, level: '100' });
  });
});

describe('a firing in a replay', () => {
  const recordedAt = Date.UTC(2025, 7, 5, 20, 49);
  const play = async (price: string, timestamp: number) => {
    const before = await given.store.get<StoredTicker>(tickerKey('sim', 'BTC/USDT'));
    const ticker: StoredTicker = {
      ...tickerKey('sim', 'BTC/USDT'),
      ...tickerOf('BTC/USDT', price, timestamp),
      ...{ kind: 'ticker', venue: 'sim', source: 'recorded', series: 'a file', observedAt: given.clock.now() },
      version: (before?.version ?? 0) + 1,
    };
    await given.store.put(ticker);
    await given.settle();
  };

  it('has the time on the record beside that of the clock', async () => {
    await play('99', recordedAt - 60_000);
    await add({ repeat: 'always' });
    await play('101', recordedAt);
    expect(await newest()).toMatchObject({ firedAt: given.clock.now(), recordedAt });
  });

  it('is mailed with both', async () => {
    const userId = await given.user();
    await play('101', recordedAt);
    await alerts.add(userId, NewAlert.parse({ condition, channels: ['email'] }), testOrigin);
    await given.settle();
    const at = new Date(given.clock.now()).toISOString();
    expect(given.mailer.list(1)[0]?.text).toContain(`Triggered at ${at} in the replay of 2025-08-05T20:49:00.000Z.`);
  });

  it('has it also at creation', async () => {
    await play('101', recordedAt);
    await add();
    expect(await newest()).toMatchObject({ firedAt: given.clock.now(), recordedAt });
  });
});

describe('a firing that an earlier version stored', () => {
  const stored: Item = {
    ...{ pk: `USER#${ada}`, sk: 'NOTIFICATION#000000000001', kind: 'notification', userId: ada, seq: 1 },
    ...{ notificationId: '01890000-0000-7000-8000-000000000001', alertId: 'a1', firedAt: 1000, value: '101' },
    ...{ message: 'BTC/USDT on sim is above 100: the last price is 101.', severity: 'info' },
    ...{ deliveryStatus: { websocket: 'delivered', email: 'pending' }, deliveryAt: { websocket: 1100 } },
    deliveryError: {},
  };
  beforeEach(async () => {
    await given.store.put(stored);
    await given.store.put({ pk: `USER#${ada}`, sk: 'FEED', kind: 'feed', seq: 1 });
  });

  it('shows what is known and invents nothing', async () => {
    expect(await newest()).toEqual({
      ...{ notificationId: stored.notificationId, alertId: 'a1', firedAt: 1000, value: '101', severity: 'info' },
      ...{ message: stored.message, condition: null, values: {} },
      deliveries: [
        { channel: 'websocket', status: 'delivered', at: 1100 },
        { channel: 'email', status: 'pending', at: null },
      ],
    });
  });

  it('comes over a socket in the shape of this version, before and with the new ones', async () => {
    const sockets = createSockets(given.platform);
    given.sockets.open('c');
    const expiresAt = given.clock.now() + 900_000;
    await new Connections(given.platform).open('c', { userId: ada, sessionId: 'a session', expiresAt });
    const body = JSON.stringify({ action: 'subscribe', channels: ['alerts'], since: { alerts: 0 } });
    const event = { requestContext: { connectionId: 'c', routeKey: '$default', requestId: 'r' }, body };
    await given.awake(sockets(event as never, testContext));
    await tick('101');
    await add();
    await given.settle();
    expect(given.sockets.messages('c').slice(1)).toMatchObject([
      { type: 'update', seq: 1, data: { alertId: 'a1', value: '101', condition: null, values: {} } },
      { type: 'update', seq: 2, data: { condition, level: '100', values: { 'price:sim:BTC/USDT': '101' } } },
    ]);
  });

  it('is followed by those of this version', async () => {
    await tick('101');
    await add();
    const { items } = await notificationHistory(given.table, ada, { limit: 2 });
    expect(items.map((each) => each.condition)).toEqual([condition, null]);
  });
});
