import { notificationKind } from '#shared/alerts/items';
import { tickerKind } from '#shared/market/items';

/** What the stream consumer `alerts` reacts to. */
export const alertsFollows = [tickerKind, notificationKind] as const;
