import { tickerKind } from '#shared/market/items';
import { notificationKind } from '#shared/notifications/items';

/** What the stream consumer `alerts` reacts to. */
export const alertsFollows = [tickerKind, notificationKind] as const;
