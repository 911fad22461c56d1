import { beforeEach, describe, expect, it } from 'vitest';
import { VenueError, type VenueFailure } from '#shared/exchange/errors';
import type { Market, Ticker, Venue } from '#shared/exchange/venue';
import { Catalog } from '#shared/market/catalog';
import { tickerKind } from '#shared/market/items';
import { MarketSync } from '#shared/market/market-sync';
import { priceMoveOf, type StoredTicker, tickerKey } from '#shared/market/tickers';
import { freshnessOf, readVenueStatus } from '#shared/market/venue-status';
import { withSettings } from '#shared/platform/config/config';
import { Unavailable } from '#shared/platform/errors';
import { changeOf } from '#shared/platform/item-kind';
import { marketOf, type TestPlatform, testPlatform, tickerOf } from '../../support/test-platform.ts';

/** A venue that lists and observes what the test says. */
class ScriptedVenue implements Venue {
  readonly id = 'sim';
  source: Venue['source'] = 'simulated';
  series = 'one';
  listed: Market[] = ['BTC/USDT', 'ETH/USDT'].map(marketOf);
  observed: Ticker[] = [];
  failure: Error | undefined;
  marketsCalls = 0;
  calls: (readonly string[])[] = [];
  seen: ReadonlyMap<string, number> = new Map();

  async markets(): Promise<Market[]> {
    this.marketsCalls += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.listed;
  }
  useMarkets(): void {}
  async tickers(symbols: readonly string[], seen: ReadonlyMap<string, number>): Promise<Ticker[]> {
    this.calls.push(symbols);
    this.seen = seen;
    if (this.failure !== undefined) throw this.failure;
    return this.observed;
  }
}

let given: TestPlatform;
let venue: ScriptedVenue;
let sync: MarketSync;

beforeEach(() => {
  given = testPlatform();
  venue = new ScriptedVenue();
  sync = new MarketSync(given.platform, venue);
});

const observe = (...prices: [symbol: string, last: string, timestamp?: number][]) => {
  venue.observed = prices.map(([symbol, last, timestamp = given.clock.now()]) => tickerOf(symbol, last, timestamp));
};
const stored = (symbol = 'BTC/USDT') => given.store.get<StoredTicker>(tickerKey('sim', symbol));
const status = async () => await readVenueStatus(given.store, 'sim');
/** Runs once after this time. @returns the items that it wrote */
const runAfter = async (seconds: number): Promise<string[]> => {
  await given.clock.advance(seconds * 1000);
  given.table.takeWritten();
  await given.awake(sync.run());
  return given.table.takeWritten();
};
const moves = async () => {
  const changes = await given.changes.read('alerts', 10_000);
  return changes.flatMap((change) => {
    const ofTicker = changeOf(tickerKind, change);
    return ofTicker === undefined ? [] : (priceMoveOf(ofTicker) ?? []);
  });
};

describe('what the sync writes', () => {
  it('is only what changed', async () => {
    observe(['BTC/USDT', '100'], ['ETH/USDT', '10']);
    await runAfter(0);
    observe(['BTC/USDT', '101'], ['ETH/USDT', '10']);
    expect(await runAfter(5)).toEqual(['PRICES#sim TICKER#BTC/USDT']);
  });

  it('is nothing while nothing changes, but the status every 10 seconds, so that readers see the confirmation', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    const written = [];
    for (let run = 0; run < 12; run += 1) written.push(...(await runAfter(5)));
    expect(written).toEqual(Array(6).fill('VENUE#sim STATUS'));
  });

  it('numbers the changes of a symbol one by one', async () => {
    for (const price of ['100', '100', '101', '102']) {
      observe(['BTC/USDT', price]);
      await runAfter(5);
    }
    expect(await stored()).toMatchObject({ last: '102', version: 3 });
  });

  it('is every one of several observations of a symbol, in their order', async () => {
    observe(['BTC/USDT', '100', 1], ['BTC/USDT', '105', 2], ['BTC/USDT', '95', 3], ['BTC/USDT', '100', 4]);
    await runAfter(0);
    expect((await moves()).map(({ from, to, version }) => [from, to, version])).toEqual([
      [undefined, '100', 1],
      ['100', '105', 2],
      ['105', '95', 3],
      ['95', '100', 4],
    ]);
  });

  it('is every one of more observations than one write takes', async () => {
    observe(...Array.from({ length: 1203 }, (_, at): [string, string, number] => ['BTC/USDT', String(at + 1), at + 1]));
    await runAfter(0);
    expect((await moves()).map(({ to }) => Number(to))).toEqual(Array.from({ length: 1203 }, (_, at) => at + 1));
  });

  it('leaves out an observation older than the one that is stored', async () => {
    observe(['BTC/USDT', '100', 2000]);
    await runAfter(0);
    observe(['BTC/USDT', '99', 1999]);
    await runAfter(5);
    expect((await stored())?.last).toBe('100');
  });

  it('takes older times of a new series, which begins without a move', async () => {
    observe(['BTC/USDT', '100', 2000]);
    await runAfter(0);
    venue.series = 'two';
    observe(['BTC/USDT', '50', 1], ['BTC/USDT', '51', 2]);
    await runAfter(5);
    expect((await moves()).map(({ from, to }) => [from, to])).toEqual([
      [undefined, '100'],
      [undefined, '50'],
      ['50', '51'],
    ]);
    expect((await stored())?.version).toBe(3);
  });

  it('is each move once where two runs of a schedule overlap, and none is skipped', async () => {
    const other = new MarketSync(given.platform, venue);
    const seen: string[] = [];
    for (const last of ['100', '101', '102']) {
      observe(['BTC/USDT', last]);
      await given.clock.advance(5000);
      await given.awake(Promise.all([sync.run(), other.run()]));
      seen.push((await stored())?.last ?? '');
    }
    expect(seen).toEqual(['100', '101', '102']);
    const changed = await given.changes.read('alerts', 10_000);
    const prices = changed.flatMap(({ after }) => (after?.kind === 'ticker' ? [after.last] : []));
    expect(prices).toEqual(['100', '101', '102']);
  });

  it('goes on, in a new process, from what is stored', async () => {
    observe(['BTC/USDT', '100', 2000]);
    await runAfter(0);
    sync = new MarketSync(given.platform, venue);
    expect(await runAfter(5)).toEqual(['VENUE#sim STATUS']);
    expect(venue.seen.get('BTC/USDT')).toBe(2000);
  });
});

