import { createHmac } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDeliver } from '#functions/queue/deliver';
import { queueEvent } from '#local/queue-event';
import { NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import { userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import type { SomeSettings } from '#shared/platform/config/config';
import { InvalidInput, TimedOut, Unavailable } from '#shared/platform/errors';
import { EmailVerification } from '#shared/users/email-verification';
import { UserSettings } from '#shared/users/user-settings';
import { Users } from '#shared/users/users';
import { type TestPlatform, testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

const address = 'https://hooks.example.com/alphapulse';

let given: TestPlatform;
let alerts: Alerts;
let ada: UserId;
let secret: string;

const start = async (settings: SomeSettings = {}) => {
  given = testPlatform(settings);
  alerts = new Alerts(given.platform);
  await given.list('sim', ['BTC/USDT']);
  ada = await given.user();
  // Not by the settings, whose notice would be one more mail.
  await given.table.update(userKey(ada), { set: { webhookUrl: address } });
  secret = await new Users(given.platform).webhookSecret(ada);
};
beforeEach(() => start());

const queue = () => given.queue('deliveries');

/** Fires one alert with these channels, up to where its deliveries wait in the queue. */
const fire = async (channels: readonly string[], name = 'Round number'): Promise<void> => {
  const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: 'above', value: '100' };
  await given.tick('BTC/USDT', '101');
  await alerts.add(ada, NewAlert.parse({ condition, channels, name, severity: 'critical' }), testOrigin);
  const { streamEvent } = await import('#local/stream-event');
  const changes = (await given.changes.read('alerts', 100)).filter(({ after }) => after?.kind === 'notification');
  await given.consumers.alerts(streamEvent(changes), testContext);
};
const receive = () => queue().receive(10, 65);
const handle = async (messages: Awaited<ReturnType<typeof receive>>) => {
  const { batchItemFailures } = await given.awake(given.deliver(queueEvent('deliveries', messages), testContext));
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const { id, receipt } of messages) if (!failed.has(id)) await queue().remove(receipt);
};
/** Handles what is visible, second by second. @returns the seconds at which the handler was called */
const handleFor = async (seconds: number): Promise<number[]> => {
  const handled: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const messages = await receive();
    if (messages.length > 0) {
      handled.push(second);
      await handle(messages);
    }
    await given.clock.advance(1000);
  }
  return handled;
};
const delivery = async () => (await notificationHistory(given.table, ada, { limit: 1 })).items[0]?.deliveries[0];

