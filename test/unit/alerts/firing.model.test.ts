import fc from 'fast-check';
import { expect, it } from 'vitest';
import { streamEvent } from '#local/stream-event';
import { type AlertUpdate, NewAlert } from '#shared/alerts/alert';
import { Alerts } from '#shared/alerts/alerts';
import type { PriceCondition } from '#shared/alerts/conditions/price';
import { Decimal } from '#shared/model/decimal';
import type { UserId } from '#shared/model/user-id';
import { notificationHistory } from '#shared/notifications/history';
import { NotFound, Unavailable } from '#shared/platform/errors';
import type { Change } from '#shared/platform/table';
import { modelRuns } from '../../support/model-runs.ts';
import { testContext, testOrigin, testPlatform } from '../../support/test-platform.ts';

/** An alert as the reference sees it. */
interface Expected {
  readonly alertId: string;
  readonly userId: UserId;
  operator: PriceCondition['operator'];
  value: number;
  repeat: 'once' | 'always';
  readonly cooldownMs: number;
  endsAt: number | null;
  waits: 'to fire' | 'to be armed' | 'for any move' | 'no more';
  /** The price that it held at when that was stale. */
  stalePrice: string | undefined;
  lastFiredAt: number | null;
  readonly fired: string[];
}

const isUp = ({ operator }: Expected) => operator === 'above' || operator === 'crosses_above';
const rearmOf = (alert: Expected) => new Decimal(alert.value).times(isUp(alert) ? '0.999' : '1.001').toNumber();

const fire = (alert: Expected, price: string, now: number): void => {
  alert.fired.push(price);
  alert.lastFiredAt = now;
  alert.waits = alert.repeat === 'always' ? 'to be armed' : 'no more';
};
const coolsDown = ({ lastFiredAt, cooldownMs }: Expected, now: number) =>
  lastFiredAt !== null && now < lastFiredAt + cooldownMs;

/** What the documentation says that a move does to an alert. */
const move = (alert: Expected, from: string | undefined, price: string, now: number): void => {
  if (alert.waits === 'no more') return;
  if (alert.waits === 'for any move') {
    if (price === alert.stalePrice) return;
    if (alert.endsAt !== null && alert.endsAt <= now) alert.waits = 'no more';
    else if (isMet(alert, price) && !coolsDown(alert, now)) fire(alert, price, now);
    else alert.waits = 'to fire';
    return;
  }
  const upwards = isUp(alert) === (alert.waits === 'to fire');
  const level = alert.waits === 'to fire' ? alert.value : rearmOf(alert);
  const [start, to] = [from === undefined ? undefined : Number(from), Number(price)];
  const holds = upwards ? to >= level : to <= level;
  const isState = alert.waits === 'to be armed' || alert.operator === 'above' || alert.operator === 'below';
  const reached = start === undefined ? isState && holds : holds && (upwards ? start < level : start > level);
  if (!reached) return;
  if (alert.endsAt !== null && alert.endsAt <= now) alert.waits = 'no more';
  else if (alert.waits === 'to be armed') alert.waits = 'to fire';
  else if (!coolsDown(alert, now)) fire(alert, price, now);
};

const isMet = ({ operator, value }: Expected, price: string): boolean =>
  operator === 'above' ? Number(price) >= value : operator === 'below' && Number(price) <= value;

const arm = (alert: Expected, price: string | undefined, isStale: boolean, now: number): void => {
  alert.waits = 'to fire';
  if (price === undefined || (alert.endsAt !== null && alert.endsAt <= now) || coolsDown(alert, now)) return;
  if (!isMet(alert, price)) return;
  if (!isStale) fire(alert, price, now);
  else Object.assign(alert, { waits: 'for any move', stalePrice: price });
};

/** The test platform has no market sync that confirms prices. */
const staleAfterMs = 15_000;

const value = fc.integer({ min: 95, max: 105 });
const operator = fc.constantFrom(
  'above' as const,
  'below' as const,
  'crosses_above' as const,
  'crosses_below' as const,
);
const endsIn = fc.option(fc.integer({ min: 1, max: 20 }), { nil: null, freq: 4 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        user: fc.constantFrom('ada', 'bob'),
        ...{ operator, value, endsIn },
        repeat: fc.constantFrom('once' as const, 'always' as const),
        cooldownSeconds: fc.constantFrom(0, 0, 3, 8),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constant('tick' as const), price: fc.integer({ min: 930, max: 1070 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('new series' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('change' as const), which: fc.nat(20), value, endsIn }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('outage' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('redeliver' as const), which: fc.nat(100) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        write: fc.nat(5),
        when: fc.constantFrom('before' as const, 'after' as const),
      }),
    },
  ),
  { minLength: 10, maxLength: 40 },
);

/**
 * Random alerts, moves, edits, redelivered changes and failures of the table, before or after any write: every alert
 * fires exactly as the reference says, every firing has one notification, and the numbers of a feed have no gap.
 */
