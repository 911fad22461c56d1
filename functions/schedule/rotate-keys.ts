import { instrumented } from '#functions/instrumented';
import { KeyRotation } from '#shared/auth/key-rotation';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';

/** Renews the keys that access tokens are signed with, when that is due. */
export const createRotateKeys = (platform: Platform) => {
  const rotation = new KeyRotation(platform);
  return instrumented(platform, async (): Promise<void> => {
    const { added, withdrawn } = await rotation.run();
    if (added.length + withdrawn.length > 0) platform.logger.info('Signing keys were renewed', { added, withdrawn });
  });
};

export const handler = onLambda(createRotateKeys);
