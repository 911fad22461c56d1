import { beforeEach, describe, expect, it } from 'vitest';
import { duePlace, type StoredSchedule, scheduleKey } from '#shared/accounts/stored';
import { DispatchStatus } from '#shared/accounts/sync/dispatch-status';
import { CircuitBreaker } from '#shared/exchange/budget/circuit-breaker';
import type { VenueFailure } from '#shared/exchange/errors';
import { type VenueStatus, writeVenueStatus } from '#shared/market/venue-status';
import type { UserId } from '#shared/model/user-id';
import { SystemStatus } from '#shared/operations/status';
import { TimedOut, Unavailable } from '#shared/platform/errors';
import type { Config, Platform } from '#shared/platform/ports';
import { StreamStatus } from '#shared/platform/stream-status';
import { tableWith } from '../../support/table-with.ts';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

let system: TestPlatform;
beforeEach(() => {
  system = testPlatform();
});

const read = (platform: Platform = system.platform) => new SystemStatus(platform).read();
const component = async (name: string, platform?: Platform) =>
  (await read(platform)).components.find((one) => one.name === name);

const venue = (more: Partial<VenueStatus> = {}): Promise<void> => {
  const now = system.clock.now();
  const status: VenueStatus = {
    venue: 'sim',
    source: 'simulated',
    lastSuccessAt: now,
    lastAttemptAt: now,
    lastChangeAt: now,
    durationMs: 12,
    items: 2,
    failure: null,
    detail: null,
    consecutiveFailures: 0,
    ...more,
  };
  return writeVenueStatus(system.table, status);
};
const failed = (failure: VenueFailure, lastSuccessAt: number | null) =>
  venue({ failure, detail: 'The venue does not answer.', consecutiveFailures: 3, lastSuccessAt });
const consumed = async (lagMs = 0) => {
  const change = { event: 'INSERT', key: { pk: 'a', sk: 'b' }, at: system.clock.now() - lagMs, sequence: '1' } as const;
  for (const consumer of ['alerts', 'push'] as const)
    await new StreamStatus(system.platform, consumer).consumed([change]);
};

const dispatched = () => new DispatchStatus(system.platform).ran();

describe('the system', () => {
  it('is ok when each of its parts is', async () => {
    await venue();
    await consumed();
    await dispatched();
    const { status, components, version, uptimeSeconds } = await read();
    expect({ status, version, uptimeSeconds }).toEqual({ status: 'ok', version: '0.0.0-test', uptimeSeconds: 0 });
    expect(components.map(({ name }) => name)).toEqual([
      'table',
      'queue',
      'dead-letters',
      'accounts',
      'stream:alerts',
      'stream:push',
      'venue:sim',
    ]);
  });

  it('is degraded when a part is', async () => {
    await consumed();
    expect((await read()).status).toBe('degraded');
  });

  it('is down when the table is', async () => {
    const unavailable = async (): Promise<never> => {
      throw new Unavailable('The table does not answer.');
    };
    const platform = { ...system.platform, table: tableWith(system.table, { get: unavailable }) };
    const { status, components } = await read(platform);
    expect(status).toBe('down');
    expect(components.filter((one) => one.status === 'down').map(({ name }) => name)).toEqual([
      'table',
      'accounts',
      'stream:alerts',
      'stream:push',
      'venue:sim',
    ]);
    expect(components.find(({ name }) => name === 'venue:sim')?.detail).toBe('The table does not answer.');
  });

  it('says how long it runs', async () => {
    const status = new SystemStatus(system.platform);
    await system.clock.advance(90_000);
    expect((await status.read()).uptimeSeconds).toBe(90);
  });
});

describe('a venue', () => {
  const sim = async () => {
    const found = await component('venue:sim');
    return { status: found?.status, detail: found?.detail };
  };

  it('that was not polled yet is degraded', async () => {
    expect(await sim()).toEqual({ status: 'degraded', detail: 'not polled yet' });
  });

  it('that is rate limited is degraded, and says for how long it is not called', async () => {
    await venue();
    await new CircuitBreaker(system.platform, 'sim').open(90_000);
    await system.clock.advance(30_000);
    expect(await sim()).toEqual({
      status: 'degraded',
      detail: 'rate limited, not called for 60 s; simulated prices of 2 symbols, answered 30 s ago',
    });
  });

  it('that answered lately is ok, and says what it gives', async () => {
    await venue();
    await system.clock.advance(5000);
    expect(await sim()).toEqual({ status: 'ok', detail: 'simulated prices of 2 symbols, answered 5 s ago' });
  });

  it('that fails but answered lately is degraded, and says why', async () => {
    await failed('maintenance', system.clock.now());
    const { status, detail } = await sim();
    expect(status).toBe('degraded');
    expect(detail).toContain('3 failures in a row: The venue does not answer.');
  });

  it('that has not answered for more than a minute is down', async () => {
    await venue();
    await system.clock.advance(60_000);
    expect((await sim()).status).toBe('ok');
    await system.clock.advance(1);
    expect((await sim()).status).toBe('down');
  });

  it('that never answered is down', async () => {
    await failed('permission', null);
    expect(await sim()).toMatchObject({ status: 'down', detail: expect.stringContaining('never answered') });
  });

  it('that stands in for live prices says so', async () => {
    const fallback: Config['market']['fallback'] = { venue: 'sim', reason: 'no exchange answered' };
    system = testPlatform({ market: { fallback } });
    await venue();
    expect((await sim()).detail).toContain('instead of live prices: no exchange answered');
  });
});

