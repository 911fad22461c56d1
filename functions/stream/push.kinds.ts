import { tickerKind } from '#shared/market/items';
import { notificationKind } from '#shared/notifications/items';

/** What the stream consumer `push` reacts to, what people wait for first. */
export const pushFollows = [notificationKind, tickerKind] as const;
