import { api } from '#functions/http/api';
import { on } from '#functions/http/binding';
import { noContent } from '#functions/http/reply';
import type { UserId } from '#shared/model/user-id';
import { UserRemoval } from '#shared/personal-data/erasure';
import { onLambda } from '#shared/platform/aws/on-lambda';
import type { Platform } from '#shared/platform/ports';
import * as routes from './removal.routes.ts';

/**
 * Deletion of users. It is a function of its own because it has write access to the credential vault, which the function that
 * serves unauthenticated login requests must not have.
 */
export const createRemovalApi = (platform: Platform) => {
  const removal = new UserRemoval(platform);
  return api(platform, [
    on(routes.deleteOneself, async ({ caller, body, origin }) => {
      await removal.ofOneself(caller.userId, caller.sessionId, body, origin);
      return noContent();
    }),
    on(routes.deleteUser, async ({ caller, params, origin }) => {
      await removal.byAdmin(params.id as UserId, caller.userId, origin);
      return noContent();
    }),
  ]);
};

export const handler = onLambda(createRemovalApi);
