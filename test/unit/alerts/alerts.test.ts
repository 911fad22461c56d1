import { beforeEach, describe, expect, it } from 'vitest';
import { ALERTS_PER_USER_MAX, NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { alertCountKey } from '#shared/alerts/stored';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import { Conflict, InvalidInput, LimitExceeded, NotFound, Unavailable } from '#shared/platform/errors';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

let given: TestPlatform;
let alerts: Alerts;
const ada = 'ada' as UserId;

beforeEach(async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT', 'ETH/USDT']);
});

type Operator = 'above' | 'below' | 'crosses_above' | 'crosses_below';
const alert = (operator: Operator, value: string, more: object = {}) =>
  NewAlert.parse({ condition: { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator, value }, ...more });

const tick = async (...prices: string[]) => {
  for (const price of prices) {
    await given.tick('BTC/USDT', price);
    await given.settle();
    await given.clock.advance(1000);
  }
};
const historyOf = async (userId: UserId) => (await notificationHistory(given.table, userId, { limit: 100 })).items;
const firings = async () => (await historyOf(ada)).map(({ value }) => value).reverse();

describe('an alert that fires once', () => {
  it('fires when the price passes its level, and not when it comes back', async () => {
    await tick('69990');
    await alerts.add(ada, alert('crosses_above', '70000'), testOrigin);
    await tick('70010', '69990', '70010');
    expect(await firings()).toEqual(['70010']);
  });

  it.each([
    ['crosses_above', ['99', '100'], ['100']],
    ['crosses_above', ['101', '102'], []],
    ['crosses_below', ['101', '100'], ['100']],
    ['crosses_below', ['99', '98'], []],
    ['above', ['99', '99.5', '100.5'], ['100.5']],
    ['below', ['101', '100.5', '99.5'], ['99.5']],
    ['above', ['101'], ['101']],
    ['below', ['99'], ['99']],
    ['above', ['100'], ['100']],
    ['crosses_above', ['100', '100', '101'], []],
    ['crosses_above', ['100', '99', '101'], ['101']],
  ] as const)('%s 100, made before the first price, through %j fires at %j', async (operator, prices, expected) => {
    await alerts.add(ada, alert(operator, '100'), testOrigin);
    await tick(...prices);
    expect(await firings()).toEqual(expected);
  });

  it('above fires at once when it holds at creation', async () => {
    await tick('101');
    const made = await alerts.add(ada, alert('above', '100'), testOrigin);
    expect(made.status).toBe('triggered');
    await tick('99', '101');
    expect(await firings()).toEqual(['101']);
  });
});

describe('an alert that repeats', () => {
  it('fires again only after the price went back through the level by the hysteresis', async () => {
    await tick('99');
    await alerts.add(ada, alert('crosses_above', '100', { repeat: 'always' }), testOrigin);
    await tick('100.5', '99.95', '100.5', '99.9', '100.7');
    expect(await firings()).toEqual(['100.5', '100.7']);
  });

  it('keeps quiet during its cooldown', async () => {
    await tick('99');
    await alerts.add(ada, alert('above', '100', { repeat: 'always', cooldownSeconds: 60 }), testOrigin);
    await tick('101', '99', '102', '99');
    expect(await firings()).toEqual(['101']);
    await given.clock.advance(60_000);
    await tick('103');
    expect(await firings()).toEqual(['101', '103']);
  });
});

describe('a new series of prices', () => {
  it('arms a fired alert again when it begins back beyond the level', async () => {
    await tick('99');
    await alerts.add(ada, alert('above', '100', { repeat: 'always' }), testOrigin);
    await tick('101');
    await given.tick('BTC/USDT', '50', 'sim', 'another');
    await given.settle();
    await given.tick('BTC/USDT', '102', 'sim', 'another');
    await given.settle();
    expect(await firings()).toEqual(['101', '102']);
  });
});

