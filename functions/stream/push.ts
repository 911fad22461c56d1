import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import { Publisher } from '#shared/realtime/publisher';
import { onStreamBatch } from './on-stream.ts';

/** Sends what changed to the sockets that subscribe to it. What a change means, each feed says; see `push.kinds.ts`. */
export const createPushStream = (platform: Platform) => {
  const publisher = new Publisher(platform);
  return onStreamBatch(platform, 'push', (changes) => publisher.publish(changes));
};

export const handler = onLambda(createPushStream);
