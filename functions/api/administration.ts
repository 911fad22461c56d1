import { type Binding, on } from '#functions/http/binding';
import { ok } from '#functions/http/reply';
import type { UserId } from '#shared/model/user-id';
import type { UserAdministration } from '#shared/users/administration';
import * as routes from './administration.routes.ts';

/** Management of users by admins. */
export const administrationBindings = (administration: UserAdministration): readonly Binding[] => [
  on(routes.listUsers, async ({ page }) => page.of(await administration.list(page.request))),
  on(routes.changeUser, async ({ params, body, origin }) =>
    ok(await administration.change(params.id as UserId, body, origin)),
  ),
];
