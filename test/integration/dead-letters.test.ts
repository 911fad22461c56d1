import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeadLetterOrigin, deadLetterOrigins } from '#functions/dead-letters';
import { redriveHere } from '#local/redrive';
import { alertKey } from '#shared/alerts/stored';
import type { UserId } from '#shared/model/user-id';
import type { Notification } from '#shared/notifications/notification';
import { DataFolderInUse } from '#shared/platform/sqlite/database';
import { ApiClient } from '../support/client.ts';
import { LeapingClock } from '../support/leaping-clock.ts';
import { type ServerHere, startServerHere } from '../support/server-here.ts';
import { temporaryFolder } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { type BinanceDouble, startBinance } from '../support/venues/binance.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

/** Less than any function may take, so that none runs out of time because of a leap. */
const leapMs = 5_000;
const waitMs = 15_000;

const folder = await temporaryFolder();
const clock = new LeapingClock();
const redriveAll = { dataFolder: folder.path, max: Number.POSITIVE_INFINITY, clock };
let venue: BinanceDouble;
let hooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
let server: ServerHere;
let client: ApiClient;

const start = async () => {
  const settings = {
    market: { venues: ['binance'], symbols: ['BTC/USDT', 'ETH/USDT'] },
    exchange: { venueUrls: { binance: venue.url } },
  };
  server = await startServerHere(settings, { dataFolder: folder.path, clock });
  client = await ApiClient.of(server, folder.path);
};

beforeAll(async () => {
  [venue, hooks] = await Promise.all([startBinance(), startWebhookReceiver()]);
  await start();
  await client.useWebhook(hooks.url);
  await client.priceIs('BTC/USDT', '65000');
});
afterAll(async () => {
  await server?.end();
  await venue?.close();
  hooks?.close();
  await folder.remove();
});

const condition = (symbol: string, value: string) =>
  ({ type: 'price', venue: 'binance', symbol, operator: 'crosses_above', value }) as const;
const firingOf = async (alertId: string) => (await client.history()).find((firing) => firing.alertId === alertId);
const fired = (alertId: string) => until('the firing', () => firingOf(alertId));
const deadLetters = async () => {
  const { status, components } = await client.status();
  return { system: status, ...components.find(({ name }) => name === 'dead-letters') };
};
/** Lets time pass until there is something to see. */
const later = <T>(what: string, look: () => Promise<T | undefined | false>) =>
  until(
    what,
    async () => {
      const seen = await look();
      if (seen === undefined || seen === false) clock.leap(leapMs);
      return seen;
    },
    waitMs,
  );
const originOf = (name: string): Exclude<DeadLetterOrigin, { type: 'schedule' }> => {
  const origin = deadLetterOrigins.find(({ deadLetters }) => deadLetters === name);
  if (origin === undefined || origin.type === 'schedule') throw new Error(`${name} can not be redriven`);
  return origin;
};
const redriveWhileStopped = async (name: string) => {
  await server.end();
  try {
    return await redriveHere(originOf(name), redriveAll);
  } finally {
    await start();
  }
};

describe('a change that a stream consumer always fails at', () => {
  let poisoned: string;
  let repair: () => Promise<unknown>;

  beforeAll(async () => {
    const [bitcoin, ether] = await Promise.all([
      client.createAlert({ condition: condition('BTC/USDT', '66000') }),
      client.createAlert({ condition: condition('ETH/USDT', '9000') }),
    ]);
    poisoned = bitcoin.alertId;
    const { table } = server.platform;
    const { userId } = await client.get<{ userId: UserId }>('/api/user/profile');
    const key = alertKey(userId, bitcoin.alertId);
    // An alert without its channels can't fire.
    const stored = await table.get(key);
    await table.update(key, { remove: ['channels'] });
    repair = () => server.platform.table.update(key, { set: { channels: stored?.channels ?? null } });
    venue.setPrice('BTC/USDT', '66100');
    venue.setPrice('ETH/USDT', '9100');
    await fired(ether.alertId);
    await later('the dead letter', async () => (await deadLetters()).detail !== 'none');
  });

  it('ends in the dead letters, and the status says so', async () => {
    expect(await deadLetters()).toMatchObject({ system: 'degraded', status: 'degraded', detail: 'alerts-dead: 1' });
  });

  it('does not hold up later changes of the same symbol', async () => {
    const { alertId } = await client.createAlert({ condition: condition('BTC/USDT', '66500') });
    venue.setPrice('BTC/USDT', '66600');
    await fired(alertId);
    expect(await firingOf(poisoned)).toBeUndefined();
  });

  it('can not be sent back while the server runs', async () => {
    const attempt = redriveHere(originOf('alerts-dead'), redriveAll);
    await expect(attempt).rejects.toThrow(DataFolderInUse);
    await expect(attempt).rejects.toThrow(/stop the server first/);
  });

  it('stays when it fails again, with the reason', async () => {
    const { handled, failures, left } = await redriveWhileStopped('alerts-dead');
    expect({ handled, left, failed: [...failures.values()] }).toEqual({ handled: 0, left: 1, failed: [1] });
    expect([...failures.keys()][0]).toMatch(/undefined/);
    expect(await deadLetters()).toMatchObject({ detail: 'alerts-dead: 1' });
  });

  it('fires what it should have fired once the fault is gone, once', async () => {
    await repair();
    expect(await redriveWhileStopped('alerts-dead')).toEqual({ handled: 1, failures: new Map(), left: 0 });
    expect(await fired(poisoned)).toMatchObject({ value: '66100' });
    expect(await deadLetters()).toMatchObject({ detail: 'none' });
    expect(await redriveWhileStopped('alerts-dead')).toEqual({ handled: 0, failures: new Map(), left: 0 });
    expect((await client.history()).filter(({ alertId }) => alertId === poisoned)).toHaveLength(1);
  });
});

describe('a delivery that always fails', () => {
  let alertId: string;
  const delivery = async (channel: string) => {
    const firing = await firingOf(alertId);
    return firing?.deliveries.find((each: Notification['deliveries'][number]) => each.channel === channel);
  };

  beforeAll(async () => {
    hooks.answer(500);
    const alert = { condition: condition('BTC/USDT', '67000'), channels: ['webhook', 'email'] as const };
    ({ alertId } = await client.createAlert({ ...alert, channels: [...alert.channels] }));
    venue.setPrice('BTC/USDT', '67100');
    await fired(alertId);
    await later('the dead letter', async () => (await deadLetters()).detail !== 'none');
  });

  it('ends as failed and in the dead letters; the mail of the same firing goes out', async () => {
    expect(await deadLetters()).toMatchObject({ system: 'degraded', detail: 'deliveries-dead: 1' });
    expect(await delivery('webhook')).toMatchObject({
      status: 'failed',
      error: 'The webhook did not accept the delivery.',
    });
    expect(await delivery('email')).toMatchObject({ status: 'delivered' });
  });

  it('is delivered after a redrive once the receiver is well again', async () => {
    hooks.answer(204);
    const before = hooks.received.length;
    expect(await redriveWhileStopped('deliveries-dead')).toEqual({ handled: 1, failures: new Map(), left: 0 });
    await until('the delivery', async () => (await delivery('webhook'))?.status === 'delivered');
    expect(hooks.received).toHaveLength(before + 1);
    expect(await deadLetters()).toMatchObject({ detail: 'none' });
  });
});