describe('a mail', () => {
  it('is sent once when its job comes twice', async () => {
    await fire(['email']);
    const [first] = await receive();
    await queue().send([{ body: first?.body ?? '' }]);
    const both = [...(first === undefined ? [] : [first]), ...(await receive())];
    await handle(both);
    await handleFor(70);
    expect(both).toHaveLength(2);
    expect([given.mailer.list(9).length, (await delivery())?.status, await queue().depth()]).toEqual([
      1,
      'delivered',
      { waiting: 0, delayed: 0, inFlight: 0 },
    ]);
  });

  it('that the mail service refuses for good fails at once', async () => {
    let attempts = 0;
    given.mailer.send = async () => {
      attempts += 1;
      throw new InvalidInput('to', 'The mail service refuses the mail');
    };
    await fire(['email']);
    await handleFor(70);
    expect([attempts, await delivery(), await queue().depth()]).toMatchObject([
      1,
      { status: 'failed', error: 'The mail service refuses the mail.' },
      { waiting: 0, delayed: 0, inFlight: 0 },
    ]);
  });

  it('about security that the mail service refuses for good is not sent again', async () => {
    let attempts = 0;
    given.mailer.send = async () => {
      attempts += 1;
      throw new InvalidInput('from', 'The mail service does not let this installation send');
    };
    await new EmailVerification(given.platform).request(ada);
    await handleFor(70);
    expect([attempts, await queue().depth()]).toEqual([1, { waiting: 0, delayed: 0, inFlight: 0 }]);
  });

  it('is sent by one of two that handle the same message at the same time', async () => {
    let sent = 0;
    given.mailer.send = async () => {
      sent += 1;
    };
    await fire(['email']);
    const messages = await receive();
    await Promise.all([handle(messages), handle(messages)]);
    expect(sent).toBe(1);
  });

  it('carries a name with markup and line breaks as plain words', async () => {
    await fire(['email'], '<script>alert("x")</script>\r\nBcc: eve@example.com');
    await handle(await receive());
    const [mail] = given.mailer.list(1);
    expect(mail?.html).not.toContain('<script');
    expect(mail?.html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
    expect(mail?.subject).not.toMatch(/[\r\n]/);
  });

  it('that the process sent and could not note is sent again under the same id', async () => {
    const ids: string[] = [];
    given.mailer.send = async ({ id }) => {
      ids.push(id);
      given.table.once(
        ({ name }) => name === 'update',
        async () => {
          throw new Unavailable('The table does not answer');
        },
      );
    };
    await fire(['email']);
    given.table.before = () => {};
    await handle(await receive());
    given.mailer.send = async ({ id }) => {
      ids.push(id);
    };
    await handleFor(130);
    expect([ids.length, new Set(ids).size, (await delivery())?.status]).toEqual([2, 1, 'delivered']);
  });

  it('is tried again after an error that nobody foresaw', async () => {
    let attempts = 0;
    given.mailer.send = async () => {
      attempts += 1;
      if (attempts === 1) throw new TypeError('socket hang up');
    };
    await fire(['email']);
    await handle(await receive());
    expect(await delivery()).toMatchObject({ status: 'pending', error: 'The delivery failed.' });
    await handleFor(5);
    expect((await delivery())?.status).toBe('delivered');
  });
});

/** Stripe's scheme, as its documentation has receivers check it. */
const isSigned = (header: string, body: string, now: number): boolean => {
  const parts = new Map(header.split(',').map((part) => part.split('=', 2) as [string, string]));
  const timestamp = parts.get('t') ?? '';
  const expected = createHmac('sha256', secret ?? '')
    .update(timestamp)
    .update('.')
    .update(Buffer.from(body))
    .digest('hex');
  return parts.get('v1') === expected && Math.abs(now / 1000 - Number(timestamp)) <= 300;
};

describe('a webhook', () => {
  it('is signed, so that its receiver can check it, and tells of the firing', async () => {
    await fire(['webhook'], 'Größe 😀');
    await handle(await receive());
    const [post] = given.network.posts;
    expect(post?.url).toBe(address);
    expect(isSigned(post?.headers['x-alphapulse-signature'] ?? '', post?.body ?? '', given.clock.now())).toBe(true);
    const [{ deliveries: _, ...firing } = { deliveries: [] }] = (
      await notificationHistory(given.table, ada, { limit: 1 })
    ).items;
    expect(JSON.parse(post?.body ?? '')).toEqual({ type: 'alert.fired', notification: firing });
    expect(firing).toMatchObject({ condition: { type: 'price', value: '100' }, level: '100', value: '101' });
  });

  it('is tried ever more seldom, has failed after the last time, and waits in the dead letters', async () => {
    given.network.answers.push(500, new TimedOut('Slow'), 404, 302, new Unavailable('Refused'), 503);
    await fire(['webhook']);
    const at = await handleFor(300);
    const gaps = at.slice(1).map((second, position) => second - (at[position] ?? 0));
    expect(gaps).toHaveLength(5);
    for (const [position, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(2 ** position);
      expect(gap).toBeLessThanOrEqual(2 ** (position + 1));
    }
    expect(await delivery()).toMatchObject({ status: 'failed', error: 'The webhook did not accept the delivery.' });
    expect(await given.queue('deliveries-dead').depth()).toEqual({ waiting: 1, delayed: 0, inFlight: 0 });
  });

  it.each([
    ['an address of the inner network', new Unavailable('The address is not a public one')],
    ['a closed port', new Unavailable("The address can't be reached", { cause: new Error('connect ECONNREFUSED') })],
    ['an open port that is silent', new TimedOut('The address did not answer in time')],
    ['a server there', 403],
  ])('says nothing of %s but to the log', async (_, answer) => {
    const lines: string[] = [];
    const logger = new Logger({ serviceName: 'test', logLevel: 'WARN' });
    Object.assign(logger, { console: { warn: (line: unknown) => void lines.push(String(line)) } });
    given.network.answers.push(answer);
    await fire(['webhook']);
    const deliver = createDeliver({ ...given.platform, logger });
    await deliver(queueEvent('deliveries', await receive()), testContext);
    expect(await delivery()).toMatchObject({ status: 'pending', error: 'The webhook did not accept the delivery.' });
    const message = answer instanceof Error ? answer.message : 'The webhook answered 403.';
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'A delivery failed', error: { cause: { message } } },
    ]);
  });

  it.each([
    [302, '3xx'],
    [404, '4xx'],
    [503, '5xx'],
  ])('names the class of the status %i where only public addresses are called', async (answer, named) => {
    await start({ notifications: { privateWebhooks: false } });
    given.network.answers.push(answer);
    await fire(['webhook']);
    await handle(await receive());
    const error = `The webhook did not accept the delivery: it answered with a status ${named}.`;
    expect(await delivery()).toMatchObject({ status: 'pending', error });
  });

  it('that failed is sent when its job comes back from the dead letters', async () => {
    given.network.answers.push(500, 500, 500, 500, 500, 500);
    await fire(['webhook']);
    await handleFor(300);
    const [dead] = await given.queue('deliveries-dead').receive(1, 60);
    await queue().send([{ body: dead?.body ?? '' }]);
    await handleFor(2);
    const retried = await delivery();
    expect([given.network.posts.length, retried?.status, retried?.error]).toEqual([7, 'delivered', undefined]);
  });

  it('is sent again under the same delivery id when the process ended after sending it', async () => {
    await fire(['webhook']);
    const messages = await receive();
    const gone = Promise.withResolvers<never>();
    given.network.post = async (url, headers, body) => {
      given.network.posts.push({ url, headers, body });
      return await gone.promise;
    };
    const ended = given.deliver(queueEvent('deliveries', messages), testContext);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await delivery())?.status).toBe('sending');
    given.network.post = async (url, headers, body) => {
      given.network.posts.push({ url, headers, body });
      return 200;
    };
    await handleFor(70);
    const sent = given.network.posts.map(({ headers }) => headers['x-alphapulse-delivery']);
    expect([sent.length, new Set(sent).size, (await delivery())?.status]).toEqual([2, 1, 'delivered']);
    gone.reject(new Unavailable('The process ended.'));
    await ended;
  });

  it('that was slower than its claim does not undo what another attempt has delivered', async () => {
    await fire(['webhook']);
    const messages = await receive();
    const slow = Promise.withResolvers<number>();
    given.network.post = () => slow.promise;
    const first = given.deliver(queueEvent('deliveries', messages), testContext);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    given.network.post = async () => 200;
    await handleFor(70);
    slow.resolve(500);
    await first;
    expect((await delivery())?.status).toBe('delivered');
  });

  it('whose address is gone by now has failed in the end and says why', async () => {
    await fire(['webhook']);
    await new UserSettings(given.platform).change(ada, { webhookUrl: null }, testOrigin);
    await handleFor(300);
    expect(await delivery()).toMatchObject({ status: 'failed', error: 'No webhook address is set.' });
  });
});
