import { type Frame, priceChannel } from '#shared/connections/channel';
import { Connections } from '#shared/connections/connections';
import { tickerKind } from '#shared/market/items';
import { priceQuoteOf, type StoredTicker } from '#shared/market/tickers';
import { notificationKind } from '#shared/notifications/items';
import type { StoredNotification } from '#shared/notifications/notification';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { changeOf } from '#shared/platform/item-kind';
import type { Platform } from '#shared/platform/ports';
import type { Change } from '#shared/platform/table';
import { Feeds } from '#shared/realtime/feeds';
import { onStreamBatch } from './on-stream.ts';

const sendsAtOnce = 100;

/** Sends prices and firings to those who listen, each connection one frame of prices for a whole batch. */
export const createPushStream = (platform: Platform) => {
  const connections = new Connections(platform);
  const feeds = new Feeds(platform, connections);

  /** The newest version that was pushed, by channel: a batch that comes again does not repeat its prices. */
  const pushed = new Map<string, number>();

  const pushPrices = async (tickers: readonly StoredTicker[]): Promise<void> => {
    const frames = new Map<string, Frame[]>();
    const updates = tickers.map(async (ticker) => {
      const channel = priceChannel(ticker.venue, ticker.symbol);
      if (ticker.version <= (pushed.get(channel) ?? 0)) return;
      const update: Frame = { type: 'update', channel, seq: ticker.version, data: priceQuoteOf(ticker, false) };
      for (const { connectionId, lastSeq } of await connections.audience(channel)) {
        if (lastSeq < ticker.version) frames.set(connectionId, [...(frames.get(connectionId) ?? []), update]);
      }
    });
    await Promise.all(updates);
    const sends = [...frames];
    for (let start = 0; start < sends.length; start += sendsAtOnce) {
      const batch = sends.slice(start, start + sendsAtOnce);
      await Promise.all(batch.map(([connectionId, messages]) => sendPrices(connectionId, messages)));
    }
    for (const { venue, symbol, version } of tickers) {
      const channel = priceChannel(venue, symbol);
      pushed.set(channel, Math.max(version, pushed.get(channel) ?? 0));
    }
  };

  /** A price that could not be sent is not sent again: the next one is newer. */
  const sendPrices = async (connectionId: string, messages: readonly Frame[]): Promise<void> => {
    try {
      await connections.send(connectionId, messages);
    } catch (error) {
      platform.logger.warn('Prices could not be pushed', { error: error as Error });
    }
  };

  const pushFiring = async ({ userId, seq }: StoredNotification): Promise<void> => {
    const audience = await connections.audience('alerts', userId);
    const sent = await Promise.all(audience.map((subscription) => feeds.sendFirings(subscription, seq)));
    await feeds.settle(userId, seq, sent.every((outcome) => outcome === 'gone') ? 'no-listener' : 'delivered');
  };

  return onStreamBatch(platform, 'push', async (changes) => {
    const failed = new Set<string>();
    // Firings first: they are what people wait for.
    for (const change of changes) {
      try {
        const firing = newFiringOf(change);
        if (firing !== undefined) await pushFiring(firing);
      } catch (error) {
        platform.logger.error('A firing could not be pushed', { error: error as Error });
        failed.add(change.sequence);
      }
    }
    await pushPrices(newestTickers(changes));
    return failed;
  });
};

const newFiringOf = (change: Change): StoredNotification | undefined => {
  const { event, after } = changeOf(notificationKind, change) ?? {};
  return event === 'INSERT' && after?.deliveryStatus.websocket !== undefined ? after : undefined;
};

/** The newest ticker of each symbol among the changes. */
const newestTickers = (changes: readonly Change[]): StoredTicker[] => {
  const newest = new Map<string, StoredTicker>();
  for (const change of changes) {
    const { key, after } = changeOf(tickerKind, change) ?? {};
    if (key !== undefined && after !== undefined) newest.set(`${key.pk}\n${key.sk}`, after);
  }
  return [...newest.values()];
};

export const handler = onLambda(createPushStream);
