import { notificationKind } from '#shared/alerts/items';
import { tickerKind } from '#shared/market/items';

/** What the stream consumer `push` reacts to, what people wait for first. */
export const pushFollows = [notificationKind, tickerKind] as const;
