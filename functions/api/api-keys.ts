import { type Binding, created, noContent, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import { ApiKeys } from '#shared/auth/api-keys';
import type { ApiKeyId } from '#shared/auth/stored-api-key';
import type { Platform } from '#shared/platform/ports';
import * as routes from './api-keys.routes.ts';

/** How API keys are made, listed and deleted. */
export const apiKeyBindings = (platform: Platform): readonly Binding[] => {
  const keys = new ApiKeys(platform);
  return [
    on(routes.createApiKey, async ({ caller, body, ...request }) =>
      created(await keys.create(caller.userId, body, originOf({ ...request, caller }))),
    ),
    on(routes.listApiKeys, async ({ caller, query: { limit, cursor } }) => {
      const list = `api-keys ${caller.userId}`;
      const page = await keys.list(caller.userId, { limit, ...openCursor(list, cursor) });
      return ok(pageOf(list, page.items, page.cursor));
    }),
    on(routes.revokeApiKey, async ({ caller, params, ...request }) => {
      await keys.revoke(caller.userId, params.id as ApiKeyId, originOf({ ...request, caller }));
      return noContent();
    }),
  ];
};