const yearMs = 365 * 86_400_000;
const freshness = async (symbol = 'BTC/USDT') => {
  const ticker = await stored(symbol);
  if (ticker === undefined) throw new Error('There is no ticker');
  return freshnessOf(await status(), ticker, given.clock.now(), given.platform.config.market.syncSeconds);
};
/** Polls every 5 s for this long. */
const pass = async (seconds: number): Promise<string[]> => {
  const written: string[] = [];
  for (let second = 0; second < seconds; second += 5) written.push(...(await runAfter(5)));
  return written;
};

describe('a ticker with a time in the future', () => {
  it('does not freeze its symbol: the next observation replaces it', async () => {
    observe(['BTC/USDT', '100', given.clock.now() + yearMs]);
    await runAfter(0);
    expect((await stored())?.timestamp).toBe(given.clock.now() + 120_000);
    observe(['BTC/USDT', '101']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '101', timestamp: given.clock.now() - 5000 });
  });

  it('that an earlier version stored is replaced even by the same price, which is no move', async () => {
    await given.tick('BTC/USDT', '100', 'sim', 'one');
    await given.store.update(tickerKey('sim', 'BTC/USDT'), { set: { timestamp: given.clock.now() + yearMs } });
    observe(['BTC/USDT', '100']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '100', timestamp: given.clock.now() - 5000, version: 2 });
    expect(await moves()).toHaveLength(1);
  });

  it('of a venue whose clock is a little ahead costs no write while nothing changes', async () => {
    observe(['BTC/USDT', '100', given.clock.now() + 60_000]);
    await runAfter(0);
    const written = [];
    for (let run = 0; run < 4; run += 1) {
      observe(['BTC/USDT', '100', given.clock.now() + 65_000]);
      written.push(...(await runAfter(5)));
    }
    expect(written.filter((key) => key.includes('TICKER'))).toEqual([]);
  });
});

describe('a clock that is set back', () => {
  const backMs = 3_600_000;
  /** The next process has the same table, an hour earlier. */
  const setBack = (): void => {
    let isBack = false;
    const { now } = given.clock;
    Object.assign(given.clock, { now: () => now.call(given.clock) - (isBack ? backMs : 0) });
    isBack = true;
  };

  it('stops no price: the next observation is stored, and is fresh', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    setBack();
    expect(await freshness()).toEqual({ confirmedAt: null, stale: true });
    observe(['BTC/USDT', '101']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '101' });
    expect(await freshness()).toEqual({ confirmedAt: given.clock.now(), stale: false });
  });

  it('has an unchanged price confirmed again', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    setBack();
    observe(['BTC/USDT', '100']);
    await runAfter(5);
    expect(await freshness()).toMatchObject({ stale: false });
    expect((await stored())?.observedAt).toBe(given.clock.now());
  });

  it('does not prolong the pause after failures, or the life of the list of markets', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    venue.failure = new VenueError('sim', 'rate-limited', 'Slow down', { retryAfterMs: 60_000 });
    await runAfter(5);
    venue.failure = undefined;
    setBack();
    const { marketsCalls } = venue;
    observe(['BTC/USDT', '101']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '101' });
    expect(venue.marketsCalls).toBe(marketsCalls + 1);
  });
});

