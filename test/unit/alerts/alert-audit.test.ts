import { beforeEach, describe, expect, it } from 'vitest';
import { NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { alertKey, type StoredAlert } from '#shared/alerts/stored';
import { AuditReader } from '#shared/audit/audit-reader';
import { verifyAudit } from '#shared/audit/verify';
import type { UserId } from '#shared/model/user-id';
import { Conflict } from '#shared/platform/errors';
import { killed } from '../../support/killed.ts';
import { type TestPlatform, testOrigin, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;

let given: TestPlatform;
let alerts: Alerts;
const start = async () => {
  given = testPlatform();
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT', 'SOL/USDT']);
  await given.tick('BTC/USDT', '100');
};
beforeEach(start);

const alertAbove = (value: string, more: object = {}, symbol = 'BTC/USDT') =>
  NewAlert.parse({ condition: { type: 'price', venue: 'sim', symbol, operator: 'above', value }, ...more });
const add = async () => (await alerts.add(ada, alertAbove('200'), testOrigin)).alertId;
const listed = async () => (await alerts.list(ada, {}, { limit: 50 })).items;
const entries = async (type: string) => {
  const { items } = await new AuditReader(given.platform).ofUser(ada, { type }, { limit: 200 });
  return items.map(({ target, after }) => ({ target: target?.id, after }));
};

describe.each(['before', 'after'] as const)('a process that is killed %s any of its writes', (when) => {
  /** Kills the work at one write after the other, each time from the start, until it has no more of them. */
  const killedAtEach = async (
    work: (alertId: string) => Promise<unknown>,
    check: (alertId: string) => Promise<void>,
  ) => {
    for (let write = 0, isKilled = true; isKilled; write += 1) {
      await start();
      const alertId = await add();
      isKilled = await killed(given, { write, when }, () => work(alertId));
      await check(alertId);
      expect((await verifyAudit(given.store)).findings).toEqual([]);
      if (!isKilled) expect(write).toBeGreaterThan(0);
    }
  };

  it.each([
    ['waits', () => alertAbove('200')],
    ['fires at once', () => alertAbove('50', { repeat: 'always' })],
    ['has its symbol watched from now on', () => alertAbove('200', {}, 'SOL/USDT')],
  ])('leaves an alert that %s exactly if its entry is there', async (_, alert) => {
    await killedAtEach(
      () => alerts.add(ada, alert(), testOrigin),
      async () => {
        const ids = (await listed()).map(({ alertId }) => alertId);
        expect((await entries('config.alert-created')).map(({ target }) => target)).toEqual(ids);
      },
    );
  });

  it.each([
    ['name', { name: 'Round number' }],
    ['condition', { condition: alertAbove('300').condition }],
  ])('leaves an alert with another %s exactly if its entry is there', async (_, update) => {
    await killedAtEach(
      (alertId) => alerts.change(ada, { alertId, ...update }, testOrigin),
      async (alertId) => {
        const { version = 0 } = (await given.store.get<StoredAlert>(alertKey(ada, alertId))) ?? {};
        expect(await entries('config.alert-changed')).toHaveLength(version - 1);
      },
    );
  });

  it('has deleted an alert exactly if its entry is there', async () => {
    await killedAtEach(
      (alertId) => alerts.remove(ada, alertId, testOrigin),
      async () => expect(await entries('config.alert-removed')).toHaveLength(1 - (await listed()).length),
    );
  });
});

describe('an entry', () => {
  it('shows the alert as it is, without what its owner wrote', async () => {
    const { alertId } = await alerts.add(ada, alertAbove('200', { name: 'my own words' }), testOrigin);
    await alerts.change(ada, { alertId, condition: alertAbove('300').condition, severity: 'critical' }, testOrigin);
    await alerts.remove(ada, alertId, testOrigin);
    const facts = { venue: 'sim', symbol: 'BTC/USDT', operator: 'above', channels: ['websocket'] };
    expect(await entries('config.alert')).toEqual([
      { target: alertId, after: null },
      { target: alertId, after: { ...facts, value: '300', severity: 'critical' } },
      { target: alertId, after: { ...facts, value: '200', severity: 'info' } },
    ]);
  });

  it('is not made for a change that is refused', async () => {
    const alertId = await add();
    await expect(alerts.change(ada, { alertId, version: 7, name: 'late' }, testOrigin)).rejects.toThrow(Conflict);
    expect(await entries('config.alert-changed')).toEqual([]);
  });

  it('is one for each of the alerts that are made at the same moment', async () => {
    const many = Array.from({ length: 20 }, () => new Alerts(given.platform).add(ada, alertAbove('200'), testOrigin));
    const made = await given.awake(Promise.all(many));
    const targets = (await entries('config.alert-created')).map(({ target }) => target);
    expect(targets.toSorted()).toEqual(made.map(({ alertId }) => alertId).toSorted());
    expect((await verifyAudit(given.store)).findings).toEqual([]);
  });

  it('is one of several who delete the alert at once', async () => {
    const alertId = await add();
    await given.awake(Promise.allSettled([1, 2, 3].map(() => alerts.remove(ada, alertId, testOrigin))));
    expect(await entries('config.alert-removed')).toHaveLength(1);
  });
});
