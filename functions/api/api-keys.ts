import { type Binding, on } from '#functions/http/binding';
import { created, noContent } from '#functions/http/reply';
import { ApiKeys } from '#shared/auth/api-keys';
import type { ApiKeyId } from '#shared/auth/stored-api-key';
import type { Platform } from '#shared/platform/ports';
import * as routes from './api-keys.routes.ts';

/** The caller's API keys. */
export const apiKeyBindings = (platform: Platform): readonly Binding[] => {
  const keys = new ApiKeys(platform);
  return [
    on(routes.createApiKey, async ({ caller, body, origin }) =>
      created(await keys.create(caller.userId, body, origin)),
    ),
    on(routes.listApiKeys, async ({ caller, page }) => page.of(await keys.list(caller.userId, page.request))),
    on(routes.revokeApiKey, async ({ caller, params, origin }) => {
      await keys.revoke(caller.userId, params.id as ApiKeyId, origin);
      return noContent();
    }),
  ];
};
