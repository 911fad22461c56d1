import { api, noContent, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import type { UserId } from '#shared/model/user-id';
import { UserRemoval } from '#shared/personal-data/erasure';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './removal.routes.ts';

/** How users are deleted. A function of its own: it may change the vault, which nothing that takes passwords from anybody may. */
export const createRemovalApi = (platform: Platform) => {
  const removal = new UserRemoval(platform);
  return api(platform, [
    on(routes.deleteOneself, async ({ caller, body, ...request }) => {
      const { userId, sessionId } = caller;
      await removal.ofOneself(userId, sessionId, body, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.deleteUser, async ({ caller, params, ...request }) => {
      await removal.byAdmin(params.id as UserId, caller.userId, originOf({ ...request, caller }));
      return noContent();
    }),
  ]);
};

export const handler = onLambda(createRemovalApi);
