import { beforeEach, describe, expect, it } from 'vitest';
import { getPrices } from '#functions/api/market.routes';
import { Paging } from '#functions/http/paging';
import { Catalog } from '#shared/market/catalog';
import { type VenueStatus, writeVenueStatus } from '#shared/market/venue-status';
import type { UserId } from '#shared/model/user-id';
import { httpApi, type TestHttpApi, tokenOf } from '../../support/http-events.ts';
import { marketOf, type TestPlatform, testPlatform } from '../../support/test-platform.ts';

const ada = '01890000-0000-7000-8000-00000000ada0' as UserId;
const venues = ['sim', 'replay', 'binance'];

let system: TestPlatform;
let http: TestHttpApi;
let token: string;
beforeEach(async () => {
  system = testPlatform({ market: { venues } });
  http = await httpApi(system.platform);
  token = await tokenOf(system.platform, ada, 'viewer');
});

const prices = (query = '') => http.request('GET', `/api/market/prices${query}`, { token });
const succeeded = (venue: string, lastSuccessAt: number | null): Promise<void> => {
  const status: VenueStatus = {
    venue,
    source: 'simulated',
    lastSuccessAt,
    lastAttemptAt: system.clock.now(),
    lastChangeAt: null,
    durationMs: 1,
    items: 1,
    failure: null,
    detail: null,
    consecutiveFailures: 0,
  };
  return writeVenueStatus(system.table, status);
};
const named = ({ venue, symbol }: { venue: string; symbol: string }) => `${venue} ${symbol}`;

const walk = async (limit: number): Promise<string[]> => {
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null; pages++) {
    if (pages > 100) throw new Error('The list has no end');
    const { status, body } = await prices(`?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    seen.push(...body.items.map(named));
    cursor = body.nextCursor;
  }
  return seen;
};

describe('all prices', () => {
  it.each([1, 2, 3, 4, 5, 200])('appear once each, across all venues, in pages of %i', async (limit) => {
    const expected: string[] = [];
    for (const [venue, count] of [
      ['sim', 4],
      ['binance', 5],
    ] as const) {
      for (let index = 0; index < count; index++) {
        await system.tick(`A${index}/USDT`, '1', venue);
        expected.push(`${venue} A${index}/USDT`);
      }
    }
    expect(await walk(limit)).toEqual(expected);
  });

  it('are an empty list while there are none', async () => {
    expect(await walk(50)).toEqual([]);
  });

  it('of one venue are only its own', async () => {
    await system.tick('A/USDT', '1', 'sim');
    await system.tick('A/USDT', '2', 'binance');
    const { body } = await prices('?venue=binance');
    expect(body.items.map(named)).toEqual(['binance A/USDT']);
    expect(body.nextCursor).toBeNull();
  });

  it('with other filters need another cursor', async () => {
    for (const symbol of ['A/USDT', 'B/USDT']) await system.tick(symbol, '1');
    const { nextCursor } = (await prices('?limit=1')).body;
    expect((await prices(`?limit=1&venue=sim&cursor=${nextCursor}`)).status).toBe(400);
  });

  it.each([
    ...['99', 'zz', '-1', '1.', '', '.', 'sim', 'kraken.', 'simulated.'],
    ...['sim.!', 'sim.eyJhIjoxfQ', 'sim.W10', 'sim.WyIiXQ', 'sim.WyJcdWQ4MDAiXQ'],
  ])('refuse a made-up cursor (%s) with a valid checksum', async (inner) => {
    await system.tick('A/USDT', '1');
    const scope = { route: getPrices, userId: ada, params: {}, filters: {} };
    const { nextCursor } = new Paging(scope, {}).of({ items: [], cursor: inner }).body as { nextCursor: string };
    const { status, body } = await prices(`?cursor=${nextCursor}`);
    expect({ status, type: body.type }).toEqual({ status: 400, type: '/problems/invalid-cursor' });
  });
});

describe('prices of named symbols', () => {
  const list = async (venue: string, ...symbols: string[]) =>
    new Catalog(system.table).replace(venue, symbols.map(marketOf), system.clock.now());

  it('come from every venue that has them, once each', async () => {
    await system.tick('A/USDT', '1', 'sim');
    await system.tick('A/USDT', '2', 'binance');
    await system.tick('B/USDT', '3', 'binance');
    const { body } = await prices('?symbols=A/USDT,B/USDT,A/USDT');
    expect(body.items.map(named)).toEqual(['sim A/USDT', 'binance A/USDT', 'binance B/USDT']);
  });

  it('that are traded but have no price yet are left out', async () => {
    await list('sim', 'A/USDT', 'B/USDT');
    await system.tick('A/USDT', '1');
    expect((await prices('?venue=sim&symbols=A/USDT,B/USDT')).body.items.map(named)).toEqual(['sim A/USDT']);
  });

  it('that no venue trades are a 422', async () => {
    for (const venue of venues) await list(venue, 'A/USDT');
    const { status, body } = await prices('?symbols=A/USDT,NOT/TRADED');
    expect({ status, path: body.errors[0].path }).toEqual({ status: 422, path: 'symbols' });
    expect(body.detail).toContain('NOT/TRADED');
  });

  it('are not called unknown before the markets have been read', async () => {
    await list('sim', 'A/USDT');
    expect((await prices('?symbols=B/USDT')).status).toBe(503);
    expect((await prices('?venue=sim&symbols=B/USDT')).status).toBe(422);
  });

  it.each([
    ['?venue=kraken', 'venue'],
    ['?venue=SIM', 'query.venue'],
    ['?venue=', 'query.venue'],
    ['?symbols=', 'query.symbols.0'],
    ['?symbols=A/USDT,,B/USDT', 'query.symbols.1'],
    ['?symbols=A%23/USDT', 'query.symbols.0'],
    [`?symbols=${Array.from({ length: 101 }, (_, index) => `A${index}/USDT`).join()}`, 'query.symbols'],
  ])('%s is a 422', async (query, path) => {
    const { status, body } = await prices(query);
    expect({ status, path: body.errors[0].path }).toEqual({ status: 422, path });
  });
});

describe('a price is stale', () => {
  const stale = async () => (await prices('?venue=sim')).body.items.map((price: { stale: boolean }) => price.stale);
  beforeEach(() => system.tick('A/USDT', '1'));

  it('not while it is new, even if nothing is known about its venue yet', async () => {
    expect(await stale()).toEqual([false]);
  });

  it('when its venue never answered again', async () => {
    await succeeded('sim', null);
    await system.clock.advance(60_001);
    expect(await stale()).toEqual([true]);
  });

  it('when its venue has not confirmed it for more than 15 s, and says since when', async () => {
    const confirmedAt = system.clock.now();
    await succeeded('sim', confirmedAt);
    expect(await stale()).toEqual([false]);
    await system.clock.advance(15_000);
    expect((await prices('?venue=sim')).body.items).toMatchObject([{ confirmedAt, stale: false }]);
    expect(await stale()).toEqual([false]);
    await system.clock.advance(1);
    expect(await stale()).toEqual([true]);
  });

  it('independently of other venues', async () => {
    await system.clock.advance(60_001);
    await system.tick('A/USDT', '1', 'binance');
    await succeeded('binance', system.clock.now());
    const items: { venue: string; stale: boolean }[] = (await prices('?symbols=A/USDT')).body.items;
    expect(items.map(({ venue, stale: is }) => [venue, is])).toEqual([
      ['sim', true],
      ['binance', false],
    ]);
  });
});