describe('dead letters', () => {
  it.each(['deliveries-dead', 'alerts-dead', 'push-dead'] as const)(
    'in %s are told with their number',
    async (name) => {
      expect(await component('dead-letters')).toMatchObject({ status: 'ok', detail: 'none' });
      await system.queue(name).send([{ body: '1' }, { body: '2' }]);
      expect(await component('dead-letters')).toMatchObject({ status: 'degraded', detail: `${name}: 2` });
    },
  );

  it('that can not be counted are down, and the rest is told nevertheless', async () => {
    const depth = async (): Promise<never> => {
      throw new TimedOut('The queue took too long.');
    };
    const queue: Platform['queue'] = (name) => Object.assign(Object.create(system.queue(name)), { depth });
    const { components } = await read({ ...system.platform, queue });
    expect(components.map(({ status }) => status)).toEqual(['ok', 'down', 'down', 'down', 'ok', 'ok', 'degraded']);
  });
});

describe('the queue', () => {
  it('is degraded when more than a thousand deliveries wait', async () => {
    const messages = Array.from({ length: 1001 }, (_, index) => ({ body: String(index) }));
    await system.queue('deliveries').send(messages.slice(1));
    expect((await component('queue'))?.status).toBe('ok');
    await system.queue('deliveries').send(messages.slice(0, 1));
    expect(await component('queue')).toMatchObject({
      status: 'degraded',
      detail: '1001 deliveries wait, 0 are under way',
    });
  });
});

describe('the accounts', () => {
  const accounts = async () => {
    const found = await component('accounts');
    return { status: found?.status, detail: found?.detail };
  };
  const due = async (accountId: string, dueAt: number) => {
    const schedule: StoredSchedule = {
      ...{ ...scheduleKey('ada' as UserId, accountId), ...duePlace(accountId, dueAt), kind: 'account-schedule' },
      ...{ userId: 'ada' as UserId, accountId, version: 1, dueAt, syncSeconds: null },
    };
    await system.store.put(schedule);
  };

  it('are ok while they are dispatched in time', async () => {
    await dispatched();
    await due('one', system.clock.now());
    await system.clock.advance(170_000);
    expect(await accounts()).toEqual({
      status: 'ok',
      detail: 'dispatched 170 s ago, 0 accounts overdue, 0 syncs wait',
    });
  });

  it('are degraded before the dispatcher ran, and when it has not for three minutes', async () => {
    expect(await accounts()).toEqual({ status: 'degraded', detail: 'no sync was dispatched yet' });
    await dispatched();
    await system.clock.advance(181_000);
    expect((await accounts()).status).toBe('degraded');
  });

  it('are degraded when some were passed over, however many there are', async () => {
    const now = system.clock.now();
    for (let account = 0; account < 5; account += 1) await due(`account-${account}`, now - 181_000);
    await dispatched();
    expect(await accounts()).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('5 accounts overdue'),
    });
  });

  it('are degraded when their workers fall behind', async () => {
    await dispatched();
    await system.queue('account-sync').send(Array.from({ length: 1001 }, () => ({ body: '{}' })));
    expect(await accounts()).toMatchObject({ status: 'degraded', detail: expect.stringContaining('1001 syncs wait') });
  });

  it('cost a write a minute at most, however often they are dispatched', async () => {
    const status = new DispatchStatus(system.platform);
    system.table.takeWritten();
    for (let second = 0; second < 120; second += 5) {
      await status.ran();
      await system.clock.advance(5_000);
    }
    expect(system.table.takeWritten()).toHaveLength(2);
  });
});

describe('a stream consumer', () => {
  const alerts = async () => {
    const found = await component('stream:alerts');
    return { status: found?.status, detail: found?.detail };
  };

  it('is ok while there is nothing to consume', async () => {
    expect(await alerts()).toEqual({ status: 'ok', detail: 'nothing to consume yet' });
  });

  it('that has consumed nothing though prices change is degraded', async () => {
    await venue();
    expect(await alerts()).toEqual({ status: 'degraded', detail: 'has consumed nothing yet' });
  });

  it('that is up to date is ok', async () => {
    await venue();
    await consumed();
    expect(await alerts()).toEqual({ status: 'ok', detail: 'keeps up with the table' });
  });

  it('that lags by more than ten seconds is degraded', async () => {
    await venue();
    await consumed(10_001);
    expect(await alerts()).toEqual({ status: 'degraded', detail: '10 s behind the table' });
  });

  it('that fell silent while prices went on changing is degraded', async () => {
    await venue();
    await consumed();
    await system.clock.advance(90_000);
    await venue();
    expect((await alerts()).status).toBe('ok');
    await system.clock.advance(1000);
    await venue();
    expect(await alerts()).toEqual({ status: 'degraded', detail: '91 s behind the table' });
  });

  it('that is silent because nothing changes is ok', async () => {
    await venue();
    await consumed();
    await system.clock.advance(3_600_000);
    expect((await alerts()).status).toBe('ok');
  });
});
