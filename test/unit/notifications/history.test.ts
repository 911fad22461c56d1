import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PageRequest } from '#shared/model/page';
import type { UserId } from '#shared/model/user-id';
import { FeedWriter } from '#shared/notifications/feed';
import { type HistoryFilter, notificationHistory } from '#shared/notifications/history';
import { InvalidCursor } from '#shared/platform/errors';
import { type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-0000000000ad' as UserId;
const minuteMs = 60_000;
const dayMs = 86_400_000;

let given: TestPlatform;
beforeEach(() => {
  given = testPlatform();
});

/** Stores a firing now that was observed some time ago. */
const fire = async (alertId: string, lateMs = 0): Promise<number> => {
  const feed = await FeedWriter.open(given.platform, ada);
  const firedAt = given.clock.now() - lateMs;
  feed.add({
    ...{ alertId, firedAt, condition: null, value: '1', values: {}, message: 'It fired.', severity: 'info' },
    channels: ['websocket'],
  });
  await given.store.transact(feed.writes());
  return firedAt;
};
const pagesOf = async (filter: HistoryFilter, limit: number) => {
  const pages = [];
  let page: PageRequest = { limit };
  for (;;) {
    const { items, cursor } = await notificationHistory(given.table, ada, page, filter);
    pages.push(items);
    if (cursor === undefined) return pages;
    page = { limit, cursor };
  }
};

describe('the history', () => {
  it('comes in full pages, newest first, and ends with the last one', async () => {
    const times: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      times.unshift(await fire('a'));
      await given.clock.advance(minuteMs);
    }
    const pages = await pagesOf({}, 3);
    expect(pages.map((page) => page.map(({ firedAt }) => firedAt))).toEqual([times.slice(0, 3), times.slice(3)]);
  });

  it('of one alert has its firings alone', async () => {
    for (const alertId of ['a', 'b', 'a', 'c', 'a']) await fire(alertId);
    expect((await pagesOf({ alertId: 'a' }, 2)).map((page) => page.length)).toEqual([2, 1]);
    expect(await pagesOf({ alertId: 'z' }, 2)).toEqual([[]]);
  });

  it('from one time to another has what fired then, both inclusive', async () => {
    const times: number[] = [];
    for (let count = 0; count < 10; count += 1) {
      times.push(await fire('a'));
      await given.clock.advance(minuteMs);
    }
    const [from = 0, to = 0] = [times[3], times[6]];
    const [page] = await pagesOf({ from, to }, 50);
    expect(page?.map(({ firedAt }) => firedAt)).toEqual(times.slice(3, 7).reverse());
    expect((await pagesOf({ from: from + 1, to: to - 1 }, 50)).flat()).toHaveLength(2);
  });

  it('finds a firing that was stored days after it was observed', async () => {
    await fire('early');
    await given.clock.advance(10 * dayMs);
    for (let count = 0; count < 250; count += 1) await fire('b');
    const firedAt = await fire('late', 9 * dayMs);
    expect((await pagesOf({ from: firedAt, to: firedAt }, 50)).flat()).toMatchObject([{ alertId: 'late' }]);
  });

  it('has exactly what the filter asks for, whatever was stored late', async () => {
    const hours = fc.integer({ min: 0, max: 60 });
    const firing = fc.record({ afterHours: hours, lateHours: hours, alertId: fc.constantFrom('a', 'b') });
    const filter = fc.record({ alertId: fc.constantFrom('a', 'b'), from: hours, to: hours }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(
        fc.array(firing, { maxLength: 12 }),
        filter,
        fc.integer({ min: 1, max: 5 }),
        async (all, by, limit) => {
          given = testPlatform();
          const start = given.clock.now();
          const at = (hour: number) => start + hour * 6 * 3_600_000;
          const stored: { alertId: string; firedAt: number }[] = [];
          for (const { afterHours, lateHours, alertId } of all) {
            await given.clock.advance(afterHours * 3_600_000);
            stored.unshift({ alertId, firedAt: await fire(alertId, lateHours * 3_600_000) });
          }
          const { alertId, from, to } = by;
          const bounds = { ...(from !== undefined && { from: at(from) }), ...(to !== undefined && { to: at(to) }) };
          const wanted = stored.filter(
            (each) =>
              (alertId === undefined || each.alertId === alertId) &&
              each.firedAt >= (bounds.from ?? 0) &&
              each.firedAt <= (bounds.to ?? Number.POSITIVE_INFINITY),
          );
          const found = await pagesOf({ ...(alertId !== undefined && { alertId }), ...bounds }, limit);
          expect(found.flat().map(({ alertId: id, firedAt }) => ({ alertId: id, firedAt }))).toEqual(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(['x', '-1', '1.5', '', '9'.repeat(13)])('refuses the cursor %j', async (cursor) => {
    await expect(notificationHistory(given.table, ada, { limit: 1, cursor })).rejects.toBeInstanceOf(InvalidCursor);
  });
});

describe('a long history', () => {
  beforeEach(async () => {
    for (let count = 0; count < 1000; count += 1) {
      await fire(count === 0 ? 'rare' : 'often');
      await given.clock.advance(dayMs / 2);
    }
  });
  const readsOf = async (page: PageRequest, filter: HistoryFilter) => {
    given.table.calls.length = 0;
    const answer = await notificationHistory(given.table, ada, page, filter);
    return { ...answer, reads: given.table.calls.length };
  };

  it('is read a bounded part at a time, and goes on where a page found nothing', async () => {
    const { items, cursor, reads } = await readsOf({ limit: 50 }, { alertId: 'rare' });
    expect([items.length, reads, cursor]).toEqual([0, 4, '601']);
    expect((await pagesOf({ alertId: 'rare' }, 50)).map((page) => page.length)).toEqual([0, 0, 1]);
  });

  it('is not read from its end for what fired long ago, nor to its start for what fired of late', async () => {
    const now = given.clock.now();
    const old = await readsOf({ limit: 5 }, { from: now - 400 * dayMs, to: now - 399 * dayMs });
    expect(old.items).toHaveLength(3);
    expect([old.cursor, old.reads < 9]).toEqual([undefined, true]);
    const recent = await readsOf({ limit: 50 }, { from: now - 2 * dayMs });
    expect([recent.items.length, recent.cursor, recent.reads]).toEqual([4, undefined, 1]);
  });
});
