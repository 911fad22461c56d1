import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Firing } from '#shared/alerts/firing';
import { CrossingIndex, priceSeriesMove } from '#shared/market/crossing-index';
import { priceMoveOf, type StoredTicker } from '#shared/market/tickers';
import { enqueueDeliveries } from '#shared/notifications/deliveries';
import type { StoredNotification } from '#shared/notifications/notification';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { type Change, isOf } from '#shared/platform/table';
import { onStream } from './on-stream.ts';

/** Fires the alerts that a price move reaches, and enqueues the deliveries of those that fired. */
export const createAlertStream = (platform: Platform) => {
  const index = new CrossingIndex(platform.table);
  const firing = new Firing(platform);

  const onTicker = async (change: Change<StoredTicker>): Promise<void> => {
    const priceMove = priceMoveOf(change);
    if (priceMove === undefined) return;
    const move = priceSeriesMove(priceMove);
    const reached = await index.reachedBy(move);
    if (reached.length > 0) await firing.record(reached, move);
  };

  return onStream(platform, 'alerts', async (change) => {
    if (isOf<StoredTicker>(change, 'ticker')) await onTicker(change);
    if (isOf<StoredNotification>(change, 'notification') && change.event === 'INSERT' && change.after !== undefined) {
      platform.metrics.addMetric('AlertsFired', MetricUnit.Count, 1);
      platform.metrics.addMetric('AlertLatency', MetricUnit.Milliseconds, platform.clock.now() - change.after.firedAt);
      await enqueueDeliveries(platform, change.after);
    }
  });
};

export const handler = onLambda(createAlertStream);
