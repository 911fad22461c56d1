import { type Binding, on } from '#functions/http/binding';
import { noContent, ok } from '#functions/http/reply';
import type { Sessions } from '#shared/auth/sessions';
import { totpQr } from '#shared/auth/totp-qr';
import type { Platform } from '#shared/platform/ports';
import { SecondFactor } from '#shared/users/second-factor';
import * as routes from './totp.routes.ts';

/** Setting up, enabling and disabling the caller's second factor. */
export const totpBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const factor = new SecondFactor(platform, sessions);
  return [
    on(routes.setUpTotp, async ({ caller }) => {
      const { secret, uri } = await factor.setUp(caller.userId);
      return ok({ secret, uri, qr: totpQr(uri) });
    }),
    on(routes.enableTotp, async ({ caller, body, origin }) =>
      ok({ recoveryCodes: await factor.enable(caller.userId, caller.sessionId, body, origin) }),
    ),
    on(routes.disableTotp, async ({ caller, body, origin }) => {
      await factor.disable(caller.userId, body, origin);
      return noContent();
    }),
    on(routes.renewRecoveryCodes, async ({ caller, body, origin }) =>
      ok({ recoveryCodes: await factor.renewRecoveryCodes(caller.userId, body, origin) }),
    ),
  ];
};
