import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { deliverNotifications } from './alerts/deliver-notifications.ts';
import { fireAlerts } from './alerts/fire-alerts.ts';
import { alertsFollows } from './alerts.kinds.ts';
import { onStream } from './on-stream.ts';
import { reactTo } from './reactions.ts';

/** Turns price moves into notifications, and notifications into deliveries. */
export const createAlertStream = (platform: Platform) =>
  onStream(
    platform,
    'alerts',
    reactTo(alertsFollows, {
      ticker: fireAlerts(platform),
      notification: deliverNotifications(platform),
    }),
  );

export const handler = onLambda(createAlertStream);
