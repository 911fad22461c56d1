import { type Binding, noContent, ok, on } from '#functions/http/api';
import { originOf } from '#functions/http/audit-origin';
import type { Sessions } from '#shared/auth/sessions';
import { totpQr } from '#shared/auth/totp-qr';
import type { Platform } from '#shared/platform/ports';
import { SecondFactor } from '#shared/users/second-factor';
import * as routes from './totp.routes.ts';

/** How users get, keep and give up a second factor. */
export const totpBindings = (platform: Platform, sessions: Sessions): readonly Binding[] => {
  const factor = new SecondFactor(platform, sessions);
  return [
    on(routes.setUpTotp, async ({ caller }) => {
      const { secret, uri } = await factor.setUp(caller.userId);
      return ok({ secret, uri, qr: totpQr(uri) });
    }),
    on(routes.enableTotp, async ({ caller, body, ...request }) => {
      const origin = originOf({ ...request, caller });
      return ok({ recoveryCodes: await factor.enable(caller.userId, caller.sessionId, body, origin) });
    }),
    on(routes.disableTotp, async ({ caller, body, ...request }) => {
      await factor.disable(caller.userId, body, originOf({ ...request, caller }));
      return noContent();
    }),
    on(routes.renewRecoveryCodes, async ({ caller, body, ...request }) => {
      const origin = originOf({ ...request, caller });
      return ok({ recoveryCodes: await factor.renewRecoveryCodes(caller.userId, body.code, origin) });
    }),
  ];
};
