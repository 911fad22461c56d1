import type { Reaction } from '#functions/stream/reactions';
import { Firing } from '#shared/alerts/firing';
import { LevelIndex } from '#shared/market/crossing-index';
import { priceMoveOf, type StoredTicker } from '#shared/market/tickers';
import type { Platform } from '#shared/platform/ports';

/** Fires the alerts whose level a price move reaches. */
export const fireAlerts = (platform: Platform): Reaction<StoredTicker> => {
  const levels = new LevelIndex(platform.table);
  const firing = new Firing(platform);
  return async (change) => {
    const move = priceMoveOf(change);
    if (move === undefined) return;
    const reached = await levels.reachedBy(move);
    if (reached.length > 0) await firing.record(reached, move);
  };
};
