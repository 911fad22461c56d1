import { expect, it } from 'vitest';
import { liveVenues, startFleet, venueLimits } from '../support/account-fleet.ts';

const syncSeconds = 60;
/** What finds no room at once comes again some seconds later. */
const graceSeconds = 25;

it('sixty accounts are synchronised in their period, within what each venue allows', async () => {
  // As on AWS, where the dispatcher comes once a minute.
  const accounts = { paper: 22, binance: 12, bybit: 2, kraken: 24 };
  const fleet = await startFleet({ accounts, syncSeconds, dispatchSeconds: 60 });
  try {
    await fleet.pass(100);
    const since = fleet.clock.now();
    fleet.reset();
    await fleet.pass(120);
    for (const venue of liveVenues) {
      const seen = fleet.seen(venue, graceSeconds, since);
      expect([venue, seen.refused, await fleet.well(venue), seen.inTime]).toEqual([
        venue,
        0,
        seen.accounts,
        seen.accounts,
      ]);
      expect(seen.most).toBeGreaterThan(0);
      expect(seen.most).toBeLessThanOrEqual(venueLimits[venue].most * 0.8);
    }
  } finally {
    await fleet.end();
  }
}, 120_000);

it('a venue that hardly answers does not hold up the accounts of another', async () => {
  const fleet = await startFleet({
    accounts: { paper: 0, binance: 4, bybit: 40, kraken: 12 },
    syncSeconds,
    dispatchSeconds: 5,
  });
  try {
    fleet.slow({ venue: 'bybit', ms: 9000 });
    await fleet.pass(45);
    const since = fleet.clock.now();
    fleet.reset();
    await fleet.pass(135);
    for (const venue of ['binance', 'kraken'] as const) {
      const { inTime, accounts } = fleet.seen(venue, graceSeconds, since);
      expect([venue, inTime]).toEqual([venue, accounts]);
    }
    expect(await fleet.well('bybit')).toBeLessThan(40);
  } finally {
    await fleet.end();
  }
}, 120_000);
