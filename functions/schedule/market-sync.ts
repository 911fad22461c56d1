import { instrumented } from '#functions/instrumented';
import { Venues } from '#shared/exchange/venues';
import { MarketSync } from '#shared/market/market-sync';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';

/** The event of the schedule. */
export interface MarketSyncEvent {
  readonly venue: string;
}

/** Polls one venue: once on one machine, for the rest of the minute on AWS, whose schedules are no finer. */
export const createMarketSync = (platform: Platform) => {
  const { clock, config } = platform;
  const venues = new Venues(platform);
  const syncs = new Map<string, MarketSync>();
  const syncOf = async (id: string): Promise<MarketSync> => {
    const sync = syncs.get(id) ?? new MarketSync(platform, await venues.open(id));
    syncs.set(id, sync);
    return sync;
  };
  return instrumented(platform, async ({ venue }: MarketSyncEvent): Promise<void> => {
    const startedAt = clock.now();
    const until = startedAt + config.market.syncWindowSeconds * 1000;
    const sync = await syncOf(venue);
    for (let next = startedAt; ; ) {
      await sync.run();
      next = Math.max(next + config.market.syncSeconds * 1000, clock.now());
      if (next >= until) return;
      await clock.sleep(next - clock.now());
    }
  });
};

export const handler = onLambda(createMarketSync);