describe('changing an alert', () => {
  const priceAbove = (value: string) => alert('above', value).condition;

  it('to a level that holds already does not fire within the cooldown', async () => {
    await tick('99');
    const { alertId } = await alerts.add(
      ada,
      alert('above', '100', { repeat: 'always', cooldownSeconds: 60 }),
      testOrigin,
    );
    await tick('101');
    await alerts.change(ada, { alertId, condition: priceAbove('90') }, testOrigin);
    expect(await firings()).toEqual(['101']);
  });

  it('to another level fires at that one and not at the one before', async () => {
    await tick('99');
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    await alerts.change(ada, { alertId, condition: priceAbove('105') }, testOrigin);
    await tick('101');
    expect(await firings()).toEqual([]);
    await tick('106');
    expect(await firings()).toEqual(['106']);
  });

  it('in its name keeps its level and whether it has fired', async () => {
    await tick('99');
    const first = await alerts.add(ada, alert('above', '100'), testOrigin);
    await alerts.change(ada, { alertId: first.alertId, name: 'Round number' }, testOrigin);
    await tick('101');
    expect(await firings()).toEqual(['101']);
    const renamed = await alerts.change(ada, { alertId: first.alertId, name: 'Fired' }, testOrigin);
    expect(renamed.status).toBe('triggered');
  });

  it('arms one that fired when it shall repeat from now on', async () => {
    await tick('99');
    const { alertId } = await alerts.add(ada, alert('crosses_above', '100'), testOrigin);
    await tick('101');
    await alerts.change(ada, { alertId, repeat: 'always' }, testOrigin);
    await tick('99', '102');
    expect(await firings()).toEqual(['101', '102']);
  });

  it('gives one that expired more time', async () => {
    await tick('99');
    const expiresAt = given.clock.now() + 5000;
    const { alertId } = await alerts.add(ada, alert('above', '100', { expiresAt }), testOrigin);
    await given.clock.advance(6000);
    await tick('101', '99');
    await alerts.change(ada, { alertId, expiresAt: given.clock.now() + 60_000 }, testOrigin);
    await tick('102');
    expect(await firings()).toEqual(['102']);
  });

  it('with a stale version is a conflict and changes nothing', async () => {
    const made = await alerts.add(ada, alert('above', '100'), testOrigin);
    await alerts.change(ada, { alertId: made.alertId, version: 1, name: 'Second' }, testOrigin);
    const before = await alerts.list(ada, {}, { limit: 10 });
    const stale = alerts.change(
      ada,
      { alertId: made.alertId, version: 1, name: 'Third', condition: priceAbove('1') },
      testOrigin,
    );
    await expect(stale).rejects.toBeInstanceOf(Conflict);
    expect(await alerts.list(ada, {}, { limit: 10 })).toEqual(before);
  });

  it('of somebody else is as if it did not exist, and so is deleting it', async () => {
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    const eve = 'eve' as UserId;
    await expect(alerts.change(eve, { alertId, name: 'Mine' }, testOrigin)).rejects.toBeInstanceOf(NotFound);
    await expect(alerts.remove(eve, alertId, testOrigin)).rejects.toBeInstanceOf(NotFound);
    expect((await alerts.list(ada, {}, { limit: 10 })).items).toHaveLength(1);
  });
});