describe('the freshness of a symbol', () => {
  beforeEach(async () => {
    observe(['BTC/USDT', '100'], ['ETH/USDT', '10']);
    await runAfter(0);
  });

  it('is kept by each poll that finds it unchanged, without a write of its own', async () => {
    const written = await pass(120);
    expect(new Set(written)).toEqual(new Set(['VENUE#sim STATUS']));
    expect(await freshness()).toMatchObject({ stale: false });
  });

  it('is lost 15 s after the venue last gave it, whatever happens to the others', async () => {
    const confirmedAt = given.clock.now();
    observe(['ETH/USDT', '10']);
    await pass(15);
    expect(await freshness()).toEqual({ confirmedAt, stale: false });
    await pass(5);
    expect(await freshness()).toEqual({ confirmedAt, stale: true });
    expect(await freshness('ETH/USDT')).toMatchObject({ stale: false });
  });

  it('comes back with the symbol, though its price is the same', async () => {
    observe(['ETH/USDT', '10']);
    await pass(60);
    observe(['BTC/USDT', '100'], ['ETH/USDT', '10']);
    await pass(10);
    expect(await freshness()).toMatchObject({ stale: false });
  });

  it('is lost when the venue does not list the symbol any more', async () => {
    venue.listed = [marketOf('ETH/USDT')];
    observe(['ETH/USDT', '10']);
    await pass(3620);
    expect(await freshness()).toMatchObject({ stale: true });
  });

  it('stays lost in a new process, and for a symbol that is not watched any more', async () => {
    given = {
      ...given,
      platform: {
        ...given.platform,
        config: withSettings(given.platform.config, { market: { symbols: ['ETH/USDT'] } }),
      },
    };
    sync = new MarketSync(given.platform, venue);
    observe(['ETH/USDT', '10']);
    await pass(30);
    expect(await freshness()).toMatchObject({ stale: true });
    sync = new MarketSync(given.platform, venue);
    await pass(10);
    expect(await freshness()).toMatchObject({ stale: true });
  });

  it('is lost when a live venue only repeats a ticker of more than a day ago', async () => {
    venue.source = 'live';
    const haltedAt = given.clock.now();
    observe(['BTC/USDT', '100', haltedAt]);
    await runAfter(86_400);
    observe(['BTC/USDT', '100', haltedAt]);
    await pass(30);
    expect(await freshness()).toMatchObject({ stale: true });
  });

  it('is not lost for a time in another unit, such as seconds, or one that jumps back and forth', async () => {
    venue.source = 'live';
    for (const timestamp of [given.clock.now() / 1000, 1, given.clock.now() - 5000]) {
      for (let poll = 0; poll < 8; poll += 1) {
        observe(['BTC/USDT', '100', timestamp - (poll % 2)]);
        await runAfter(5);
      }
      expect(await freshness()).toMatchObject({ stale: false });
    }
  });

  it('of a recording lasts while it has no new step', async () => {
    venue.source = 'recorded';
    venue.observed = [];
    await pass(60);
    expect(await freshness()).toMatchObject({ stale: false });
  });
});

describe('another writer in between', () => {
  it('keeps what it wrote, and the next run goes on from there', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    await given.tick('BTC/USDT', '200');
    observe(['BTC/USDT', '101']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '200', version: 2 });
    observe(['BTC/USDT', '102']);
    await runAfter(5);
    expect(await stored()).toMatchObject({ last: '102', version: 3 });
  });

  it('does not keep the other symbols from being written', async () => {
    observe(['BTC/USDT', '100'], ['ETH/USDT', '10']);
    await runAfter(0);
    await given.tick('BTC/USDT', '200');
    observe(['BTC/USDT', '101'], ['ETH/USDT', '11']);
    await runAfter(5);
    expect((await stored('ETH/USDT'))?.last).toBe('11');
  });

  it('is as harmless as a table that fails before or after it wrote', async () => {
    for (const when of ['before', 'after'] as const) {
      observe(['BTC/USDT', when]);
      given.table.once(
        ({ name }) => name === 'writeMany',
        async () => {
          throw new Unavailable('The table does not answer');
        },
        when,
      );
      await runAfter(5).catch((error) => expect(error).toBeInstanceOf(Unavailable));
      await runAfter(5);
    }
    expect(await stored()).toMatchObject({ last: 'after', version: 2 });
  });
});

const failures: VenueFailure[] = [
  ...(['retryable', 'rate-limited', 'authentication', 'permission', 'invalid-order'] as const),
  ...(['insufficient-funds', 'maintenance', 'not-supported', 'unknown'] as const),
];

