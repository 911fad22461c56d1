import type { Exchange } from 'ccxt';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountRules } from '#shared/exchange/venues/ccxt/account-rules';
import { readTrades } from '#shared/exchange/venues/ccxt/account-trades';

interface Made {
  readonly id: number;
  readonly at: number;
  /** From when on the venue tells of it. */
  readonly toldAt: number;
}

/** Own trades as Bybit tells them: newest first, a page at a time, which says where the next one begins. */
class TradesByTime {
  readonly made: Made[] = [];
  requests = 0;
  now = Date.UTC(2026, 0, 1);

  add(count: number, ageMs: number, lateMs: number, apartMs: number): void {
    for (let trade = 0; trade < count; trade += 1) {
      const at = this.now - ageMs - trade * apartMs;
      this.made.push({ id: this.made.length, at, toldAt: at + lateMs });
    }
  }

  /** What the reader uses of ccxt's exchange. */
  readonly exchange = {
    id: 'bybit',
    fetchMyTrades: async (
      _symbol: undefined,
      since: number,
      limit: number,
      { until, type, cursor = '0' }: { readonly until: number; readonly type?: string; readonly cursor?: string },
    ) => {
      this.requests += 1;
      if (type !== 'spot') return [];
      const offset = Number(cursor);
      const newest = this.made
        .filter(({ at, toldAt }) => toldAt <= this.now && at >= since && at <= until)
        .toReversed()
        .sort((a, b) => b.at - a.at);
      const page = newest.slice(offset, offset + limit);
      return page
        .map(({ id, at }, place) => ({
          ...{ id: String(id), order: '1', timestamp: at, symbol: 'BTC/USDT', side: 'buy' },
          ...{ amount: '1', price: '2', cost: '2', fees: [] },
          info: place === 0 ? { nextPageCursor: String(offset + page.length) } : {},
        }))
        .toReversed();
    },
  } as unknown as Exchange;

  /** Reads on from a cursor as a sync does, to the end or for so many answers. */
  async read(cursor: string | null, answersMax = Number.POSITIVE_INFINITY) {
    const ids: number[] = [];
    let at = cursor;
    for (let answers = 0; answers < answersMax; answers += 1) {
      const stretch = await readTrades(this.exchange, accountRules('bybit'), undefined, at, this.now);
      ids.push(...stretch.items.map(({ tradeId }) => Number(tradeId)));
      at = stretch.cursor;
      if (!stretch.more) break;
    }
    return { ids, cursor: at };
  }
}

const hourMs = 3_600_000;

describe('trades that are told by time', () => {
  it('are all read, also those of one moment that fill more than a page', async () => {
    const venue = new TradesByTime();
    venue.add(250, hourMs, 0, 0);
    const { ids } = await venue.read(null);
    expect(ids.toSorted((a, b) => a - b)).toEqual([...Array(250).keys()]);
  });

  it('are read to the end in a few requests where more than a page of them is new', async () => {
    const venue = new TradesByTime();
    const { cursor } = await venue.read(null);
    venue.now += 70_000;
    venue.add(150, 1_000, 0, 200);
    venue.requests = 0;
    const { ids } = await venue.read(cursor, 10);
    expect(ids).toHaveLength(150);
    expect(venue.requests).toBeLessThan(100);
  });

  it('are told completely, whenever they were made, turn up up to half a minute late, or a reading is cut short', async () => {
    const round = fc.record({
      passMs: fc.oneof(fc.nat({ max: 20_000 }), fc.nat({ max: 40 * 24 * hourMs })),
      count: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 260 })),
      apartMs: fc.constantFrom(0, 0, 1, 40),
      ageMs: fc.nat({ max: 10_000 }),
      lateMs: fc.oneof(fc.constant(0), fc.nat({ max: 30_000 })),
      answers: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { maxLength: 8 }), async (rounds) => {
        const venue = new TradesByTime();
        const told = new Set<number>();
        let cursor: string | null = null;
        for (const { passMs, count, apartMs, ageMs, lateMs, answers } of rounds) {
          venue.now += passMs;
          venue.add(count, ageMs, lateMs, apartMs);
          const read = await venue.read(cursor, answers);
          for (const id of read.ids) told.add(id);
          cursor = read.cursor;
        }
        venue.now += 61_000;
        for (const id of (await venue.read(cursor)).ids) told.add(id);
        expect([...told].sort((a, b) => a - b)).toEqual(venue.made.map(({ id }) => id));
      }),
      { numRuns: 150, seed: 20_261_124 },
    );
  });
});