describe('what races a move of the price', () => {
  const isStoring = ({ name, keys }: { name: string; keys: readonly { sk: string }[] }) =>
    name === 'transact' && keys.some(({ sk }) => sk.startsWith('ALERT#'));

  it('a new alert sees the tick that lands while it is being stored', async () => {
    await tick('99');
    given.table.once(isStoring, () => given.tick('BTC/USDT', '101'));
    const made = await given.awake(alerts.add(ada, alert('above', '100'), testOrigin));
    expect(made.status).toBe('triggered');
    await given.settle();
    expect(await firings()).toEqual(['101']);
  });

  it('a crossing alert waits for a move after the tick that landed meanwhile', async () => {
    await tick('99');
    given.table.once(isStoring, () => given.tick('BTC/USDT', '101'));
    await given.awake(alerts.add(ada, alert('crosses_above', '100'), testOrigin));
    await given.settle();
    expect(await firings()).toEqual([]);
    await tick('99', '102');
    expect(await firings()).toEqual(['102']);
  });

  it('an alert that is deleted as it is reached does not fire', async () => {
    await tick('99');
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    given.table.once(isStoring, () =>
      new Alerts({ ...given.platform, table: given.store }).remove(ada, alertId, testOrigin),
    );
    await tick('101');
    expect(await firings()).toEqual([]);
  });

  it('an alert that is moved away as it is reached fires at its new level', async () => {
    await tick('99');
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    given.table.once(isStoring, async () => {
      const meanwhile = new Alerts({ ...given.platform, table: given.store });
      await meanwhile.change(ada, { alertId, condition: alert('above', '200').condition }, testOrigin);
    });
    await tick('101');
    expect(await firings()).toEqual([]);
    await tick('201');
    expect(await firings()).toEqual(['201']);
  });

  it('an alert that left its level and is back at it does not fire for the move before', async () => {
    await tick('99');
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    given.table.once(isStoring, async () => {
      await given.tick('BTC/USDT', '98');
      const meanwhile = new Alerts({ ...given.platform, table: given.store });
      await meanwhile.change(ada, { alertId, condition: alert('above', '100').condition }, testOrigin);
    });
    await tick('101');
    expect(await firings()).toEqual([]);
    await tick('102');
    expect(await firings()).toEqual(['102']);
  });

  it('a move seen before the end fires, though its level was to be swept before the stream delivered it', async () => {
    await tick('99');
    await alerts.add(ada, alert('above', '100', { expiresAt: given.clock.now() + 5000 }), testOrigin);
    await given.tick('BTC/USDT', '101');
    await given.clock.advance(60_000);
    await given.store.sweep();
    await given.settle();
    expect(await firings()).toEqual(['101']);
  });

  it('a move after the end expires the alert', async () => {
    await tick('99');
    await alerts.add(ada, alert('above', '100', { expiresAt: given.clock.now() + 5000 }), testOrigin);
    await given.clock.advance(5000);
    await tick('101');
    const [listed] = (await alerts.list(ada, {}, { limit: 10 })).items;
    expect([await firings(), listed?.status]).toEqual([[], 'expired']);
  });
});

describe('many alerts', () => {
  it('150 of one user fire at one tick, in a feed without gaps', async () => {
    await tick('99');
    for (let count = 0; count < 150; count += 1) await alerts.add(ada, alert('above', '100'), testOrigin);
    await tick('101');
    const stored = await given.store.query({ pk: `USER#${ada}`, sk: { prefix: 'NOTIFICATION#' } });
    expect(stored.items.map(({ seq }) => seq)).toEqual(Array.from({ length: 150 }, (_, position) => position + 1));
    expect(new Set(stored.items.map(({ alertId }) => alertId)).size).toBe(150);
  });

  it('one user at many symbols that move at once', async () => {
    const symbols = Array.from({ length: 16 }, (_, number) => `C${number}/USDT`);
    await given.list('sim', symbols);
    for (const symbol of symbols) {
      await given.tick(symbol, '99');
      const condition = { ...alert('above', '100').condition, symbol };
      for (let count = 0; count < 3; count += 1) await alerts.add(ada, NewAlert.parse({ condition }), testOrigin);
    }
    await given.settle();
    for (const symbol of symbols) await given.tick(symbol, '101');
    await given.settle();
    expect(await firings()).toHaveLength(48);
  });

  it('of many users at the same level fire for each of them', async () => {
    await tick('99');
    const users = Array.from({ length: 40 }, (_, number) => `user-${number}` as UserId);
    for (const userId of users) await alerts.add(userId, alert('above', '100'), testOrigin);
    await tick('101');
    const counts = await Promise.all(users.map(async (userId) => (await historyOf(userId)).length));
    expect(counts).toEqual(users.map(() => 1));
  });

  it('of one user that can not be recorded do not hold up those of others', async () => {
    await tick('99');
    const users = Array.from({ length: 40 }, (_, number) => `user-${number}` as UserId);
    for (const userId of users) await alerts.add(userId, alert('above', '100'), testOrigin);
    given.table.before = ({ name, keys }) => {
      if (name === 'transact' && keys.some(({ pk }) => pk === 'USER#user-3')) throw new Unavailable('Broken');
    };
    await given.tick('BTC/USDT', '101');
    await expect(given.settle()).rejects.toThrow('alerts failed');
    const counts = await Promise.all(users.map(async (userId) => (await historyOf(userId)).length));
    expect(counts.filter((count) => count === 1)).toHaveLength(39);
  });
});