describe('a venue that fails', () => {
  it.each(failures)('with %s is told in the status, and its prices stay', async (failure) => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    const before = await stored();
    venue.failure = new VenueError('sim', failure, 'It is broken');
    expect(await runAfter(20)).toEqual(['VENUE#sim STATUS']);
    expect(await status()).toMatchObject({
      ...{ failure, detail: 'It is broken', consecutiveFailures: 1, lastSuccessAt: before?.observedAt },
    });
    expect(await stored()).toEqual(before);
  });

  it('is asked ever more seldom, but at least once in about a minute', async () => {
    venue.failure = new VenueError('sim', 'retryable', 'It is broken');
    const at: number[] = [];
    for (let second = 0; second < 600; second += 1) {
      const before = venue.marketsCalls;
      await runAfter(1);
      if (venue.marketsCalls > before) at.push(second);
    }
    const gaps = at.slice(1).map((second, index) => second - (at[index] ?? 0));
    expect(gaps.slice(0, 2)).toEqual([1, 1]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60);
    expect(Math.min(...gaps.slice(-5))).toBeGreaterThanOrEqual(30);
  });

  it('is left alone for as long as it said', async () => {
    venue.failure = new VenueError('sim', 'rate-limited', 'Slow down', { retryAfterMs: 90_000 });
    await runAfter(0);
    expect(await runAfter(89)).toEqual([]);
    expect(venue.marketsCalls).toBe(1);
    await runAfter(92);
    expect(venue.marketsCalls).toBe(2);
  });

  it('and answers again is fine at once', async () => {
    venue.failure = new VenueError('sim', 'retryable', 'It is broken');
    await runAfter(0);
    venue.failure = undefined;
    observe(['BTC/USDT', '100']);
    await runAfter(5);
    expect(await status()).toMatchObject({ failure: null, detail: null, consecutiveFailures: 0, items: 1 });
    expect((await stored())?.last).toBe('100');
  });

  it('by listing no markets keeps those that are known, and their prices go on', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    venue.listed = [];
    observe(['BTC/USDT', '101']);
    await runAfter(3601);
    expect(await new Catalog(given.store).markets('sim')).toHaveLength(2);
    expect((await stored())?.last).toBe('101');
  });

  it('by listing no markets from the start says so', async () => {
    venue.listed = [];
    await runAfter(0);
    expect(await status()).toMatchObject({ failure: 'unknown', detail: 'The venue lists no markets.' });
  });

  it('in a way that nobody foresaw is not swallowed', async () => {
    venue.failure = new TypeError('x is not a function');
    await expect(sync.run()).rejects.toThrow('x is not a function');
  });
});

describe('the markets of a venue', () => {
  it('are read again after an hour, and only those that differ are written', async () => {
    observe(['BTC/USDT', '100']);
    await runAfter(0);
    await runAfter(3599);
    expect(venue.marketsCalls).toBe(1);
    venue.listed = [marketOf('BTC/USDT'), { ...marketOf('ETH/USDT'), id: 'ETH-USDT' }, marketOf('XRP/USDT')];
    const written = await runAfter(1);
    expect(venue.marketsCalls).toBe(2);
    expect(written.filter((key) => key.includes('MARKET#'))).toEqual([
      'VENUE#sim MARKET#ETH/USDT',
      'VENUE#sim MARKET#XRP/USDT',
    ]);
  });

  it('that are listed no more are forgotten and not asked for', async () => {
    await runAfter(0);
    venue.listed = [marketOf('BTC/USDT')];
    await runAfter(3600);
    expect(await new Catalog(given.store).has('sim', 'ETH/USDT')).toBe(false);
    expect(venue.calls.at(-1)).toEqual(['BTC/USDT']);
  });

  it('are read from the table by a new process, not from the venue', async () => {
    await runAfter(0);
    sync = new MarketSync(given.platform, venue);
    await runAfter(5);
    expect(venue.marketsCalls).toBe(1);
  });

  it('bound what is asked for: a configured symbol that is not listed is left out', async () => {
    given = testPlatform({ market: { symbols: ['BTC/USDT', 'NO/USDT'] } });
    sync = new MarketSync(given.platform, venue);
    await runAfter(0);
    expect(venue.calls).toEqual([['BTC/USDT']]);
  });

  it('that somebody watches are asked for from the next run on', async () => {
    venue.listed.push(marketOf('XRP/USDT'));
    await runAfter(0);
    await new Catalog(given.store).watch('sim', 'XRP/USDT');
    await runAfter(5);
    expect(venue.calls.map((symbols) => symbols.includes('XRP/USDT'))).toEqual([false, true]);
  });
});
