import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Publisher } from '#shared/realtime/publisher';
import { onStreamBatch } from './on-stream.ts';

/** Sends what changed to the sockets that listen to it. */
export const createPushStream = (platform: Platform) => {
  const publisher = new Publisher(platform);
  return onStreamBatch(platform, 'push', (changes) => publisher.publish(changes));
};

export const handler = onLambda(createPushStream);