describe('what an alert may be', () => {
  it(`no more than ${ALERTS_PER_USER_MAX} of them, where deleting one makes room for one`, async () => {
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    await given.store.update(alertCountKey(ada), { set: { alerts: ALERTS_PER_USER_MAX } });
    await expect(alerts.add(ada, alert('above', '100'), testOrigin)).rejects.toBeInstanceOf(LimitExceeded);
    await alerts.remove(ada, alertId, testOrigin);
    await alerts.add(ada, alert('above', '100'), testOrigin);
    await expect(alerts.add(ada, alert('above', '100'), testOrigin)).rejects.toBeInstanceOf(LimitExceeded);
    expect((await alerts.list(ada, {}, { limit: 10 })).items).toHaveLength(1);
  });

  it('counted once however many delete it at a time', async () => {
    const { alertId } = await alerts.add(ada, alert('above', '100'), testOrigin);
    await alerts.add(ada, alert('above', '100'), testOrigin);
    await given.awake(Promise.allSettled([1, 2, 3].map(() => alerts.remove(ada, alertId, testOrigin))));
    expect((await given.store.get(alertCountKey(ada)))?.alerts).toBe(1);
  });

  it.each([
    ['a venue that is not watched', { venue: 'kraken' }, InvalidInput],
    ['a symbol that the venue does not list', { symbol: 'NO/USDT' }, InvalidInput],
  ])('not of %s', async (_, condition, error) => {
    const wanted = NewAlert.parse({ condition: { ...alert('above', '100').condition, ...condition } });
    await expect(alerts.add(ada, wanted, testOrigin)).rejects.toBeInstanceOf(error);
    expect(await given.store.get(alertCountKey(ada))).toBeUndefined();
  });

  it('not by webhook before there is an address', async () => {
    const wanted = alert('above', '100', { channels: ['webhook'] });
    await expect(alerts.add(await given.user(), wanted, testOrigin)).rejects.toBeInstanceOf(InvalidInput);
  });

  it('not with a time that is over', async () => {
    const wanted = alert('above', '100', { expiresAt: given.clock.now() });
    await expect(alerts.add(ada, wanted, testOrigin)).rejects.toBeInstanceOf(InvalidInput);
  });

  it.each(['0', '0.00', '-1', '1e3', '01', '', '.5'])('not with the value %j', (value) => {
    expect(() => alert('above', value)).toThrow();
  });
});

describe('the list of alerts', () => {
  const pages = async (filter: object, limit: number) => {
    const found: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await alerts.list(ada, filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
      found.push(page.items.map(({ alertId }) => alertId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found;
  };

  it('gives full pages of those that match, each once, newest first', async () => {
    const wanted: string[] = [];
    for (let count = 0; count < 25; count += 1) {
      const symbol = count % 3 === 0 ? 'ETH/USDT' : 'BTC/USDT';
      const made = await alerts.add(
        ada,
        NewAlert.parse({ condition: { ...alert('above', '100').condition, symbol } }),
        testOrigin,
      );
      if (symbol === 'ETH/USDT') wanted.unshift(made.alertId);
    }
    const found = await pages({ symbol: 'ETH/USDT' }, 4);
    expect(found.flat()).toEqual(wanted);
    expect(found[0]).toHaveLength(4);
  });

  it('reads the table a few times, however few match', async () => {
    for (let count = 0; count < 60; count += 1) await alerts.add(ada, alert('above', '100'), testOrigin);
    given.table.calls.length = 0;
    await alerts.list(ada, { symbol: 'ETH/USDT' }, { limit: 1 });
    expect(given.table.calls.length).toBeLessThan(4);
  });
});