it('fires each alert exactly as documented, whatever is delivered twice and wherever it crashes', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const given = testPlatform();
      const alerts = new Alerts(given.platform);
      await given.list('sim', ['BTC/USDT']);
      const expected: Expected[] = [];
      const delivered: Change[] = [];
      let series = 1;
      let isFirst = true;
      let last: string | undefined;
      let observedAt = 0;
      let crash: { write: number; when: 'before' | 'after' } | undefined;

      const consume = async (changes: readonly Change[]): Promise<void> => {
        for (let attempt = 0; attempt < 4; attempt += 1) {
          const { batchItemFailures } = await given.awake(given.consumers.alerts(streamEvent(changes), testContext));
          if (batchItemFailures.length === 0) return;
        }
        throw new Error('The consumer does not get over one failure');
      };
      const consumeNew = async (): Promise<void> => {
        for (let batch = await given.changes.read('alerts', 100); batch.length > 0; ) {
          const wanted = batch.filter(({ after }) => after?.kind === 'ticker' || after?.kind === 'notification');
          delivered.push(...wanted);
          await consume(wanted);
          await given.changes.advance('alerts', batch.at(-1)?.sequence ?? '');
          batch = await given.changes.read('alerts', 100);
        }
      };
      const crashing = (moment: 'before' | 'after') => (call: { writes: boolean; keys: readonly { pk: string }[] }) => {
        if (!call.writes || crash?.when !== moment || call.keys.some(({ pk }) => pk.startsWith('SYSTEM'))) return;
        if (crash.write > 0) crash.write -= 1;
        else {
          crash = undefined;
          throw new Unavailable('The table does not answer');
        }
      };

      for (const step of all) {
        await given.clock.advance(1000);
        const now = given.clock.now();
        const isStale = now - observedAt > staleAfterMs;
        const chosen = 'which' in step ? expected[step.which % Math.max(1, expected.length)] : undefined;
        if (step.do === 'add') {
          const { user, repeat, cooldownSeconds, endsIn } = step;
          const endsAt = endsIn === null ? null : now + endsIn * 1000;
          const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: step.operator };
          const added = await alerts.add(
            user as UserId,
            NewAlert.parse({
              condition: { ...condition, value: String(step.value) },
              ...{ repeat, cooldownSeconds, expiresAt: endsAt },
            }),
            testOrigin,
          );
          const alert: Expected = {
            ...{ alertId: added.alertId, userId: user as UserId, operator: step.operator, value: step.value, repeat },
            ...{ cooldownMs: cooldownSeconds * 1000, endsAt, waits: 'to fire', lastFiredAt: null, fired: [] },
            stalePrice: undefined,
          };
          arm(alert, last, isStale, now);
          expected.push(alert);
        } else if (step.do === 'change' && chosen !== undefined) {
          const endsAt = step.endsIn === null ? null : now + step.endsIn * 1000;
          const condition = { type: 'price', venue: 'sim', symbol: 'BTC/USDT', operator: chosen.operator } as const;
          const update: AlertUpdate = {
            ...{ alertId: chosen.alertId, condition: { ...condition, value: String(step.value) }, expiresAt: endsAt },
          };
          await alerts.change(chosen.userId, update, testOrigin).then(
            () => {
              Object.assign(chosen, { value: step.value, endsAt });
              arm(chosen, last, isStale, now);
            },
            (error) => expect(error).toBeInstanceOf(NotFound),
          );
        } else if (step.do === 'remove' && chosen !== undefined) {
          await alerts
            .remove(chosen.userId, chosen.alertId, testOrigin)
            .catch((error) => expect(error).toBeInstanceOf(NotFound));
          chosen.waits = 'no more';
        } else if (step.do === 'tick') {
          const price = new Decimal(step.price).div(10).toFixed();
          await given.tick('BTC/USDT', price, 'sim', `series ${series}`);
          for (const alert of expected) {
            if (isFirst || last !== price) move(alert, isFirst ? undefined : last, price, now);
          }
          [last, isFirst, observedAt] = [price, false, now];
          given.table.before = crashing('before');
          given.table.after = crashing('after');
          await consumeNew();
          given.table.before = given.table.after = () => {};
        } else if (step.do === 'redeliver') {
          const again = delivered[step.which % Math.max(1, delivered.length)];
          if (again !== undefined) await consume([again]);
        } else if (step.do === 'crash') crash = { write: step.write, when: step.when };
        else if (step.do === 'outage') await given.clock.advance(staleAfterMs);
        else if (step.do === 'new series') [series, isFirst] = [series + 1, true];
      }

      for (const userId of ['ada', 'bob'] as UserId[]) {
        const history = (await notificationHistory(given.store, userId, { limit: 1000 })).items.toReversed();
        for (const { alertId, fired } of expected.filter((alert) => alert.userId === userId)) {
          const firings = history.filter((firing) => firing.alertId === alertId);
          expect(firings.map((firing) => firing.value)).toEqual(fired);
        }
        const numbers = (await given.store.query({ pk: `USER#${userId}`, sk: { prefix: 'NOTIFICATION#' } })).items;
        expect(numbers.map(({ seq }) => seq)).toEqual(history.map((_, position) => position + 1));
      }
    }),
    { numRuns: modelRuns(80) },
  );
});
