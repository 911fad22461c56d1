import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Reaction } from '#functions/stream/reactions';
import type { StoredNotification } from '#shared/alerts/stored';
import { enqueueDeliveries } from '#shared/notifications/deliveries';
import type { Platform } from '#shared/platform/ports';

/** Enqueues the deliveries of a new notification, and measures how long after the price move that is. */
export const deliverNotifications =
  (platform: Platform): Reaction<StoredNotification> =>
  async ({ event, after }) => {
    if (event !== 'INSERT' || after === undefined) return;
    platform.metrics.addMetric('AlertsFired', MetricUnit.Count, 1);
    platform.metrics.addMetric('AlertLatency', MetricUnit.Milliseconds, platform.clock.now() - after.firedAt);
    await enqueueDeliveries(platform, after);
  };
