import { type Binding, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import { openCursor, pageOf } from '#functions/http/page';
import type { UserId } from '#shared/model/user-id';
import type { UserAdministration } from '#shared/users/administration';
import * as routes from './administration.routes.ts';

/** What admins do with users. */
export const administrationBindings = (administration: UserAdministration): readonly Binding[] => [
  on(routes.listUsers, async ({ query: { limit, cursor } }) => {
    const page = await administration.list({ limit, ...openCursor('users', cursor) });
    return ok(pageOf('users', page.items, page.cursor));
  }),
  on(routes.changeUser, async ({ caller, params, body, ...request }) =>
    ok(await administration.change(params.id as UserId, body, originOf({ ...request, caller }))),
  ),
];
