import type { Reaction } from '#functions/stream/reactions';
import { Firing } from '#shared/alerts/firing';
import { CrossingIndex, priceSeriesMove } from '#shared/market/crossing-index';
import { priceMoveOf, type StoredTicker } from '#shared/market/tickers';
import type { Platform } from '#shared/platform/ports';

/** Fires the alerts whose level a price move reaches. */
export const fireAlerts = (platform: Platform): Reaction<StoredTicker> => {
  const index = new CrossingIndex(platform.table);
  const firing = new Firing(platform);
  return async (change) => {
    const priceMove = priceMoveOf(change);
    if (priceMove === undefined) return;
    const move = priceSeriesMove(priceMove);
    const reached = await index.reachedBy(move);
    if (reached.length > 0) await firing.record(reached, move);
  };
};
